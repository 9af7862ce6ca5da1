import { describe, expect, test } from 'vitest';
import { readSeqs, reasonFault } from '../../renderer/features/evidence/withhold.ts';
import { tabsFor } from '../../renderer/features/settings/settings_view.ts';
import { wordsOfUse } from '../../renderer/features/settings/signing/key_uses.ts';
import {
  buildRules,
  daysOf,
  keptFor,
  previewSentence,
} from '../../renderer/features/settings/signing/retention_view.ts';
import {
  addressFault,
  buildAnchors,
  type Clock,
  failureWords,
  type Identity,
  identitySentences,
  importInput,
  jumpWords,
  moved,
  offsetWords,
  pairOf,
  pemText,
  scheduleData,
  sinceLastStamp,
  sourceWords,
} from '../../renderer/features/settings/signing/signing_view.ts';
import {
  vkeyFault,
  witnessFile,
  witnessNameFault,
  witnessReach,
} from '../../renderer/features/settings/signing/witness_view.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const identity: Identity = {
  kind: 'authority',
  subject: 'CN=Evidence',
  issuer: 'CN=Issuing',
  certificate_sha256: '00'.repeat(32),
  key: 'ECDSA P-256',
  valid_from: '2026-01-01T00:00:00Z',
  valid_until: '2027-01-01T00:00:00Z',
  expired: false,
  revocation: 'unknown',
  chain: ['CN=Issuing', 'CN=Root'],
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the identity in sentences', () => {
  const tones = (more: Partial<Identity>) =>
    identitySentences({ ...identity, ...more }, NOW).map(({ tone }) => tone);
  test('worst first; what is fine is one plain sentence', () => {
    expect(identitySentences(identity, NOW)).toEqual([
      { tone: 'plain', text: 'CN=Issuing vouches for this name.' },
    ]);
    expect(tones({ revocation: 'revoked', expired: true })).toEqual(['deny', 'deny', 'plain']);
    expect(tones({ valid_until: '2026-12-04T13:00:00Z' })).toEqual(['ask', 'plain']);
    expect(identitySentences({ ...identity, kind: 'self-made' }, NOW)[0]!.text).toMatch(/^Self-made\./);
  });
});

describe('files', () => {
  test('DER is put into PEM, PEM stays as it is', () => {
    expect(pemText(Uint8Array.of(1, 2, 3), 'X509 CRL')).toBe(
      '-----BEGIN X509 CRL-----\nAQID\n-----END X509 CRL-----\n',
    );
    expect(pemText(bytes('-----BEGIN CERTIFICATE-----\nAA=='), 'CERTIFICATE')).toMatch(/AA==\n$/);
  });
  test('PKCS#12 goes with its password, and with what it lacks', () => {
    const pem = '-----BEGIN CERTIFICATE-----\n';
    expect(
      importInput(
        [
          { name: 'a.P12', bytes: bytes('x') },
          { name: 'c.pem', bytes: bytes(pem) },
        ],
        'geheim',
      ),
    ).toEqual({
      pem,
      pkcs12: 'eA==',
      password: 'geheim',
    });
    expect(importInput([{ name: 'c.pem', bytes: bytes(pem) }], '')).toEqual({ pem });
  });
  test('a reply comes with its request', () => {
    expect(pairOf([])).toMatch(/\.tsr/);
    expect(pairOf([{ name: 'a.tsr', bytes: bytes('r') }])).toMatch(/\.tsq/);
    expect(
      pairOf([
        { name: 'a.TSQ', bytes: bytes('q') },
        { name: 'a.tsr', bytes: bytes('r') },
      ]),
    ).toEqual({
      request: 'cQ==',
      reply: 'cg==',
    });
  });
});

describe('authorities', () => {
  test('addresses', () => {
    expect(addressFault('https://tsa.example.org/tsr', [])).toBeUndefined();
    for (const text of ['tsa.example.org', 'ftp://a/', 'https://me:pw@a/'])
      expect(addressFault(text, [])).toBeDefined();
    expect(addressFault('https://a/', ['https://a/'])).toMatch(/already/);
  });
  test('failures without codes', () => {
    expect(failureWords('getaddrinfo ENOTFOUND tsa')).toMatch(/^no computer/);
    expect(failureWords('connect ECONNREFUSED 127.0.0.1:9')).toMatch(/^nobody/);
    expect(failureWords('The operation was aborted due to timeout')).toMatch(/in time$/);
    expect(failureWords('it answered 404')).toBe('it answered 404');
  });
  test('order and schedule', () => {
    expect(moved(['a', 'b', 'c'], 2, -1)).toEqual(['a', 'c', 'b']);
    expect(moved(['a', 'b'], 0, -1)).toEqual(['a', 'b']);
    expect(scheduleData(24)).toHaveLength(5);
    expect(scheduleData(36).at(-1)).toEqual({ value: '36', label: 'Every 36 hours' });
  });
});

test('stamps say by when, and how much is left to the clock', () => {
  const items = [
    { seq: 60, size: 60, time: '2026-11-22T12:00:00Z', authority: 'CN=tsa', policy: '1' },
    { seq: 42, size: 42, time: '2026-11-22T07:00:00Z', authority: 'CN=tsa', policy: '1' },
  ];
  expect(buildAnchors({ items, total: 2, size: 61 })).toMatchObject([
    { records: '#42 to #59', after: '2026-11-22T07:00:00Z', within: '5 h' },
    { records: '#0 to #41', within: 'no stamp before it' },
  ]);
  expect(sinceLastStamp({ items, total: 2, size: 63 })).toContain('newest 3 records');
  expect(sinceLastStamp({ items: [], total: 0, size: 7 })).toContain('all 7 records');
});

test('the clock in words', () => {
  const clock: Clock = { now: '2026-11-22T12:00:00Z', source: '', jumps: [], jumps_total: 0 };
  const off = (ms: number): Clock => ({
    ...clock,
    offset: { ms, within_ms: 600, at: clock.now, by: 'CN=tsa' },
  });
  expect(offsetWords(clock)).toMatch(/^not measured/);
  expect(offsetWords(off(-200))).toBe('right to within 0.6 s');
  expect(offsetWords(off(4200))).toBe('4.2 s behind, known to within 0.6 s');
  expect(offsetWords(off(-4200))).toMatch(/^4\.2 s ahead/);
  expect(sourceWords(clock)).toMatch(/^not known/);
  expect(sourceWords({ ...clock, source: 'NTP', synchronised: false })).toBe(
    'NTP; the system says that it is not synchronised',
  );
  expect(jumpWords({ seq: 1, at: clock.now, kind: 'back', ms: 90_000 })).toMatch(/^back, by/);
});

test('witnesses', () => {
  const vkey = 'example.org/audit+0a1b2c3d+BAAA';
  expect(vkeyFault(vkey, [])).toBeUndefined();
  expect(vkeyFault('audit', [])).toBeDefined();
  expect(vkeyFault(vkey, [vkey])).toMatch(/already/);
  expect(witnessNameFault('example.org/audit')).toBeUndefined();
  expect(witnessNameFault('my audit')).toBeDefined();
  expect(witnessReach({ name: 'a', vkey }, 9)).toBe('Has cosigned nothing yet.');
  expect(witnessReach({ name: 'a', vkey, last: { size: 4, time: '', seq: 1 } }, 9)).toBe(
    'Cosigned the first 4 records; 5 records came since.',
  );
  expect(witnessFile('example.org/audit', 12, 'ask')).toBe('example.org_audit-12.ask');
});

test('retention', () => {
  expect(buildRules({ b: 30, a: 365, c: 0 })).toEqual([
    { app: 'a', days: 365 },
    { app: 'b', days: 30 },
  ]);
  expect(daysOf(' 180 ')).toEqual({ days: 180 });
  for (const text of ['', '0', '1.5', '99999']) expect(daysOf(text)).toHaveProperty('fault');
  expect(keptFor(730)).toBe('2 years');
  expect(previewSentence({ bodies: 1, held: 2 })).toBe(
    '1 body would be erased. 2 more records wait until an open approval ends.',
  );
});

test('withheld bodies as people write their numbers', () => {
  expect(readSeqs('#4,711, 12 14-16;12')).toEqual({ seqs: [12, 14, 15, 16, 4711] });
  for (const text of ['', 'x', '9-3', '0-5000']) expect(readSeqs(text)).toHaveProperty('fault');
  expect(reasonFault(' ')).toBeDefined();
});

test('uses of the key', () => {
  const record = { seq: 3, event_type: 'export.completed', export: { app_id: 'bot', events: 2, by: 'ada' } };
  expect(wordsOfUse(record as never)).toEqual({ what: 'Signed a pack of bot, 2 events', by: 'ada' });
  expect(
    wordsOfUse({
      event_type: 'key.identity',
      name: 'Certificate imported',
      key: { subject: 'CN=a' },
      by: 'ada',
    } as never),
  ).toEqual({ what: 'Certificate imported: CN=a', by: 'ada' });
});

test('who may not see has no tab', () => {
  const me = (roles: string[]) =>
    ({ alone: false, roles, tenant_id: 'default', tenants: [], person: 'p' }) as never;
  expect(tabsFor(me(['approver']))).not.toContain('witnesses');
  expect(tabsFor(me(['approver']))).not.toContain('retention');
  expect(tabsFor(me(['approver']))).toContain('signing');
  expect(tabsFor(me(['admin']))).toEqual(expect.arrayContaining(['signing', 'witnesses', 'retention']));
});
