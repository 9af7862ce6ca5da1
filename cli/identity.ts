/** `trailmix keys identity show|csr|import|self`: the certificate that signs packs. */
import { readFile, writeFile } from 'node:fs/promises';
import { TrailmixError } from '../core/api/errors.ts';
import type { InputOf, OutputOf } from '../core/api/operations.ts';
import { type Caller, withCollector } from './collector_for.ts';
import { type ExitCode, type Invocation, need, type Output, textOf } from './command.ts';
import { secretFrom } from './secret_prompt.ts';

type Identity = OutputOf<'certificate'>;
type KeyKind = InputOf<'certificateSelf'>['key'];
const KINDS: readonly KeyKind[] = ['p256', 'p384', 'rsa-3072', 'rsa-4096'];

export const identityOptions = {
  key: { type: 'string' },
  'common-name': { type: 'string' },
  organization: { type: 'string' },
  unit: { type: 'string' },
  locality: { type: 'string' },
  country: { type: 'string' },
  chain: { type: 'string' },
  crl: { type: 'string' },
} as const;

export const identityHelp = {
  '--key KIND': `of identity csr and self: ${KINDS.join(', ')} (default p256)`,
  '--common-name N, --organization N, --unit N, --locality N, --country CC': 'what the certificate calls you',
  '--chain FILE': 'of identity import: certificates that the file lacks, the root among them (PEM)',
  '--crl FILE': 'of identity show: revocation lists of the authority (PEM)',
};

function kindOf(text: string | undefined): KeyKind {
  const kind = KINDS.find(one => one === (text ?? 'p256'));
  if (kind !== undefined) return kind;
  const why = text?.toLowerCase() === 'ed25519' ? ': stock OpenSSL 3.0 checks no Ed25519 in CMS' : '';
  throw new TrailmixError('usage', {
    where: '--key',
    message: `${text} is none of ${KINDS.join(', ')}${why}`,
  });
}

/** Throws usage where it cannot be read. */
export const bytesOfFile = (file: string): Promise<Buffer> =>
  readFile(file).catch(error => {
    throw new TrailmixError('usage', { where: file, message: `${file} cannot be read (${error.code})` });
  });

function show(out: Output, identity: Identity): void {
  out.json(identity);
  const made =
    identity.kind === 'self-made'
      ? 'self-made: nobody vouches for this name'
      : `issued by ${identity.issuer}`;
  out.say(`${identity.subject}`);
  out.say(`  ${made}`);
  for (const one of identity.chain.slice(1)) out.say(`  under ${one}`);
  out.say(`  key          ${identity.key}`);
  out.say(`  certificate  SHA-256 ${identity.certificate_sha256}`);
  out.say(
    `  valid        ${identity.valid_from} to ${identity.valid_until}${identity.expired ? ' (EXPIRED)' : ''}`,
  );
  const revoked = identity.revoked_at === undefined ? '' : ` since ${identity.revoked_at}`;
  out.say(
    `  revocation   ${identity.revocation === 'unknown' ? 'not checked (--crl FILE)' : identity.revocation}${revoked}`,
  );
  if (identity.request !== undefined)
    out.say('  A request waits for its certificate: trailmix keys identity import FILE');
}

async function request({ values, out }: Invocation, { call }: Caller): Promise<void> {
  const file = need(values, 'out');
  const part = (option: string, name: 'organization' | 'unit' | 'locality' | 'country') => {
    const value = textOf(values, option);
    return value === undefined ? {} : { [name]: value };
  };
  const made = await call('certificateRequest', {
    input: {
      key: kindOf(textOf(values, 'key')),
      common_name: need(values, 'common-name'),
      ...part('organization', 'organization'),
      ...part('unit', 'unit'),
      ...part('locality', 'locality'),
      ...part('country', 'country'),
    },
  });
  await writeFile(file, made.request);
  out.json({ out: file, request: made.request });
  out.say(`Wrote ${file}. The key stays in the vault. Carry the file to the authority, then:`);
  out.say('  trailmix keys identity import ANSWER.pem [--chain CHAIN.pem]');
}

async function take({ values, out }: Invocation, { call }: Caller, file: string | undefined): Promise<void> {
  if (file === undefined)
    throw new TrailmixError('usage', { message: 'Name the file: keys identity import FILE' });
  const bytes = await bytesOfFile(file);
  const chain = textOf(values, 'chain');
  const more = chain === undefined ? '' : (await bytesOfFile(chain)).toString('latin1');
  const text = bytes.toString('latin1');
  const input = text.includes('-----BEGIN CERTIFICATE-----')
    ? { pem: `${text}\n${more}` }
    : {
        pkcs12: bytes.toString('base64'),
        password: await secretFrom('TRAILMIX_PKCS12_PASSWORD', `Password of ${file}`),
        ...(more === '' ? {} : { pem: more }),
      };
  show(out, await call('certificateImport', { input }));
}

/** `words`: what follows `keys identity`. */
export async function identity(
  invocation: Invocation,
  custody: { keyFile?: string },
  [verb = 'show', file]: readonly string[],
): Promise<ExitCode> {
  const { values, out } = invocation;
  if (file !== undefined && verb !== 'import')
    throw new TrailmixError('usage', { where: file, message: `${file} is one word too many` });
  const key = verb === 'self' || verb === 'csr' ? kindOf(textOf(values, 'key')) : 'p256';
  await withCollector(invocation.data, custody, async caller => {
    const { call } = caller;
    switch (verb) {
      case 'show': {
        const crl = textOf(values, 'crl');
        if (crl === undefined) return show(out, await call('certificate'));
        const crls = (await bytesOfFile(crl)).toString('latin1');
        return show(out, await call('certificateCheck', { input: { crls } }));
      }
      case 'csr':
        return request(invocation, caller);
      case 'import':
        return take(invocation, caller, file);
      case 'self': {
        const name = textOf(values, 'common-name');
        const input = { key, ...(name === undefined ? {} : { common_name: name }) };
        return show(out, await call('certificateSelf', { input }));
      }
      default:
        throw new TrailmixError('usage', {
          where: verb,
          message: `keys identity has no ${verb}: show, csr, import or self`,
        });
    }
  });
  return 0;
}
