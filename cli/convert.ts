/**
 * `trailmix convert`: the events of a pack in a format that other tools read. Streams; memory does not grow with the pack, but for
 * attesta with its approvals. It verifies nothing but that what it reads is what the pack's list names: `trailmix verify` comes first.
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
import { Courses } from '../core/formats/attesta.ts';
import { csvHead, csvLine } from '../core/formats/csv.ts';
import { ocsfLine } from '../core/formats/ocsf.ts';
import { LineError, lineBatches } from '../core/pack/lines.ts';
import { CHECKSUMS, ManifestError, parseChecksums } from '../core/pack/manifest.ts';
import { openZip, type Zip, ZipError } from '../core/pack/zip.ts';
import { concat } from '../core/proof/bytes.ts';
import { type JsonObject, jcs } from '../core/proof/jcs.ts';
import { type Command, need } from './command.ts';

/** Records of a file of the pack, in batches, in its order; throws once it has ended and was not the file that the pack lists. */
type Read = (path: string) => AsyncGenerator<JsonObject[], void>;
type Format = {
  readonly head: string;
  /** Lines with their ends, one for each event of the format. */
  readonly lines: (read: Read) => AsyncGenerator<string[], void>;
};

const EVENTS = 'events.jsonl';
/** Whole records behind approvals and activations that lie outside of the pack's window. */
const EXTRAS = 'extras.jsonl';

const eachRecord = (line: (record: JsonObject) => string): Format['lines'] =>
  async function* (read) {
    for await (const records of read(EVENTS)) yield records.map(line);
  };

/** Twice over the records: first what came of the decisions, then the decisions, in their order. */
async function* attestaLines(read: Read): AsyncGenerator<string[], void> {
  const courses = new Courses();
  for (const path of [EVENTS, EXTRAS])
    for await (const records of read(path)) for (const record of records) courses.note(record);
  for (const path of [EVENTS, EXTRAS])
    for await (const records of read(path))
      yield records
        .map(record => courses.event(record))
        .filter(event => event !== undefined)
        .map(event => `${jcs(event as unknown as JsonObject)}\n`);
}

const FORMATS: Record<string, Format> = {
  csv: { head: csvHead(), lines: eachRecord(csvLine) },
  ocsf: { head: '', lines: eachRecord(record => ocsfLine(record, VERSION)) },
  attesta: { head: '', lines: attestaLines },
};

export const convertCommand: Command = {
  summary:
    'The events of an evidence pack as CSV, OCSF or Attesta’s, for spreadsheets, SIEMs and other readers.',
  usage: 'PACK --to csv|ocsf|attesta --out FILE',
  examples: [
    'trailmix convert november.zip --to csv --out november.csv',
    'trailmix convert november.zip --to ocsf --out november.ocsf.jsonl',
    'trailmix convert november.zip --to attesta --out november.attesta.jsonl',
  ],
  options: { to: { type: 'string' }, out: { type: 'string' } },
  help: {
    '--to FORMAT':
      'csv (RFC 4180, no cell is a formula), ocsf (1.8.0, API Activity, a JSON object a line) or attesta (what was decided, a JSON object a line)',
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
    const listed = parseChecksums(await whole(zip, CHECKSUMS));
    const read: Read = async function* (path) {
      const hash = createHash('sha256');
      const chunks = async function* (): AsyncGenerator<Uint8Array, void> {
        for await (const chunk of zip.open(entryOf(zip, path))) {
          hash.update(chunk);
          yield chunk;
        }
      };
      for await (const lines of lineBatches(chunks()))
        yield lines.map(line => JSON.parse(line) as JsonObject);
      if (hash.digest('hex') !== listed.get(path))
        throw new TrailmixError('pack_unreadable', {
          where: path,
          message: `${path} is not the file that the pack lists: verify the pack`,
        });
    };
    let count = 0;
    sink.write(format.head);
    for await (const lines of format.lines(read)) {
      count += lines.length;
      if (!sink.write(lines.join(''))) await once(sink, 'drain');
    }
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
    // What was still to be written is given up: that is no failure of its own.
    sink.on('error', () => {});
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
