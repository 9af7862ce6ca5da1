/** Our toolchain and engine beside the real `opa` of the same version. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPolicyEngine } from '../../collector/policy/engine.ts';
import { type OpaBundleOptions, readOpaBundle } from '../../collector/policy/opa_bundle.ts';
import { createToolchain, type RegoFile, type Toolchain } from '../../collector/policy/toolchain.ts';
import { call, capabilities, toolchainDir } from '../policy/workshop.ts';
import { type Opa, realOpa } from './opa.ts';

const root = join(import.meta.dirname, '../..');
const opa = await realOpa();
let toolchain: Toolchain;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'trailmix-conformance-'));
  toolchain = await createToolchain({ dir: toolchainDir, capabilities, deadlineMs: 60_000 });
});
afterAll(async () => {
  await toolchain.close();
  await rm(dir, { recursive: true });
});

async function regoIn(folder: string, under = ''): Promise<RegoFile[]> {
  const names = (await readdir(join(folder, under))).filter(name => name.endsWith('.rego')).sort();
  return Promise.all(
    names.map(async name => {
      const path = join(under, name);
      return { path, text: await readFile(join(folder, path), 'utf8') };
    }),
  );
}
const policies = async (): Promise<RegoFile[]> => {
  const folder = join(root, 'policies');
  return [...(await regoIn(folder)), ...(await regoIn(folder, 'library'))];
};

async function laid(name: string, files: RegoFile[]): Promise<string> {
  const at = join(dir, name);
  for (const { path, text } of files) {
    await mkdir(dirname(join(at, path)), { recursive: true });
    await writeFile(join(at, path), text);
  }
  return at;
}

const compared = opa as Opa;

type SubResults = Record<string, { fail?: boolean; sub_results?: SubResults }>;
type OpaTest = {
  package: string;
  name: string;
  location: { file: string; row: number };
  fail?: boolean;
  skip?: boolean;
  error?: unknown;
  output?: string;
  sub_results?: SubResults;
};

describe.runIf(opa !== null)('opa test (needs its Go modules)', () => {
  test.each([
    ['policies/', policies, 80],
    ['a corpus of edge cases', () => regoIn(join(root, 'test/conformance/corpus')), 25],
  ] as const)('agrees with our runner on %s', async (name, read, least) => {
    const files = await read();
    const folder = await laid(name.replaceAll('/', ''), files);
    const answer = await compared(['test', '--format=json', '.'], folder);
    const theirs = (JSON.parse(answer.stdout) as OpaTest[])
      .map(one => ({
        test: `${one.package}.${one.name}`,
        place: `${one.location.file}:${one.location.row}`,
        outcome: one.error !== undefined ? 'error' : one.skip ? 'skip' : one.fail ? 'fail' : 'pass',
        output: Buffer.from(one.output ?? '', 'base64').toString(),
        cases: Object.entries(one.sub_results ?? {})
          .map(([name, { fail }]) => ({ name, ...(fail ? { failed: true } : {}) }))
          .sort((a, b) => (a.name < b.name ? -1 : 1)),
      }))
      .sort((a, b) => (a.test < b.test ? -1 : 1));
    const ours = await toolchain.test(files);
    if (!ours.ok) throw new Error(JSON.stringify(ours.errors));
    expect(
      ours.tests
        .map(one => ({
          test: `${one.package}.${one.name}`,
          place: `${one.path}:${one.row}`,
          outcome: one.outcome,
          output: one.output ?? '',
          cases: one.cases ?? [],
        }))
        .sort((a, b) => (a.test < b.test ? -1 : 1)),
    ).toEqual(theirs);
    expect(theirs.length).toBeGreaterThanOrEqual(least);

    const covered = await compared(['test', '--coverage', '--format=json', '.'], folder);
    // A failing test leaves no report on stdout.
    if (theirs.every(({ outcome }) => outcome === 'pass')) {
      const report = JSON.parse(covered.stdout);
      expect(ours.coverage).toMatchObject({
        coverage: report.coverage,
        covered_lines: report.covered_lines,
        not_covered_lines: report.not_covered_lines ?? 0,
      });
    } else {
      expect(new Set(theirs.map(({ outcome }) => outcome))).toEqual(
        new Set(['pass', 'fail', 'error', 'skip']),
      );
    }
  });

  test('opa fmt and opa check find nothing in what ships', async () => {
    const folder = await laid('formatted', await policies());
    expect(await compared(['fmt', '--list', '--fail', '.'], folder)).toMatchObject({ code: 0, stdout: '' });
    const checked = await compared(
      ['check', '--strict', '--capabilities', join(root, 'policies/capabilities.json'), '.'],
      folder,
    );
    expect(checked).toMatchObject({ code: 0 });
  });
});

describe.runIf(opa !== null)('opa build -t wasm (needs its Go modules)', () => {
  const DATA = {
    settings: { policies: ['refunds', 'wires', 'destructive'] },
    note: 'é <&> \u2028',
    n: 1.5,
    big: 1e21,
  };

  const bundle = async (name: string, flags: string[], files?: RegoFile[]): Promise<Buffer> => {
    const sources = (files ?? (await policies())).filter(({ path }) => !path.endsWith('_test.rego'));
    const folder = await laid(name, [...sources, { path: 'data.json', text: JSON.stringify(DATA) }]);
    const out = join(dir, `${name}.tar.gz`);
    const answer = await compared(
      ['build', '-t', 'wasm', '-e', 'trailmix/decision', '-o', out, ...flags, '-b', '.'],
      folder,
    );
    expect(answer).toMatchObject({ code: 0 });
    return readFile(out);
  };
  const read = (bytes: Uint8Array, more: Partial<OpaBundleOptions> = {}) =>
    readOpaBundle(bytes, { capabilities, version: 7, ...more });

  test('a bundle built by someone’s own opa loads, and decides as opa eval does', async () => {
    const { bundle: loaded, signature } = read(await bundle('plain', []));
    expect(signature).toBeUndefined();
    const engine = await createPolicyEngine({ bundle: loaded });
    try {
      const inputs = [
        call('issue_refund', { amount: 750 }),
        call('issue_refund', { amount: 20_000 }),
        call('send_wire', { amount: 12_000, iban: 'DE00' }),
        call('delete_user', { id: '*' }),
        call('read', {}),
      ];
      await writeFile(join(dir, 'inputs.json'), JSON.stringify({ inputs }));
      const answer = await compared([
        'eval',
        '--format=raw',
        '-d',
        join(dir, 'plain'),
        '-d',
        join(dir, 'inputs.json'),
        '[d | some i in data.inputs; d := data.trailmix.decision with input as i]',
      ]);
      const expected = JSON.parse(answer.stdout) as unknown[];
      expect(expected).toHaveLength(inputs.length);
      for (const [index, input] of inputs.entries()) {
        const outcome = await engine.decide(input);
        expect(outcome.failed).toBeUndefined();
        expect(outcome.policy).toEqual({ version: 7, hash: loaded.hash });
        const { required, ...words } = expected[index] as Record<string, unknown>;
        expect(outcome).toMatchObject(words);
        if (required !== undefined) expect(outcome.required).toEqual(required);
      }
    } finally {
      await engine.close();
    }
  });

  test('one that wants a function of its host is refused by that name, and the policy in force stays', async () => {
    const foreign = await bundle(
      'foreign',
      [],
      [
        {
          path: 'p.rego',
          text: 'package trailmix\n\ndecision := {"result": "allow", "reasons": [sprintf("%d", [time.now_ns()])]}\n',
        },
      ],
    );
    const { bundle: loaded } = read(foreign);
    const engine = await createPolicyEngine({ bundle: null });
    try {
      await expect(engine.activate(loaded)).rejects.toMatchObject({
        code: 'policy_invalid',
        message: expect.stringMatching(/not allowed: .*(sprintf|time\.now_ns)/),
      });
      expect(engine.active()).toBeNull();
    } finally {
      await engine.close();
    }
  });

  test.each([
    ['RS256', 'rsa'],
    ['PS384', 'rsa'],
    ['ES256', 'ec'],
    ['HS512', 'secret'],
  ] as const)('a bundle signed by %s is checked', async (alg, kind) => {
    const secret = 'a shared secret of some length';
    const pair =
      kind === 'secret'
        ? null
        : kind === 'rsa'
          ? generateKeyPairSync('rsa', { modulusLength: 2048 })
          : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signing = join(dir, `${alg}.pem`);
    const type = kind === 'ec' ? 'sec1' : 'pkcs1';
    if (pair !== null) await writeFile(signing, pair.privateKey.export({ format: 'pem', type }));
    const key = pair === null ? secret : String(pair.publicKey.export({ format: 'pem', type: 'spki' }));
    const signed = await bundle(`signed-${alg}`, [
      '--signing-alg',
      alg,
      '--signing-key',
      pair === null ? secret : signing,
    ]);
    expect(read(signed, { key }).signature).toMatchObject({ alg, keyId: 'default' });
    expect(() => read(signed)).toThrow('no key was given');
    expect(() => read(signed, { key, scope: 'write' })).toThrow('scope');
    const other =
      kind === 'secret'
        ? 'another secret'
        : String(
            generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
              format: 'pem',
              type: 'spki',
            }),
          );
    expect(() => read(signed, { key: other })).toThrow('does not hold');
    expect(() => read(signed, { key: kind === 'secret' ? other.repeat(2) : secret })).toThrow(
      'The bundle cannot be used',
    );
  });

  test('an unsigned bundle is not taken for a signed one, nor a changed file for the signed one', async () => {
    const secret = 'a shared secret of some length';
    expect(() => read(Buffer.from('not gzip'))).toThrow('no gzip file');
    const plain = await bundle('unsigned', []);
    expect(() => read(plain, { key: secret })).toThrow('it is not signed');
    const signed = await bundle('tampered', ['--signing-alg', 'HS256', '--signing-key', secret]);
    const { gunzipSync, gzipSync } = await import('node:zlib');
    const tar = gunzipSync(signed);
    const at = tar.indexOf('refund > ');
    tar.write('rEfund', at);
    expect(() => read(gzipSync(tar), { key: secret })).toThrow(/is not the one that was signed/);
    expect(() => read(gzipSync(tar.subarray(0, 2000)), { key: secret })).toThrow('cut off');
    expect(() => read(plain, { entrypoint: 'trailmix/other' })).toThrow('no Wasm module for trailmix/other');
  });
});
