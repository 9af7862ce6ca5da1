/**
 * What was found about a pack, told to a person or as JSON: the words of `trailmix verify` and of the single-file verifier.
 */
import { access } from 'node:fs/promises';
import { TrailmixError } from '../core/api/errors.ts';
import type { PackSigner } from '../core/pack/cms.ts';
import { DATED_LEAVES_OPEN, datedText } from '../core/pack/dated.ts';
import { exitCode, type Finding, VERDICTS, type Verdicts } from '../core/pack/findings.ts';
import { shownText } from '../core/pack/places.ts';
import { plainText } from '../core/pack/plain_text.ts';
import { policyLines } from '../core/pack/policy_words.ts';
import { factSentences } from '../core/pack/query_words.ts';
import { sinceSentences } from '../core/pack/since.ts';
import type { PackReport } from '../core/pack/verify.ts';
import { type ExitCode, type Output, textOf } from './command.ts';
import { type PackHost, reportOf } from './verify_thread.ts';

/** Characters of a line. */
const MOST_SAID = 4000;

const words: Record<string, string> = { pass: 'PASS', fail: 'FAIL', not_shown: 'NOT SHOWN' };
const level: Record<Finding['level'], string> = { fail: 'fail', not_shown: 'not shown', warning: 'warning' };

export function showVerdicts(out: Output, verdicts: Verdicts): void {
  for (const name of VERDICTS) {
    const { result, findings } = verdicts[name];
    out.say(`${name.padEnd(12)}  ${words[result]}`);
    for (const finding of findings) {
      out.say(
        `  ${level[finding.level]}: ${finding.message} [${finding.code}${finding.where === '' ? '' : ` ${finding.where}`}]`,
      );
    }
  }
}

function showSigner(out: Output, signer: PackSigner): void {
  const made = signer.self_made ? 'self-made' : `issued by ${signer.issuer}`;
  out.say(`signed by ${signer.subject} (${made}; valid until ${signer.valid_until.slice(0, 10)})`);
  if (signer.revocation !== 'unknown') out.say(`  revocation: ${signer.revocation}`);
}

/** The records that the first failures point at, marked, among their neighbours. */
export function showPlaces(out: Output, { places }: Pick<PackReport, 'places'>): void {
  if (places.length === 0) return;
  out.say('Where it fails:');
  for (const { where, codes, records } of places) {
    out.say(`  ${where} [${codes.join(' ')}]`);
    for (const record of records) out.say(`    ${record.failing ? '>' : ' '} ${shownText(record)}`);
  }
}

/** How whole the records are: facts, not faults. */
function showFacts(out: Output, { queries }: PackReport): void {
  if (queries.length === 0) return;
  out.say('Of the records:');
  for (const sentence of factSentences(queries)) out.say(`  ${sentence}`);
}

/** What is known of when, by outside parties. */
function showTimes(out: Output, { stamps, dated }: PackReport): void {
  const good = stamps.filter(({ trusted }) => trusted);
  if (good.length === 0) return;
  out.say('When, by outside parties:');
  for (const range of dated) out.say(`  ${datedText(range)}`);
  for (const { over, time, authority } of good.filter(({ over }) => over !== 'checkpoint'))
    out.say(
      `  The ${over === 'pack' ? 'whole pack' : 'signature over it'} was there by ${time} (${authority}).`,
    );
  out.say(`  ${DATED_LEAVES_OPEN}`);
}

function showWitnesses(out: Output, { witnesses }: PackReport): void {
  for (const { name, size, time } of witnesses)
    out.say(`  ${name} cosigned the first ${size} records at ${time} (its own clock)`);
}

function showPolicies(out: Output, { policies }: PackReport): void {
  if (policies.length > 0) out.say('Policies in force:');
  for (const line of policyLines(policies)) out.say(`  ${line}`);
}

function show(terminal: Output, path: string, report: PackReport, trusted: boolean): void {
  // Whoever made the pack chose its texts: none of them may steer the terminal.
  const out: Output = { ...terminal, say: line => terminal.say(plainText(line, MOST_SAID)) };
  out.json(report);
  const { origin, counts } = report;
  if (origin !== undefined) {
    const { from, to } = origin.scope.requested;
    out.say(`${path}: ${counts.events} events of ${origin.app_id}, ${from} to ${to}`);
    out.say(`pack id ${origin.pack_id}`);
    if (origin.signed_by !== undefined) showSigner(out, origin.signed_by);
  }
  showVerdicts(out, report.verdicts);
  if (report.since !== undefined) for (const sentence of sinceSentences(report.since)) out.say(sentence);
  showPlaces(out, report);
  showFacts(out, report);
  showTimes(out, report);
  showWitnesses(out, report);
  showPolicies(out, report);
  if (!trusted) out.say('Keys were taken from the pack itself: get them another way and add --trust DIR.');
}

/** Checks one pack and says what was found; answers the exit code. Throws usage and pack_unreadable. */
export async function checkAndShow(
  path: string | undefined,
  values: Parameters<typeof textOf>[0],
  out: Output,
  host: PackHost,
): Promise<ExitCode> {
  if (path === undefined) throw new TrailmixError('usage', { message: 'Name the pack to verify' });
  await access(path).catch(() => {
    throw new TrailmixError('pack_unreadable', { where: path, message: `${path} is not there` });
  });
  const [trust, since] = [textOf(values, 'trust'), textOf(values, 'since')];
  const given = { ...(trust === undefined ? {} : { trust }), ...(since === undefined ? {} : { since }) };
  const report = await reportOf({ path, ...given, host });
  show(out, path, report, trust !== undefined);
  return exitCode(report.verdicts);
}

/** What both commands take. */
export const packOptions = { trust: { type: 'string' }, since: { type: 'string' } } as const;
export const packHelp = {
  '--trust DIR': 'the folder of `trailmix keys trust`, got by another way than the pack',
  '--since OLD': 'an older pack of the same app: is it a beginning of this one?',
};
