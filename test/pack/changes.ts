/**
 * What can be done to a pack, or to a history before it is packed, with the finding that must name it. The tests and
 * the published vectors are made from these tables.
 */
import type { FindingCode } from '../../core/pack/findings.ts';
import { concat, utf8 } from '../../core/proof/bytes.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { hashSelf, headOf } from '../../core/proof/record.ts';
import { type MemoryLedger, newKey, sha256 } from './memory-ledger.ts';
import { gatedCall, linesOf, type Parts, setLines, textOf } from './packs.ts';

/** Changes one line of a .jsonl file as an object. */
function edit(
  parts: Parts,
  path: string,
  find: (value: JsonObject) => boolean,
  change: (value: JsonObject) => JsonObject,
): void {
  const lines = linesOf(parts, path);
  const at = lines.findIndex(line => find(JSON.parse(line) as JsonObject));
  if (at < 0) throw new Error(`no such line in ${path}`);
  lines[at] = jcs(change(JSON.parse(lines[at]!) as JsonObject));
  setLines(parts, path, lines);
}

function flip(parts: Parts, path: string, at: number, bits: number): void {
  parts.get(path)![at]! ^= bits;
}

/** As much of a report as the verifier reads. */
const pdfWith = (figures: string): Uint8Array =>
  utf8(
    `%PDF-1.7\n1 0 obj\n<<\n/TrailmixFigures 1\n/Length ${figures.length}\n>>\nstream\n${figures}\nendstream\nendobj\n`,
  );

/** Changes to an exported pack, which is then listed, hashed and signed anew by its maker. */
export const changes: [
  name: string,
  code: FindingCode,
  change: (parts: Parts) => void,
  manifest?: (manifest: JsonObject) => object,
][] = [
  [
    'a removed event',
    'app_seq_gap',
    parts => setLines(parts, 'events.jsonl', linesOf(parts, 'events.jsonl').toSpliced(2, 1)),
  ],
  [
    'a removed event without proof of its place',
    'proof_wrong',
    parts => setLines(parts, 'events.jsonl', linesOf(parts, 'events.jsonl').toSpliced(2, 1)),
  ],
  [
    'the last event removed',
    'app_seq_gap',
    parts => setLines(parts, 'events.jsonl', linesOf(parts, 'events.jsonl').slice(0, -1)),
  ],
  [
    'an event changed and hashed anew',
    'signature_wrong',
    parts =>
      edit(
        parts,
        'events.jsonl',
        e => e.name === 'step 2',
        e => {
          const head = { ...headOf(e), ts: '2026-11-01T00:00:09.000000Z' };
          return { ...e, ts: head.ts, hash_self: hashSelf(sha256, head) };
        },
      ),
  ],
  [
    'an event changed and hashed anew: the root',
    'root_wrong',
    parts =>
      edit(
        parts,
        'events.jsonl',
        e => e.name === 'step 2',
        e => {
          const head = { ...headOf(e), ts: '2026-11-01T00:00:09.000000Z' };
          return { ...e, ts: head.ts, hash_self: hashSelf(sha256, head) };
        },
      ),
  ],
  [
    'an added event',
    'beyond_checkpoint',
    parts => {
      const lines = linesOf(parts, 'events.jsonl');
      const last = JSON.parse(lines.at(-1)!) as JsonObject;
      setLines(parts, 'events.jsonl', [
        ...lines,
        jcs({ ...last, seq: (last.seq as number) + 9, app_seq: (last.app_seq as number) + 1 }),
      ]);
    },
  ],
  [
    'a duplicated event',
    'seq_twice',
    parts => {
      const lines = linesOf(parts, 'events.jsonl');
      setLines(parts, 'events.jsonl', lines.toSpliced(3, 0, lines[3]!));
    },
  ],
  [
    'reordered events',
    'seq_order',
    parts => {
      const lines = linesOf(parts, 'events.jsonl');
      [lines[2], lines[3]] = [lines[3]!, lines[2]!];
      setLines(parts, 'events.jsonl', lines);
    },
  ],
  [
    'a changed body',
    'body_hash_wrong',
    parts =>
      edit(
        parts,
        'events.jsonl',
        e => e.name === 'step 2',
        e => ({ ...e, name: 'step two' }),
      ),
  ],
  [
    'a changed head',
    'head_hash_wrong',
    parts =>
      edit(
        parts,
        'events.jsonl',
        e => e.name === 'step 2',
        e => ({ ...e, ts: '2026-11-01T00:00:09.000000Z' }),
      ),
  ],
  [
    'an exchanged signature',
    'signature_wrong',
    parts => {
      const [, , other] = linesOf(parts, 'events.jsonl').map(line => JSON.parse(line) as JsonObject);
      edit(
        parts,
        'events.jsonl',
        e => e.name === 'step 1',
        e => ({ ...e, signature: other!.signature! }),
      );
    },
  ],
  [
    'another key',
    'key_wrong',
    parts =>
      edit(
        parts,
        'events.jsonl',
        e => e.name === 'step 1',
        e => ({ ...e, key_id: 'ab'.repeat(32) }),
      ),
  ],
  [
    'a body missing without erasure',
    'body_missing',
    parts =>
      edit(
        parts,
        'events.jsonl',
        e => e.name === 'step 2',
        e => {
          const kept = [
            'app_id',
            'app_seq',
            'body_hash',
            'event_type',
            'hash_prev',
            'ledger_id',
            'received_at',
            'seq',
            'tenant_id',
            'ts',
            'v',
            'hash_self',
            'key_id',
            'signature',
          ];
          return Object.fromEntries(Object.entries(e).filter(([name]) => kept.includes(name)));
        },
      ),
  ],
  [
    'a body said to be erased, which no erasure says',
    'body_missing',
    parts => {
      const lines = linesOf(parts, 'events.jsonl');
      const record = JSON.parse(lines[2]!) as JsonObject;
      setLines(parts, 'events.jsonl', lines.toSpliced(2, 1));
      const {
        app_id,
        app_seq,
        body_hash,
        event_type,
        hash_prev,
        ledger_id,
        received_at,
        seq,
        tenant_id,
        ts,
        v,
      } = record;
      const head = {
        app_id,
        app_seq,
        body_hash,
        event_type,
        hash_prev,
        ledger_id,
        received_at,
        seq,
        tenant_id,
        ts,
        v,
      } as JsonObject;
      const { hash_self, key_id, signature } = record as {
        hash_self: string;
        key_id: string;
        signature: string;
      };
      const heads = [
        ...linesOf(parts, 'heads.jsonl'),
        jcs({ role: 'erased', head, hash_self, key_id, signature }),
      ];
      heads.sort(
        (a, b) =>
          (JSON.parse(a) as { head: { seq: number } }).head.seq -
          (JSON.parse(b) as { head: { seq: number } }).head.seq,
      );
      setLines(parts, 'heads.jsonl', heads);
    },
  ],
  [
    'a line that is not canonical',
    'line_form',
    parts =>
      parts.set('events.jsonl', utf8(textOf(parts, 'events.jsonl').replace('{"app_id"', '{ "app_id"'))),
  ],
  ['a line that is not UTF-8', 'line_form', parts => flip(parts, 'events.jsonl', 20, 0x80)],
  [
    'a last line that does not end',
    'line_form',
    parts => parts.set('events.jsonl', parts.get('events.jsonl')!.subarray(0, -1)),
  ],
  [
    'an event of another app',
    'record_foreign',
    parts =>
      edit(
        parts,
        'events.jsonl',
        e => e.name === 'step 1',
        e => ({ ...e, app_id: 'other' }),
      ),
  ],
  ['no boundary after', 'after_not_shown', parts => setLines(parts, 'heads.jsonl', [])],
  [
    'the opening of the ledger left out',
    'keys_missing',
    parts => setLines(parts, 'extras.jsonl', linesOf(parts, 'extras.jsonl').slice(1)),
  ],
  [
    'an extra record that nothing calls for',
    'extra_unknown',
    parts => {
      const lines = linesOf(parts, 'events.jsonl');
      setLines(parts, 'events.jsonl', lines.slice(1));
      setLines(parts, 'extras.jsonl', [
        ...linesOf(parts, 'extras.jsonl').slice(0, 2),
        lines[0]!,
        ...linesOf(parts, 'extras.jsonl').slice(2),
      ]);
    },
  ],
  [
    'an exchanged policy text',
    'policy_hash_wrong',
    parts => {
      const path = [...parts.keys()].find(name => name.startsWith('policies/'))!;
      parts.set(path, utf8('package trailmix\n\ndefault decision := {"result": "allow"}\n'));
    },
  ],
  [
    'an exchanged policy whose listing was changed with it',
    'policy_hash_wrong',
    parts => {
      const policies = JSON.parse(textOf(parts, 'policies.json')) as {
        policies: { wasm_sha256: string }[];
      };
      policies.policies[0]!.wasm_sha256 = 'ab'.repeat(32);
      parts.set('policies.json', utf8(jcs(policies as never)));
    },
  ],
  ['no policy', 'policy_missing', parts => parts.set('policies.json', utf8(jcs({ v: 1, policies: [] })))],
  [
    'an approval that says more than its records',
    'derived_wrong',
    parts =>
      edit(
        parts,
        'approvals.jsonl',
        () => true,
        a => ({ ...a, status: 'approved' }),
      ),
  ],
  ['approvals emptied', 'derived_wrong', parts => parts.set('approvals.jsonl', new Uint8Array(0))],
  [
    'an eval changed',
    'derived_wrong',
    parts => parts.set('evals.jsonl', utf8(textOf(parts, 'evals.jsonl').replace('0.92', '0.99'))),
  ],
  [
    'an eval left out',
    'derived_wrong',
    parts => setLines(parts, 'evals.jsonl', linesOf(parts, 'evals.jsonl').slice(1)),
  ],
  [
    'something in a file that must be empty',
    'derived_wrong',
    parts => parts.set('disclosures.jsonl', utf8('{}\n')),
  ],
  [
    'a missing blob',
    'blob_missing',
    parts => void parts.delete([...parts.keys()].find(name => name.startsWith('blobs/'))!),
  ],
  [
    'an exchanged blob',
    'blob_wrong',
    parts =>
      void parts.set([...parts.keys()].find(name => name.startsWith('blobs/'))!, utf8('{"text":"other"}')),
  ],
  [
    'a proof line left out',
    'proof_wrong',
    parts =>
      setLines(parts, 'proofs/multiproof.jsonl', linesOf(parts, 'proofs/multiproof.jsonl').slice(0, -1)),
  ],
  [
    'a proof line changed',
    'root_wrong',
    parts => {
      const lines = linesOf(parts, 'proofs/multiproof.jsonl');
      const [level, index] = JSON.parse(lines[1]!) as [number, number];
      lines[1] = `[${level},${index},"${Buffer.alloc(32, 7).toString('base64')}"]`;
      setLines(parts, 'proofs/multiproof.jsonl', lines);
    },
  ],
  [
    'another checkpoint in the manifest',
    'checkpoint_wrong',
    () => {},
    manifest => ({
      ...manifest,
      checkpoint: { size: (manifest.checkpoint as { size: number }).size, root: 'ab'.repeat(32) },
    }),
  ],
  [
    'a checkpoint.sig of something else',
    'checkpoint_files_differ',
    parts => flip(parts, 'checkpoint.sig', 5, 1),
  ],
  [
    'a wider window in the manifest',
    'before_missing',
    () => {},
    manifest => ({ ...manifest, scope: { ...(manifest.scope as object), first_app_seq: 2 } }),
  ],
  [
    'a wider request in the manifest than the window',
    'scope_wrong',
    () => {},
    manifest => ({
      ...manifest,
      scope: {
        ...(manifest.scope as object),
        requested: { from: '2020-01-01T00:00:00Z', to: '2026-12-31T23:59:59Z' },
      },
    }),
  ],
  [
    'a narrower window in the manifest',
    'out_of_scope',
    () => {},
    manifest => ({
      ...manifest,
      scope: { ...(manifest.scope as object), from: '2026-11-01T00:00:00.005000Z' },
    }),
  ],
  [
    'a key file that is no key of the ledger',
    'key_file_wrong',
    parts => {
      const path = [...parts.keys()].find(name => name.startsWith('keys/'))!;
      parts.set(path, utf8('-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n'));
    },
  ],
  [
    'a hash that is a list with a number of many digits',
    'record_form',
    parts =>
      edit(
        parts,
        'events.jsonl',
        e => e.name === 'step 2',
        e => ({ ...e, hash_self: [-406736947665808260, 1.5e-7, 1e21] }),
      ),
  ],
  [
    'a reference to a large value that is no reference',
    'body_hash_wrong',
    parts =>
      edit(
        parts,
        'events.jsonl',
        e => e.name === 'step 2',
        e => ({ ...e, input: { $blob: {} } }),
      ),
  ],
  [
    'a version that is true',
    'policy_form',
    parts =>
      parts.set(
        'policies.json',
        utf8(jcs({ ...(JSON.parse(textOf(parts, 'policies.json')) as JsonObject), v: true })),
      ),
  ],
  [
    'figures in the report that are not those of the records',
    'report_figures_wrong',
    parts => parts.set('summary.pdf', pdfWith('{"records":14,"runs":1,"v":1}')),
  ],
  [
    'figures in the report twice',
    'report_figures_wrong',
    parts => parts.set('summary.pdf', concat(pdfWith('{"v":1}'), pdfWith('{"v":1}'))),
  ],
  [
    'figures of a later version in the report',
    'report_figures_unchecked',
    parts => parts.set('summary.pdf', pdfWith('{"v":2}')),
  ],
];

/** Histories that are wrong, though their maker holds every key. */
const spans = (into: MemoryLedger, count: number) => {
  for (let i = 0; i < count; i++) into.append({ body: { name: `step ${i}` } });
};
export const histories: [name: string, code: FindingCode, make: (into: MemoryLedger) => void][] = [
  [
    'a re-chained tail',
    'chain_broken',
    into => {
      spans(into, 3);
      into.append({ hashPrev: 'ab'.repeat(32) });
      spans(into, 2);
    },
  ],
  [
    'a gap in app_seq',
    'app_seq_gap',
    into => {
      spans(into, 3);
      into.append({ appSeq: 6 });
      spans(into, 2);
    },
  ],
  [
    'an app_seq that falls',
    'app_seq_falls',
    into => {
      spans(into, 3);
      into.append({ appSeq: 2 });
    },
  ],
  [
    'a time that falls',
    'time_falls',
    into => {
      spans(into, 3);
      into.append({ at: Date.UTC(2026, 10, 1) * 1000 + 10 });
      into.append({ at: Date.UTC(2026, 10, 2) * 1000 });
    },
  ],
  [
    'a record under an old key',
    'key_wrong',
    into => {
      const old = into.eventKey;
      into.rotate();
      into.append({ key: old });
      spans(into, 1);
    },
  ],
  [
    'a rotation that the new key did not sign',
    'key_rotation_wrong',
    into => {
      spans(into, 1);
      into.rotate(true);
      spans(into, 1);
    },
  ],
  ['a record under a stranger', 'key_wrong', into => into.append({ key: newKey() })],
  [
    'a reserved type from a producer',
    'reserved_type',
    into => into.append({ type: 'policy.activated', source: { via: 'sdk', auth: 'key', key: 'k1' } }),
  ],
  ['events without a key', 'unkeyed_events', into => into.append({ source: { via: 'otlp', auth: 'none' } })],
  [
    'a number that a producer left out',
    'stream_gap',
    into => {
      for (const n of [1, 2, 4]) into.append({ body: { stream: { id: 's', n } } });
    },
  ],
  [
    'a number that a producer used twice',
    'stream_duplicate',
    into => {
      for (const n of [1, 2, 2]) into.append({ body: { stream: { id: 's', n } } });
    },
  ],
  [
    'a decision under no policy',
    'policy_unrecorded',
    into => gatedCall(into, { version: 1, hash: 'ab'.repeat(32) }, { result: 'allow' }),
  ],
  [
    'a decision under a policy no longer in force',
    'policy_unrecorded',
    into => {
      const first = into.activate('package a\n');
      into.activate('package b\n');
      gatedCall(into, first, { result: 'allow' });
    },
  ],
  [
    'other arguments than were digested',
    'args_digest_wrong',
    into => gatedCall(into, into.activate('p\n'), { decision: { args_digest: 'ab'.repeat(32) } }),
  ],
  [
    'an approval of another action',
    'approval_binding_wrong',
    into => gatedCall(into, into.activate('p\n'), { binding: { action: 'other' } }),
  ],
  [
    'an answer to another binding',
    'approval_answer_wrong',
    into => gatedCall(into, into.activate('p\n'), { answer: { binding_hash: 'ab'.repeat(32) } }),
  ],
  [
    'a use after a refusal',
    'intent_wrong',
    into => gatedCall(into, into.activate('p\n'), { verdict: 'deny' }),
  ],
  [
    'a use of what was not answered with yes',
    'intent_wrong',
    into => gatedCall(into, into.activate('p\n'), { decision: { result: 'deny' } }),
  ],
  [
    'a use with another nonce',
    'intent_wrong',
    into => gatedCall(into, into.activate('p\n'), { intent: { nonce: 'ab'.repeat(32) } }),
  ],
  [
    'a use after its time',
    'intent_wrong',
    into => gatedCall(into, into.activate('p\n'), { binding: { expires_at: '2026-11-01T00:00:00.000000Z' } }),
  ],
  [
    'an outcome of a denied call',
    'outcome_wrong',
    into => {
      gatedCall(into, into.activate('p\n'), { result: 'deny' });
      const decision = into.all.at(-1)!.event_id as string;
      into.append({
        type: 'outcome.recorded',
        body: { status: 'ok', outcome: { decision_id: decision, outcome: 'ok' } },
      });
    },
  ],
  [
    'a call that was asked about and ran without its answer',
    'outcome_wrong',
    into => {
      gatedCall(into, into.activate('p\n'), { until: 'asked' });
      const decision = into.all.at(-1)!.parent_id as string;
      into.append({
        type: 'outcome.recorded',
        body: { status: 'ok', outcome: { decision_id: decision, outcome: 'ok' } },
      });
    },
  ],
  [
    'an outcome of another intent',
    'outcome_wrong',
    into => gatedCall(into, into.activate('p\n'), { outcome: { decision_id: 'dec_x' } }),
  ],
];
