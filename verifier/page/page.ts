/**
 * trailmix-verify.html: takes a pack and what its reader trusts, and says the four verdicts in plain words. The words are
 * those of the app's own Verify page. Rules: everything from a pack is written as text, never as markup; a check that was
 * overtaken by other files says nothing.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { DATED_LEAVES_OPEN, datedText } from '../../core/pack/dated.ts';
import type { Finding } from '../../core/pack/findings.ts';
import { checkpointOfPack } from '../../core/pack/older.ts';
import { type Place, shownText } from '../../core/pack/places.ts';
import { policyLines } from '../../core/pack/policy_words.ts';
import { factSentences } from '../../core/pack/query_words.ts';
import { sinceSentences } from '../../core/pack/since.ts';
import { trustFrom } from '../../core/pack/trust.ts';
import { type PackReport, verifyPack } from '../../core/pack/verify.ts';
import type { RandomAccess } from '../../core/pack/zip.ts';
import { browserHost, sourceOf } from '../../renderer/features/evidence/browser_host.ts';
import { buildConclusion, buildVerdicts, levelWords } from '../../renderer/features/evidence/verdicts.ts';

const find = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const form = find<HTMLFormElement>('files');
const status = find('status');
const progress = find<HTMLProgressElement>('progress');
const section = find('report');

const given: { pack?: File; trust: File[]; since?: File } = { trust: [] };

function make(name: string, text = '', className = ''): HTMLElement {
  const node = document.createElement(name);
  node.textContent = text;
  if (className !== '') node.className = className;
  return node;
}

/** PEM and JSON are what is trusted; the first zip is the pack, a second one the older one. */
function take(files: readonly File[]): void {
  for (const file of files) {
    if (!/\.zip$/i.test(file.name))
      given.trust = [...given.trust.filter(one => one.name !== file.name), file];
    else if (given.pack === undefined) given.pack = file;
    else given.since = file;
  }
  void run();
}

let latest = 0;

async function run(): Promise<void> {
  const { pack, trust, since } = given;
  if (pack === undefined) {
    status.textContent = trust.length > 0 ? 'Now the pack.' : '';
    return;
  }
  const number = ++latest;
  section.hidden = true;
  progress.hidden = false;
  status.textContent = `Checking ${pack.name} …`;
  try {
    const report = await check(pack, trust, since, (done, total) => {
      if (number === latest) progress.value = total === 0 ? 1 : done / total;
    });
    if (number !== latest) return;
    status.textContent = `Checked ${pack.name}.`;
    show(report, trust.length > 0);
  } catch (error) {
    if (number !== latest) return;
    status.textContent = error instanceof Error ? error.message : 'The file could not be read.';
  } finally {
    if (number === latest) progress.hidden = true;
  }
}

/** The page gets to draw between two large slices: it verifies on its own thread. */
function drawnBetween(file: File): RandomAccess {
  const source = sourceOf(file);
  return {
    size: source.size,
    async read(offset, length) {
      if (length >= 65_536) await new Promise(resolve => setTimeout(resolve));
      return source.read(offset, length);
    },
  };
}

async function check(
  pack: File,
  trust: readonly File[],
  since: File | undefined,
  onProgress: (done: number, total: number) => void,
): Promise<PackReport> {
  const files = new Map<string, Uint8Array>();
  for (const file of trust) files.set(file.name, new Uint8Array(await file.arrayBuffer()));
  const host = { ...(await browserHost()).host, onProgress };
  return verifyPack(drawnBetween(pack), host, {
    ...(files.size === 0 ? {} : { trust: trustFrom(sha256, files) }),
    ...(since === undefined ? {} : { since: await checkpointOfPack(sourceOf(since), host) }),
  });
}

function show(report: PackReport, trusted: boolean): void {
  const { tone, text } = buildConclusion(report.verdicts, trusted);
  const heading = make('h2', text, tone);
  heading.id = 'conclusion';
  section.replaceChildren(heading, facts(report));
  for (const { name, asks, result, word, sentence, findings } of buildVerdicts(report.verdicts)) {
    const box = make('div', '', `verdict ${result}`);
    box.append(make('span', word, 'word'), make('h3', `${name}: ${asks}`), make('p', sentence));
    if (findings.length > 0) box.append(list(findings));
    section.append(box);
  }
  if (report.since !== undefined) section.append(told('The older pack', sinceSentences(report.since)));
  section.append(...report.places.map(failing));
  if (report.dated.length > 0)
    section.append(told('When its records were there', [...report.dated.map(datedText), DATED_LEAVES_OPEN]));
  if (report.queries.length > 0)
    section.append(told('How whole the records are', factSentences(report.queries)));
  const details = make('details');
  const json = make('pre', JSON.stringify(report, undefined, 1));
  json.id = 'json';
  json.tabIndex = 0;
  details.append(make('summary', 'The whole report as JSON'), json);
  section.append(details);
  section.hidden = false;
  section.focus({ preventScroll: true });
}

/** The records that a failure points at, among their neighbours. */
function failing({ where, codes, records }: Place): HTMLElement {
  const box = make('div', '', 'facts');
  const items = make('ul');
  items.append(
    ...records
      .map(record => make(record.failing ? 'mark' : 'span', shownText(record)))
      .map(one => {
        const item = make('li');
        item.append(one);
        return item;
      }),
  );
  box.append(make('h3', `Where it fails: ${where} (${codes.join(', ')})`), items);
  return box;
}

/** Facts, not faults. */
function told(title: string, sentences: readonly string[]): HTMLElement {
  const box = make('div', '', 'facts');
  const items = make('ul');
  items.append(...sentences.map(sentence => make('li', sentence)));
  box.append(make('h3', title), items);
  return box;
}

function list(findings: readonly Finding[]): HTMLElement {
  const items = findings.map(({ level, message, code, where }) => {
    const item = make('li', `${levelWords[level]}: ${message} `);
    item.append(make('code', `${code}${where === '' ? '' : ` · ${where}`}`));
    return item;
  });
  const node = make('ul');
  node.append(...items);
  return node;
}

function facts({ origin, counts, stamps, policies }: PackReport): HTMLElement {
  const node = make('dl');
  if (origin === undefined) return node;
  const { app_id, scope, ledger_id, tenant_id, checkpoint, pack_id, signed_by } = origin;
  const rows: [string, string][] = [
    ['App', app_id],
    ['Received', `${scope.requested.from} to ${scope.requested.to}`],
    ['Records', String(counts.events)],
    ['Ledger', `${ledger_id} (tenant ${tenant_id}), ${checkpoint.size} records`],
    ['Pack id', pack_id],
    ...(signed_by === undefined ? [] : [['Signed by', signed_by.subject] as [string, string]]),
    ...stamps
      .filter(stamp => stamp.trusted)
      .map(
        stamp => ['Dated', `${stamp.over}: there by ${stamp.time} (${stamp.authority})`] as [string, string],
      ),
    ...policyLines(policies).map(line => ['Policy', line] as [string, string]),
  ];
  node.append(...rows.flatMap(([name, value]) => [make('dt', name), make('dd', value)]));
  return node;
}

for (const name of ['pack', 'trust', 'since'] as const) {
  find<HTMLInputElement>(name).addEventListener('change', event => {
    const files = [...((event.target as HTMLInputElement).files ?? [])];
    const [file] = files;
    if (name === 'trust') given.trust = files;
    else if (file === undefined) delete given[name];
    else given[name] = file;
    void run();
  });
}
form.addEventListener('submit', event => event.preventDefault());
addEventListener('dragover', event => {
  event.preventDefault();
  document.body.classList.add('over');
});
addEventListener('dragleave', () => document.body.classList.remove('over'));
addEventListener('drop', event => {
  event.preventDefault();
  document.body.classList.remove('over');
  take([...(event.dataTransfer?.files ?? [])]);
});
