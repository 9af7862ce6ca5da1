/** Gathers what summary.pdf tells from a pack whose records have passed. */

import type { RecordView } from '../../../core/api/views.ts';
import { Findings } from '../../../core/pack/findings.ts';
import { PolicyStatements } from '../../../core/pack/policy_statements.ts';
import { policyWords } from '../../../core/pack/policy_words.ts';
import type { JsonObject } from '../../../core/proof/jcs.ts';
import { sha256 } from '../../sha256.ts';
import type { PackContents } from '../pack-contents.ts';
import type { PackPlan } from '../pack-writer.ts';
import type { ReadmeFacts } from '../readme.ts';
import { readmeText } from '../readme.ts';
import type { PackSource, PolicyVersion } from '../source.ts';
import { diffSources } from './diff.ts';
import type { ReportFacts, ReportPolicy } from './facts.ts';

/** Versions of which the summary tells more than their number and hash. */
const VERSIONS = 12;

export async function reportFacts(
  source: PackSource,
  plan: PackPlan,
  contents: PackContents,
  given: {
    readonly policies: readonly PolicyVersion[];
    /** Records of extras.jsonl. */
    readonly extras: readonly RecordView[];
    readonly readme: ReadmeFacts;
    /** Hex SHA-256 of the signing certificate. */
    readonly certificate: string;
    readonly continues: readonly number[];
    readonly anchors: number;
  },
): Promise<ReportFacts> {
  const { window, checkpoint, scope, custody, version } = plan;
  const [head] = await source.records(checkpoint.size - 1, checkpoint.size - 1);
  const { issuer, restored } = given.readme;
  const hasSources = window.include.includes('policies');
  return {
    ledgerId: source.ledgerId,
    ...(restored === undefined ? {} : { restored }),
    tenantId: source.tenantId,
    appId: window.appId,
    requested: window.requested,
    from: window.from,
    to: window.to,
    firstAppSeq: scope.firstAppSeq,
    lastAppSeq: scope.lastAppSeq,
    firstSeq: scope.firstSeq,
    lastSeq: scope.lastSeq,
    hasBefore: scope.before !== undefined || scope.firstAppSeq === 1,
    hasAfter: scope.after !== undefined,
    checkpoint: { size: checkpoint.size, root: checkpoint.root, at: checkpoint.at },
    chainHead: { seq: checkpoint.size - 1, hash: head?.hash_self ?? '' },
    custody,
    certificate: { sha256: given.certificate, ...(issuer === undefined ? {} : { issuer }) },
    policies: await policiesOf(source, given.policies, hasSources, wordsOf(source, contents, given.extras)),
    hasSources,
    blobs: contents.blobs.size,
    erased: contents.erased.length,
    continues: given.continues,
    anchors: given.anchors,
    approvalsIn: window.include.includes('approvals') ? 'approvals.jsonl' : 'events.jsonl',
    wholeness: given.readme.facts,
    steps: stepsOf(readmeText(given.readme)),
    figures: contents.figures.figures(contents.approvals.told()),
    version,
  };
}

/** Who stands behind each activation, by its seq; what the records say, checked by the collector when it recorded them. */
function wordsOf(
  { ledgerId, tenantId }: PackSource,
  { approvals }: PackContents,
  extras: readonly RecordView[],
): Map<number, string> {
  const statements = new PolicyStatements({
    sha256,
    place: { ledger_id: ledgerId, tenant_id: tenantId },
    people: approvals.people,
    signatures: { push() {} },
  });
  const findings = new Findings();
  for (const record of extras) statements.take(record as JsonObject, false, '', findings);
  statements.finish(findings);
  return new Map(statements.inForce.map(one => [one.seq, policyWords(one)]));
}

/** The newest ones, by version, each with what it changed. */
async function policiesOf(
  source: PackSource,
  versions: readonly PolicyVersion[],
  hasSources: boolean,
  words: ReadonlyMap<number, string>,
): Promise<ReportPolicy[]> {
  const told: ReportPolicy[] = [];
  const first = Math.max(0, versions.length - VERSIONS);
  for (const [i, { version, hash, seq, files }] of versions.entries()) {
    if (i < first) continue;
    const [activation] = await source.records(seq, seq);
    const before = versions[i - 1];
    told.push({
      version,
      hash,
      seq,
      at: activation?.received_at ?? '',
      files: files.length,
      words: words.get(seq) ?? '',
      ...(before === undefined || !hasSources ? {} : { diff: diffSources(before.files, files) }),
    });
  }
  return told;
}

/** The numbered steps of README-VERIFY.txt: their titles, and the lines after `$`. */
export function stepsOf(readme: string): ReportFacts['steps'] {
  const steps: { title: string; commands: string[] }[] = [];
  for (const line of readme.split('\n')) {
    const title = /^\d+\. (.+)$/.exec(line)?.[1];
    if (title !== undefined) steps.push({ title, commands: [] });
    else if (line.startsWith('    $ ')) steps.at(-1)?.commands.push(line.slice(6));
  }
  return steps;
}
