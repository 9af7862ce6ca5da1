/** What a window claims: its edges, what lies behind it, streams, erased and withheld bodies, older packs. */
import { describe, expect, test } from 'vitest';
import { nodeHost } from '../../collector/evidence/verifier-host.ts';
import type { ExportRequest } from '../../collector/http/services.ts';
import { exitCode, type FindingCode, findingTable } from '../../core/pack/findings.ts';
import { verifyPack } from '../../core/pack/verify.ts';
import { hex, utf8 } from '../../core/proof/bytes.ts';
import { parseCheckpoint } from '../../core/proof/checkpoint.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { parseNote } from '../../core/proof/note.ts';
import { MemoryLedger, sha256 } from './memory-ledger.ts';
import {
  access,
  busyLedger,
  check,
  codesOf,
  gatedCall,
  linesOf,
  makePack,
  partsOf,
  reseal,
  setLines,
  trustOf,
  wholeWindow,
  zipOf,
} from './packs.ts';

/** What every pack of this version says besides. */
const ALWAYS = ['certificate_self_made', 'time_not_shown'];
const telling = (codes: string[]) => codes.filter(code => !ALWAYS.includes(code));
const failing = (codes: string[]) => codes.filter(code => findingTable[code as FindingCode].level === 'fail');

const ms = (n: number) => Date.UTC(2026, 10, 1) * 1000 + n * 1000;
const at = (n: number) => `2026-11-01T00:00:00.${String(n).padStart(3, '0')}Z`;
const window = (from: number, to: number): ExportRequest => ({
  app_id: 'bot',
  time_from: at(from),
  time_to: at(to),
});

function spans(ledger: MemoryLedger, ...times: number[]): void {
  for (const n of times) ledger.append({ at: ms(n), body: { name: `at ${n}` } });
}

describe('windows', () => {
  test('a window inside has both neighbours', async () => {
    const ledger = new MemoryLedger();
    spans(ledger, 10, 20, 30, 40, 50);
    const pack = await makePack(ledger, window(20, 40));
    const report = await check(pack, trustOf(ledger));
    expect(telling(codesOf(report))).toEqual([]);
    expect(report.counts.events).toBe(3);
    expect(exitCode(report.verdicts)).toBe(3);
    const heads = linesOf(await partsOf(pack), 'heads.jsonl').map(
      line => JSON.parse(line) as { role: string },
    );
    expect(heads.map(({ role }) => role)).toEqual(['before', 'after']);
  });

  test('an empty window is complete between its neighbours, and at the beginning', async () => {
    const ledger = new MemoryLedger();
    spans(ledger, 100, 200);
    const between = await check(await makePack(ledger, window(120, 150)), trustOf(ledger));
    expect(telling(codesOf(between))).toEqual([]);
    expect(between.counts.events).toBe(0);
    const before = await check(await makePack(ledger, window(10, 50)), trustOf(ledger));
    expect(telling(codesOf(before))).toEqual([]);
  });

  test('times are padded: a window that ends in a second holds all of it', async () => {
    const ledger = new MemoryLedger();
    ledger.append({ at: Date.UTC(2026, 10, 1, 0, 0, 5) * 1000 + 999_999 });
    ledger.append({ at: Date.UTC(2026, 10, 1, 0, 0, 6) * 1000 });
    const request = { ...wholeWindow, time_from: '2026-11-01T00:00:05Z', time_to: '2026-11-01T00:00:05Z' };
    const report = await check(await makePack(ledger, request), trustOf(ledger));
    expect(report.counts.events).toBe(1);
    expect(report.origin?.scope).toMatchObject({
      from: '2026-11-01T00:00:05.000000Z',
      to: '2026-11-01T00:00:05.999999Z',
    });
  });

  test('a pinned checkpoint before the next record does not show the end', async () => {
    const ledger = new MemoryLedger();
    spans(ledger, 10, 20);
    const { size } = await ledger.sign();
    spans(ledger, 30);
    const report = await check(await makePack(ledger, wholeWindow, { at: size }), trustOf(ledger));
    expect(telling(codesOf(report))).toEqual(['after_not_shown']);
    expect(report.verdicts.completeness.result).toBe('not_shown');
    expect(report.verdicts.integrity.result).toBe('pass');
  });

  test('a selection claims nothing about completeness', async () => {
    const ledger = new MemoryLedger();
    spans(ledger, 10, 20, 30);
    const parts = await partsOf(await makePack(ledger));
    parts.set('queries.jsonl', utf8(''));
    reseal(parts, manifest => ({ ...manifest, scope: { ...manifest.scope, by: 'session' } }));
    expect(telling(codesOf(await check(await zipOf(parts), trustOf(ledger))))).toEqual(['selection']);
  });

  test('parts can be left out, and the pack says which', async () => {
    const ledger = busyLedger();
    const pack = await makePack(ledger, { ...wholeWindow, include: ['traces'] });
    const parts = await partsOf(pack);
    for (const path of ['approvals.jsonl', 'evals.jsonl']) expect(parts.get(path)).toHaveLength(0);
    expect([...parts.keys()].some(path => path.startsWith('policies/'))).toBe(false);
    expect(failing(codesOf(await check(pack, trustOf(ledger))))).toEqual([]);
    expect(codesOf(await check(pack, trustOf(ledger)))).toContain('policy_files_absent');
  });
});

describe('what stands behind an approval', () => {
  test('its records outside the window travel along, and may be the neighbours', async () => {
    const ledger = new MemoryLedger();
    const policy = ledger.activate('package p\n');
    gatedCall(ledger, policy);
    const own = ledger.all.filter(({ app_id }) => app_id === 'bot');
    for (const [from, to] of [
      [2, 2],
      [1, 1],
      [3, 4],
      [0, 0],
      [4, 4],
    ] as const) {
      const request = { app_id: 'bot', time_from: own[from]!.received_at, time_to: own[to]!.received_at };
      const pack = await makePack(ledger, request);
      const report = await check(pack, trustOf(ledger));
      expect(telling(codesOf(report)), `${from}-${to}`).toEqual(['approval_unsigned']);
      expect(report.counts.events).toBe(to - from + 1);
      const extras = linesOf(await partsOf(pack), 'extras.jsonl').map(
        line => JSON.parse(line) as { app_id: string },
      );
      expect(extras.filter(({ app_id }) => app_id === 'bot')).toHaveLength(5 - (to - from + 1));
      expect(linesOf(await partsOf(pack), 'approvals.jsonl')).toHaveLength(1);
    }
  });

  test('each stage of an approval has its status', async () => {
    const ledger = new MemoryLedger();
    const policy = ledger.activate('package p\n');
    gatedCall(ledger, policy, { until: 'asked' });
    gatedCall(ledger, policy, { until: 'answered' });
    gatedCall(ledger, policy, { until: 'answered', verdict: 'deny' });
    gatedCall(ledger, policy, { until: 'used' });
    gatedCall(ledger, policy);
    const pack = await makePack(ledger);
    const lines = linesOf(await partsOf(pack), 'approvals.jsonl').map(line => JSON.parse(line) as JsonObject);
    expect(lines.map(({ status }) => status)).toEqual([
      'waiting',
      'approved',
      'denied',
      'consumed',
      'consumed',
    ]);
    expect(lines.map(({ signatures }) => signatures)).toEqual([[], [], [], [], []]);
    const report = await check(pack, trustOf(ledger));
    expect(failing(codesOf(report))).toEqual([]);
    expect(report.verdicts.identity.result).toBe('not_shown');
    expect(report.counts.approvals).toEqual({
      waiting: 1,
      approved: 1,
      denied: 1,
      expired: 0,
      consumed: 2,
      cancelled: 0,
    });
  });

  test('a policy too large for its record is followed into its blob', async () => {
    const ledger = new MemoryLedger();
    const policy = ledger.activate('package p\n');
    const record = ledger.all.at(-1)!;
    const text = jcs((record as JsonObject).policy);
    const digest = hex(sha256(utf8(text)));
    const other = new MemoryLedger();
    other.blobs.set(digest, utf8(text));
    const { seq } = other.append({
      app: '_ledger',
      type: 'policy.activated',
      body: {
        policy: { $blob: { sha256: digest, bytes: text.length, type: 'application/vnd.trailmix.jcs+json' } },
      },
    });
    other.versions.push({ ...policy, seq });
    gatedCall(other, policy, { result: 'allow' });
    expect(telling(codesOf(await check(await makePack(other), trustOf(other))))).toEqual([]);
  });
});

describe('bodies that are not there', () => {
  function erased(ledger: MemoryLedger, seq: number): void {
    ledger.append({ app: '_ledger', type: 'erasure.body', body: { erasure: { seq } } });
    const { hash_self, key_id, signature } = ledger.all[seq] as JsonObject;
    const head = Object.fromEntries(
      [
        'v',
        'ledger_id',
        'tenant_id',
        'seq',
        'app_id',
        'app_seq',
        'event_type',
        'ts',
        'received_at',
        'hash_prev',
        'body_hash',
      ].map(name => [name, (ledger.all[seq] as JsonObject)[name]!]),
    );
    ledger.all[seq] = { ...head, hash_self, key_id, signature } as never;
  }

  test('erased ones keep their place, and the erasure travels along', async () => {
    const ledger = new MemoryLedger();
    spans(ledger, 10, 20, 30);
    erased(ledger, 2);
    const report = await check(await makePack(ledger), trustOf(ledger));
    expect(telling(codesOf(report))).toEqual(['body_erased']);
    expect(report.verdicts.integrity.result).toBe('pass');
  });

  test('withheld ones are named by the manifest', async () => {
    const ledger = new MemoryLedger();
    spans(ledger, 10, 20, 30);
    const parts = await partsOf(await makePack(ledger));
    const lines = linesOf(parts, 'events.jsonl');
    const record = JSON.parse(lines[1]!) as JsonObject;
    const { hash_self, key_id, signature } = record as {
      hash_self: string;
      key_id: string;
      signature: string;
    };
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
    setLines(parts, 'events.jsonl', lines.toSpliced(1, 1));
    parts.set('queries.jsonl', utf8(''));
    setLines(parts, 'heads.jsonl', [
      jcs({ role: 'withheld', head, hash_self, key_id, signature }),
      ...linesOf(parts, 'heads.jsonl'),
    ]);
    reseal(parts, manifest => ({
      ...manifest,
      withheld: [{ seq: seq as number, hash_self, reason: 'privilege' }],
    }));
    expect(telling(codesOf(await check(await zipOf(parts), trustOf(ledger))))).toEqual(['body_withheld']);
    reseal(parts, manifest => ({ ...manifest, withheld: [] }));
    expect(codesOf(await check(await zipOf(parts), trustOf(ledger)))).toContain('body_missing');
  });
});

describe('streams', () => {
  const stream = (n: number) => ({ body: { stream: { id: 's', n } } });
  const table: [
    name: string,
    expected: string[],
    make: (ledger: MemoryLedger) => void,
    request?: ExportRequest,
  ][] = [
    [
      'whole and closed',
      [],
      ledger => {
        for (const n of [1, 2, 3]) ledger.append(stream(n));
        ledger.append({ ...stream(4), type: 'stream.end' });
      },
    ],
    [
      'out of order',
      [],
      ledger => {
        for (const n of [2, 4, 1, 3]) ledger.append(stream(n));
        ledger.append({ ...stream(5), type: 'stream.end' });
      },
    ],
    [
      'never closed',
      ['stream_open'],
      ledger => {
        for (const n of [1, 2]) ledger.append(stream(n));
      },
    ],
    [
      'dropped and reported',
      ['stream_dropped'],
      ledger => {
        ledger.append(stream(1));
        ledger.append({ type: 'gap', body: { input: { stream: 's', from: 2, to: 9 } } });
        ledger.append({ ...stream(10), type: 'stream.end' });
      },
    ],
    [
      'dropped, half of it reported',
      ['stream_dropped', 'stream_gap'],
      ledger => {
        ledger.append(stream(1));
        ledger.append({ type: 'gap', body: { input: { stream: 's', from: 2, to: 5 } } });
        ledger.append({ ...stream(10), type: 'stream.end' });
      },
    ],
    [
      'numbers after its end',
      ['stream_duplicate'],
      ledger => {
        ledger.append({ ...stream(1), type: 'stream.end' });
        ledger.append(stream(2));
      },
    ],
    [
      'begun before the window',
      ['stream_open'],
      ledger => {
        ledger.append({ at: ms(10), ...stream(1) });
        ledger.append({ at: ms(20), ...stream(2) });
        ledger.append({ at: ms(30), type: 'stream.end', ...stream(3) });
      },
      window(15, 60),
    ],
    [
      'two keys, one id',
      ['stream_open'],
      ledger => {
        ledger.append({ ...stream(1), source: { via: 'sdk', auth: 'key', key: 'k1' } });
        ledger.append({ ...stream(1), source: { via: 'sdk', auth: 'key', key: 'k2' } });
      },
    ],
  ];
  test.each(table)('%s: %j', async (_name, expected, make, request) => {
    const ledger = new MemoryLedger();
    make(ledger);
    expect(telling(codesOf(await check(await makePack(ledger, request), trustOf(ledger))))).toEqual(expected);
  });
});

describe('an older pack', () => {
  const sinceOf = async (pack: Uint8Array) =>
    parseCheckpoint(parseNote((await partsOf(pack)).get('checkpoint.note')!).text);

  test('is a beginning of the later one', async () => {
    const ledger = busyLedger();
    const old = await makePack(ledger);
    spans(ledger, 500);
    const pack = await makePack(ledger);
    const report = await check(pack, trustOf(ledger), { trust: trustOf(ledger), since: await sinceOf(old) });
    expect(failing(codesOf(report))).toEqual([]);
    expect(codesOf(report)).not.toContain('since_missing');
  });

  test('of a history that was rewritten fails', async () => {
    const ledger = busyLedger();
    await makePack(ledger);
    const since = { ...(await sinceOf(await makePack(ledger))), root: new Uint8Array(32) };
    spans(ledger, 500);
    const pack = await makePack(ledger);
    const report = await check(pack, trustOf(ledger), { trust: trustOf(ledger), since });
    expect(codesOf(report)).toContain('since_inconsistent');
    expect(report.verdicts.completeness.result).toBe('fail');
  });

  test('without a proof is not shown, and of another ledger neither', async () => {
    const ledger = busyLedger();
    const since = await sinceOf(await makePack(ledger));
    spans(ledger, 500);
    const pack = await makePack(ledger);
    const codes = async (change: object) =>
      codesOf(await check(pack, undefined, { trust: trustOf(ledger), since: { ...since, ...change } }));
    expect(await codes({ size: since.size - 1 })).toContain('since_missing');
    expect(await codes({ origin: 'trailmix.invalid/00000000000000000000000000000000/default' })).toContain(
      'epoch_changed',
    );
  });
});

test('a pack with more approvals than a verifier may keep is refused', async () => {
  const pack = await makePack(busyLedger());
  const verify = (approvalLimit: number) => verifyPack(access(pack), { ...nodeHost(1), approvalLimit });
  await expect(verify(1000)).rejects.toMatchObject({ code: 'pack_unreadable' });
  expect((await verify(100_000)).verdicts.integrity.result).toBe('not_shown');
});
