/**
 * `trailmix doctor`: what is wrong with this installation, and how to mend it. Looks and changes nothing; where the
 * app runs, it also gives a new one-time link.
 */
import { access, stat, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describeVault } from '../collector/keys/vault.ts';
import { holderOf } from '../collector/ledger/folder.ts';
import { LOG_FILE } from '../collector/logging.ts';
import { logFolder } from '../collector/status.ts';
import { VERSION } from '../collector/version.ts';
import { errorTable, type TrailmixError } from '../core/api/errors.ts';
import type { StatusView } from '../core/api/views.ts';
import { call } from './client.ts';
import type { Command, ExitCode, Output } from './command.ts';
import { runningCollector } from './running.ts';

type Check = { name: string; ok: boolean; message: string; next?: string };

const LOW_BYTES = 512 * 1024 * 1024;
const GENERATED = join(import.meta.dirname, '..', 'resources', 'generated');

const there = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

const good = (name: string, message: string): Check => ({ name, ok: true, message });
const bad = (name: string, message: string, next: string): Check => ({ name, ok: false, message, next });
const badBy = (name: string, error: TrailmixError): Check =>
  bad(name, error.message, errorTable[error.code].next);

async function folderChecks(folder: string): Promise<Check[]> {
  if (!(await there(folder))) {
    return [bad('data folder', `${folder} is not there yet`, 'Run `trailmix start`: it makes the folder.')];
  }
  const checks: Check[] = [];
  const { mode } = await stat(folder);
  checks.push(
    process.platform === 'win32' || (mode & 0o077) === 0
      ? good('data folder', folder)
      : bad(
          'data folder',
          `${folder} can be read by others (mode ${(mode & 0o777).toString(8)})`,
          `chmod 700 ${folder}`,
        ),
  );
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const mib = Math.floor(free / 1024 / 1024);
  checks.push(
    free >= LOW_BYTES
      ? good('disk', `${mib} MiB free`)
      : bad('disk', `only ${mib} MiB free`, errorTable.disk_low.next),
  );
  const vault = await describeVault(folder);
  switch (vault.kind) {
    case 'missing':
      checks.push(bad('vault', 'there is no vault yet', errorTable.setup_needed.next));
      break;
    case 'damaged':
      checks.push(badBy('vault', vault.error));
      break;
    case 'key_file': {
      const found = await there(vault.keyFile);
      checks.push(
        found
          ? good('vault', `${vault.custody.label}: ${vault.keyFile}`)
          : bad('vault', `the key file ${vault.keyFile} is not there`, errorTable.vault_key_missing.next),
      );
      break;
    }
    default:
      checks.push(good('vault', vault.custody.label));
  }
  return checks;
}

async function buildChecks(): Promise<Check[]> {
  const parts: [string, string, string][] = [
    ['page', 'ui/index.html', 'Build it with `npm run prepare`.'],
    ['policy', 'policies/manifest.json', errorTable.toolchain_missing.next],
    ['policy toolchain', 'toolchain/opa.wasm', errorTable.toolchain_missing.next],
  ];
  return Promise.all(
    parts.map(async ([name, file, next]) =>
      (await there(join(GENERATED, file))) ? good(name, 'built') : bad(name, 'not built here', next),
    ),
  );
}

function ledgerChecks(status: StatusView): Check[] {
  const checks: Check[] = [];
  if (status.phase === 'setup')
    checks.push(bad('ledger', 'the first start is not finished', errorTable.setup_needed.next));
  if (status.phase === 'locked')
    checks.push(bad('ledger', errorTable.vault_locked.title, errorTable.vault_locked.next));
  if (status.refused !== undefined) checks.push(bad('ledger', status.refused.message, status.refused.next));
  const { ledger } = status;
  if (ledger !== undefined) {
    checks.push(
      ledger.fault === undefined
        ? good('ledger', `${ledger.head_seq + 1} records, verified to #${ledger.verified_to}`)
        : bad(
            'ledger',
            `record ${ledger.fault.seq}: ${ledger.fault.message}`,
            errorTable.ledger_damaged.next,
          ),
    );
  }
  if (status.policy !== undefined && !status.policy.ready) {
    checks.push(
      bad('gate', 'no policy is loaded: every decision is a deny', errorTable.toolchain_missing.next),
    );
  }
  return checks;
}

function show(out: Output, checks: Check[], log: string): void {
  const width = Math.max(...checks.map(check => check.name.length));
  for (const check of checks) {
    out.say(`${check.ok ? 'ok   ' : 'WRONG'}  ${check.name.padEnd(width)}  ${check.message}`);
    if (check.next !== undefined) out.say(`${' '.repeat(9 + width)}${check.next}`);
  }
  out.say(`       log: ${log}`);
}

export const doctorCommand: Command = {
  summary:
    'Says what is wrong with this installation and how to mend it; where the app runs, gives a new link to it.',
  usage: '',
  examples: ['trailmix doctor'],
  async run({ data, out }): Promise<ExitCode> {
    const folder = resolve(data);
    const checks = [...(await folderChecks(folder)), ...(await buildChecks())];
    const running = await runningCollector(folder);
    let uiUrl: string | undefined;
    if (running !== undefined) {
      checks.push(good('app', `runs at ${running.url} (process ${running.pid})`));
      checks.push(...ledgerChecks(await call(running.socket, 'status')));
      uiUrl = (await call(running.socket, 'newTicket')).ui_url;
    } else {
      const holder = holderOf(folder);
      checks.push(
        good(
          'app',
          holder === undefined
            ? 'does not run'
            : `does not answer; process ${holder.pid} last held the folder`,
        ),
      );
    }
    const log = join(logFolder(folder), LOG_FILE);
    const wrong = checks.filter(check => !check.ok);
    out.json({
      ok: wrong.length === 0,
      version: VERSION,
      node: process.version,
      data: folder,
      log,
      checks,
      ...(uiUrl === undefined ? {} : { ui_url: uiUrl }),
    });
    show(out, checks, log);
    if (uiUrl !== undefined) out.say(`       open: ${uiUrl}`);
    return wrong.length === 0 ? 0 : 1;
  },
};
