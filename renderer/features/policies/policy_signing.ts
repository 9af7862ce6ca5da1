/**
 * Saving and activating, signed by the person once people are enrolled (docs/spec/policy.md, "Statement"). Rule: the page
 * signs what it computed itself from the texts that it holds, and only when the collector names the same.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { InputOf, OutputOf } from '../../../core/api/operations.ts';
import type { Environment, PolicyFile } from '../../../core/api/policy_views.ts';
import type { SessionView } from '../../../core/api/views.ts';
import { hex, utf8 } from '../../../core/proof/bytes.ts';
import {
  impactMessage,
  type PolicyStatement,
  policyMessage,
  sourcesSha256,
} from '../../../core/proof/policy.ts';
import { call } from '../../api/client.ts';
import { refusal } from '../../api/problem.ts';
import { ensureUnlocked, signer } from '../../api/signer.ts';

/** Times have the form of `received_at`: six digits. */
const at = (): string => new Date().toISOString().replace('Z', '000Z');

export const sourcesOf = (files: readonly PolicyFile[]): string =>
  sourcesSha256(
    bytes => sha256(bytes),
    files.map(({ path, text }) => ({ path, sha256: hex(sha256(utf8(text))) })),
  );

type Signed<S> = { statement: S; signature: string } | Record<never, never>;

/** Nothing while nobody is enrolled; undefined when the reader did not unlock the key. */
async function signed<S>(
  me: SessionView,
  why: string,
  make: (who: { at: string; by: string; by_key_id: string; ledger_id: string; tenant_id: string }) => S,
  message: (statement: S) => Uint8Array,
): Promise<Signed<S> | undefined> {
  if (me.person === undefined) return {};
  if (!(await ensureUnlocked(why))) return undefined;
  const { ledger_id, tenant_id } = me;
  const statement = make({ at: at(), by: me.person.id, by_key_id: signer.keyId(), ledger_id, tenant_id });
  return { statement, signature: await signer.sign(message(statement)) };
}

export type Prepared = OutputOf<'preparePolicySet'>;
export type BundleInput = InputOf<'preparePolicyBundle'>;

/** The statement of a save, signed over these texts. Undefined when the reader cancelled. */
function savedBy(
  me: SessionView,
  files: readonly PolicyFile[],
  message: string,
  named: { policy_hash: string; sources_sha256: string | undefined },
): ReturnType<typeof signed<PolicyStatement>> {
  const sources_sha256 = sourcesOf(files);
  if (named.sources_sha256 !== sources_sha256)
    throw refusal(
      'policy_invalid',
      'The collector prepared other texts than those on this page. Nothing was signed.',
    );
  const { policy_hash } = named;
  return signed<PolicyStatement>(
    me,
    'To sign the policy set.',
    who => ({ act: 'save', environment: '', message, policy_hash, replaces: '', sources_sha256, ...who }),
    policyMessage,
  );
}

/** Undefined when the reader cancelled. Throws what the collector refuses. */
export async function saveSet(
  me: SessionView,
  files: readonly PolicyFile[],
  message: string,
  { policy_hash, sources_sha256 }: Prepared,
): Promise<OutputOf<'savePolicySet'> | undefined> {
  if (policy_hash === undefined) throw refusal('policy_invalid');
  const proof = await savedBy(me, files, message, { policy_hash, sources_sha256 });
  if (proof === undefined) return undefined;
  return call('savePolicySet', { input: { files: [...files], message, ...proof } });
}

/** A bundle as a set. The page does not open it itself: what is signed are the texts that the collector read in it. */
export async function saveBundle(
  me: SessionView,
  input: BundleInput,
  message: string,
  read: OutputOf<'preparePolicyBundle'>,
): Promise<OutputOf<'savePolicySet'> | undefined> {
  const proof = await savedBy(me, read.files, message, read);
  if (proof === undefined) return undefined;
  return (await call('importPolicyBundle', { input: { ...input, message, ...proof } })).set;
}

/** Undefined when the reader cancelled. The set's own texts say what is signed. */
export async function activateSet(
  me: SessionView,
  given: { environment: Environment; hash: string; message: string; replaces: string },
): Promise<OutputOf<'activatePolicySet'> | undefined> {
  const { environment, hash, message, replaces } = given;
  const set = me.person === undefined ? undefined : await call('policySet', { params: { hash } });
  const sources = set === undefined ? '' : sourcesOf(set.files);
  const proof = await signed<PolicyStatement>(
    me,
    `To put the policy set in force in ${environment}.`,
    who => ({
      act: 'activate',
      environment,
      message,
      policy_hash: hash,
      replaces,
      sources_sha256: sources,
      ...who,
    }),
    policyMessage,
  );
  if (proof === undefined) return undefined;
  return call('activatePolicySet', { params: { environment }, input: { hash, message, replaces, ...proof } });
}

/** Undefined when the reader cancelled. */
export async function saveImpactReport(
  me: SessionView,
  job: { id: string; report_sha256?: string },
  message: string,
): Promise<OutputOf<'saveImpact'> | undefined> {
  const { report_sha256 } = job;
  if (report_sha256 === undefined) throw refusal('impact_unfinished');
  const proof = await signed(
    me,
    'To sign the impact report.',
    who => ({ report_sha256, ...who }),
    impactMessage,
  );
  if (proof === undefined) return undefined;
  return call('saveImpact', { params: { id: job.id }, input: { message, ...proof } });
}
