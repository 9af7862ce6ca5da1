/**
 * What the EU's DSS library says of our containers: packs of every kind of signer, before and after stamping. Run by hand where Java 17
 * and Maven are (it takes DSS from Maven's repository): `node test/conformance/dss.ts`. Writes docs/conformance/dss.md.
 * Exit 0 all as wanted, 1 not, 2 no Java or Maven here.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { requestFor, stampPack } from '../../collector/evidence/stamping.ts';
import { createVault, type OpenVault, thisHost } from '../../collector/keys/vault.ts';
import { Authority, TSA } from '../pack/authority.ts';
import { busyLedger, makePack } from '../pack/packs.ts';

const folder = mkdtempSync(join(tmpdir(), 'trailmix-dss-'));
const run = (command: string, words: string[], cwd = folder): string =>
  execFileSync(command, words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

function needed(): void {
  for (const [command, word] of [
    ['java', '-version'],
    ['mvn', '-version'],
  ] as const) {
    try {
      run(command, [word]);
    } catch {
      console.error(`NOT RUN: ${command} is not here. Nothing was checked by DSS.`);
      rmSync(folder, { recursive: true });
      process.exit(2);
    }
  }
}

type Said = Record<string, string[]>;

function validate(classpath: string, pack: string, trusted: string[]): Said {
  const said: Said = {};
  for (const line of run('java', ['-cp', classpath, 'Dss', pack, ...trusted])
    .trim()
    .split('\n')) {
    const [name, ...rest] = line.split(' ');
    if (name === undefined) continue;
    said[name] ??= [];
    said[name].push(rest.join(' '));
  }
  return said;
}

/** What has to be so. `stamped`: the CAdES signature carries a time-stamp. */
function faults(said: Said, stamped: boolean): string[] {
  const wanted: [string, string][] = [
    ['container', 'ASiC-E'],
    ['signatures', '1'],
    ['file', 'META-INF/signature001.p7s'],
    ['intact', 'true'],
    ['valid', 'true'],
    ['format', stamped ? 'CAdES-BASELINE-T' : 'CAdES-BASELINE-B'],
    ['timestamps', stamped ? '1' : '0'],
  ];
  return wanted
    .filter(([name, value]) => said[name]?.join() !== value)
    .map(([name, value]) => `${name} is ${said[name]}, not ${value}`);
}

needed();
const build = join(folder, 'dss');
cpSync(join(import.meta.dirname, 'dss'), build, { recursive: true });
console.log('Building with Maven...');
run('mvn', ['-q', '-B', 'compile', 'dependency:build-classpath', '-Dmdep.outputFile=classpath'], build);
const classpath = [join(build, 'target/classes'), readFileSync(join(build, 'classpath'), 'utf8').trim()].join(
  delimiter,
);

const authority = new Authority(
  await mkdir(join(folder, 'ca'), { recursive: true }).then(() => join(folder, 'ca')),
  'Good',
);
authority.issue('tsa', 'rsa', TSA);
const root = join(authority.folder, 'Good-root.pem');

async function vaultOf(name: string): Promise<OpenVault> {
  const host = { ...thisHost, home: join(folder, 'home'), env: {} };
  return (await createVault({ folder: join(folder, name), custody: { kind: 'key_file' }, host })).vault;
}

const rows: string[] = [];
const found: string[] = [];
const ledger = busyLedger();
for (const kind of [
  'self-made RSA-3072',
  'authority rsa-3072',
  'authority p256',
  'authority p384',
] as const) {
  const name = kind.replace(' ', '-');
  const vault = await vaultOf(name);
  const key = kind.startsWith('authority') ? (kind.split(' ')[1] as 'p256') : undefined;
  let trusted = [root];
  if (key !== undefined) {
    const identity = await vault.identity();
    writeFileSync(join(authority.folder, `${name}.csr`), await identity.request({ common_name: kind }, key));
    authority.sign(name);
    await identity.importChain(authority.chain(name));
  }
  const signer = await vault.packSigner();
  if (key === undefined) {
    writeFileSync(join(folder, `${name}.pem`), signer.certificatePem);
    trusted = [root, join(folder, `${name}.pem`)];
  }
  const path = join(folder, `${name}.zip`);
  writeFileSync(path, await makePack(ledger, undefined, { signer, signedAt: new Date() }));
  for (const stamped of [false, true]) {
    if (stamped) {
      for (const what of ['signature', 'pack'] as const) {
        const request = await requestFor(path, what);
        await stampPack(path, { reply: authority.stamp('tsa', request), request, roots: authority.root });
      }
    }
    const said = validate(classpath, path, trusted);
    const wrong = faults(said, stamped);
    found.push(...wrong.map(one => `${kind}${stamped ? ', stamped' : ''}: ${one}`));
    const notes = [
      ...(said.error ?? []).map(one => `error: ${one}`),
      ...(said.warning ?? []).map(one => `warning: ${one}`),
    ];
    rows.push(
      `| ${kind} | ${stamped ? 'yes' : 'no'} | ${said.format} | ${said.intact} | ${said.valid} | ${said.indication} ${said.subindication} | ${notes.join('<br>') || '-'} |`,
    );
    console.log(rows.at(-1));
  }
}
const text = `# Packs as the EU's DSS library sees them

DSS 6.2 (\`dss-asic-cades\`), offline, with the test's own authority as trusted; written by \`node test/conformance/dss.ts\`.
Wanted and ${found.length === 0 ? 'found' : 'NOT found'}: an ASiC-E container with one signature, intact and valid, CAdES-BASELINE-B, and CAdES-BASELINE-T once
stamped. The indication is DSS's judgement by its default policy: an authority of a test has no revocation data to be found
offline, and a self-made certificate is no qualified one.

| signer | stamped | form | intact | valid | indication | DSS adds |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`;
await mkdir(join(import.meta.dirname, '../../docs/conformance'), { recursive: true });
writeFileSync(join(import.meta.dirname, '../../docs/conformance/dss.md'), text);
for (const one of found) console.error(one);
rmSync(folder, { recursive: true });
process.exitCode = found.length === 0 ? 0 : 1;
