/** Files of a draft to and from a folder of this computer: read through a file field, written into a chosen folder or a zip. */
import { POLICY_LIMITS, type PolicyFile } from '../../../core/api/policy_views.ts';
import { crc32 } from '../../../core/pack/crc32.ts';
import { saveBlob } from '../settings/save_file.ts';
import { chooseFolder, writeInto } from './folder_handle.ts';

/** Reads what may be part of a set; other files of the folder are only named. */
export async function readFolder(list: FileList): Promise<{ path: string; text: string }[]> {
  const found: { path: string; text: string }[] = [];
  for (const file of [...list].slice(0, 5_000)) {
    const path = file.webkitRelativePath || file.name;
    if (!/\.(rego|json)$/.test(path) || path.split('/').some(part => part.startsWith('.'))) continue;
    found.push({
      path,
      text:
        file.size > POLICY_LIMITS.text * 4
          ? 'x'.repeat(POLICY_LIMITS.text + 1)
          : (await file.text()).replaceAll('\r\n', '\n'),
    });
  }
  return found;
}

export function saveZip(name: string, files: readonly PolicyFile[]): void {
  saveBlob(
    new Blob([zipOf(files)], { type: 'application/zip' }),
    `${name.replaceAll(/[^\w.-]+/g, '-') || 'policy'}.zip`,
  );
}

/** Into a folder that the reader chooses; false when they cancelled. */
export async function saveFolder(files: readonly PolicyFile[]): Promise<boolean> {
  const top = await chooseFolder('readwrite');
  if (top === undefined) return false;
  for (const { path, text } of files) await writeInto(top, path, text);
  return true;
}

/** A zip without compression (APPNOTE 6.3.3): local headers, central directory, its end. */
export function zipOf(files: readonly PolicyFile[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const { path, text } of files) {
    const name = encoder.encode(path);
    const bytes = encoder.encode(text);
    const common = [20, 0x0800, 0, 0, 0x21, crc32(bytes), bytes.length, bytes.length, name.length, 0];
    const widths = [2, 2, 2, 2, 2, 4, 4, 4, 2, 2];
    const local = record(0x04034b50, common, widths);
    parts.push(local, name, bytes);
    central.push(
      record(0x02014b50, [20, ...common, 0, 0, 0, 0, offset], [2, ...widths, 2, 2, 2, 4, 4]),
      name,
    );
    offset += local.length + name.length + bytes.length;
  }
  const size = central.reduce((sum, part) => sum + part.length, 0);
  const end = record(0x06054b50, [0, 0, files.length, files.length, size, offset, 0], [2, 2, 2, 2, 4, 4, 2]);
  const whole = new Uint8Array(offset + size + end.length);
  let at = 0;
  for (const part of [...parts, ...central, end]) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Little-endian fields of the given widths, behind a signature. */
function record(signature: number, values: readonly number[], widths: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 + widths.reduce((sum, width) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, signature, true);
  let at = 4;
  for (const [n, width] of widths.entries()) {
    const value = values[n] as number;
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}
