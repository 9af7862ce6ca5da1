/**
 * A file system of its own whose power can be cut: ext4 in a file, shut down without writing its journal or anything that
 * was not synced (FS_IOC_SHUTDOWN of Linux, as xfstests does it), then mounted anew as after a crash. Needs Linux, root, a
 * loop device, mkfs.ext4 and python3. Not a test itself.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** include/uapi/linux/fs.h: _IOR('X', 125, __u32); 2 is "no log flush". */
const SHUT_DOWN = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))
`;
const TRIES = 100;

export type CutDisk = {
  /** Where it is mounted. */
  readonly folder: string;
  /** From now on every access fails; what was not synced is lost. */
  cut(): Promise<void>;
  /** As after power is back. Those that held files open must have ended. */
  mountAgain(): Promise<void>;
  remove(): Promise<void>;
};

/** Throws where this machine cannot. */
export async function cutDisk(mebibytes: number): Promise<CutDisk> {
  const place = await mkdtemp(join(tmpdir(), 'tm-cut-'));
  const image = join(place, 'disk');
  const folder = join(place, 'mounted');
  const file = await open(image, 'wx');
  await file.truncate(mebibytes * 1024 * 1024);
  await file.close();
  await mkdir(folder);
  const mount = () => run('mount', ['-o', 'loop', image, folder]);
  /** A process that was killed holds its files a little longer. */
  const unmount = async (): Promise<void> => {
    for (let n = 1; ; n++) {
      try {
        await run('umount', [folder]);
        return;
      } catch (error) {
        if (n === TRIES) throw error;
        await sleep(50);
      }
    }
  };
  await run('mkfs.ext4', ['-q', image]);
  await mount();
  return {
    folder,
    cut: () => run('python3', ['-c', SHUT_DOWN, folder]).then(() => {}),
    async mountAgain() {
      await unmount();
      await mount();
    },
    async remove() {
      await unmount();
      await rm(place, { recursive: true, force: true });
    },
  };
}
