/**
 * `trailmix convert`: the events of a pack in a format that other tools read. Streams; memory does not grow with the pack. It
 * verifies nothing but that events.jsonl is the file that the pack's list names: `trailmix verify` comes first.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { access, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { inflateRaw, openFile } from '../collector/evidence/verifier-host.ts';
import { VERSION } from '../collector/version.ts';
import { TrailmixError } from '../core/api/errors.ts';
import { csvHead, csvLine } from '../core/formats/csv.ts';
import { ocsfLine } from '../core/formats/ocsf.ts';
import { LineError, lineBatches } from '../core/pack/lines.ts';
import { CHECKSUMS, ManifestError, parseChecksums } from '../core/pack/manifest.ts';
import { openZip, type Zip, ZipError } from '../core/pack/zip.ts';
import { concat } from '../core/proof/bytes.ts';
import type { JsonObject } from '../core/proof/jcs.ts';
import { type Command, need } from './command.ts';

type Format = { readonly head: string; readonly line: (record: JsonObject) => string };
const FORMATS: Record<string, Format> = {
  csv: { head: csvHead(), line: csvLine },
  ocsf: { head: '', line: record => ocsfLine(record, VERSION) },
};

const EVENTS = 'events.jsonl';

export const convertCommand: Command = {
  summary: 'The events of an evidence pack as CSV or OCSF, for spreadsheets and SIEMs.',
  usage: 'PACK --to csv|ocsf --out FILE',
  examples: [
    'trailmix convert november.zip --to csv --out november.csv',
    'trailmix convert november.zip --to ocsf --out november.ocsf.jsonl',
  ],
  options: { to: { type: 'string' }, out: { type: 'string' } },
  help: {
    '--to FORMAT': 'csv (RFC 4180, no cell is a formula) or ocsf (1.8.0, API Activity, a JSON object a line)',
    '--out FILE': 'a new file',
  },
  words: [1, 1],
  async run({ values, positionals, out }) {
    const pack = resolve(positionals[0]!);
    const file = resolve(need(values, 'out'));
    const name = need(values, 'to');
    const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
    if (format === undefined)
      throw new TrailmixError('usage', {
        where: '--to',
        message: `${name} is none of ${Object.keys(FORMATS).join(', ')}`,
      });
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere)
      throw new TrailmixError('usage', {
        where: file,
        message: `${file} is there already; choose a new name`,
      });
    await access(pack).catch(() => {
      throw new TrailmixError('pack_unreadable', { where: pack, message: `${pack} is not there` });
    });
    const events = await convert(pack, file, format);
    out.json({ file, events, format: name });
    out.say(`Wrote ${file}: ${events} events.`);
    out.say('It proves nothing by itself: verify the pack, and keep it.');
    return 0;
  },
};

/** Answers the number of events. Throws pack_unreadable, and leaves no file that looks finished. */
async function convert(pack: string, file: string, format: Format): Promise<number> {
  const source = await openFile(pack);
  const part = `${file}.part`;
  const sink = createWriteStream(part, { flags: 'w' });
  try {
    const zip = await openZip(source, inflateRaw);
    const listed = parseChecksums(await whole(zip, CHECKSUMS)).get(EVENTS);
    const hash = createHash('sha256');
    const chunks = async function* (): AsyncGenerator<Uint8Array, void> {
      for await (const chunk of zip.open(entryOf(zip, EVENTS))) {
        hash.update(chunk);
        yield chunk;
      }
    };
    let count = 0;
    sink.write(format.head);
    for await (const lines of lineBatches(chunks())) {
      const text = lines.map(line => format.line(JSON.parse(line) as JsonObject)).join('');
      count += lines.length;
      if (!sink.write(text)) await once(sink, 'drain');
    }
    if (hash.digest('hex') !== listed)
      throw new TrailmixError('pack_unreadable', {
        where: EVENTS,
        message: `${EVENTS} is not the file that the pack lists: verify the pack`,
      });
    sink.end();
    await finished(sink);
    await rename(part, file);
    return count;
  } catch (error) {
    if (
      error instanceof ZipError ||
      error instanceof LineError ||
      error instanceof ManifestError ||
      error instanceof SyntaxError
    )
      throw new TrailmixError('pack_unreadable', { where: pack, message: `${pack}: ${error.message}` });
    throw error;
  } finally {
    sink.destroy();
    await source.close();
    await rm(part, { force: true });
  }
}

function entryOf(zip: Zip, path: string) {
  const entry = zip.entries.get(path);
  if (entry === undefined)
    throw new TrailmixError('pack_unreadable', {
      where: path,
      message: `Not an evidence pack: ${path} is missing`,
    });
  return entry;
}

/** A list of files: refused beyond what the verifier holds. */
async function whole(zip: Zip, path: string): Promise<Uint8Array> {
  const entry = entryOf(zip, path);
  if (entry.bytes > 64 * 2 ** 20)
    throw new TrailmixError('pack_unreadable', { where: path, message: `${path} is too large` });
  const parts: Uint8Array[] = [];
  for await (const part of zip.open(entry)) parts.push(part);
  return concat(...parts);
}
