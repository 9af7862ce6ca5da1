/** A certificate authority and a time-stamping authority of one's own, by stock openssl in a folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sequence, small } from '../../collector/evidence/der.ts';

export const opensslIn =
  (folder: string) =>
  (...words: string[]): string =>
    execFileSync('openssl', words, { cwd: folder, stdio: 'pipe', encoding: 'utf8' });

/** Both as openssl ca takes them: 20200101000000Z. */
type Dates = { from: string; to: string };

/** Root and intermediate, `<name>-root.pem` and `<name>-ca.pem`; signs requests. */
export class Authority {
  readonly #openssl: (...words: string[]) => string;
  readonly folder: string;
  readonly name: string;

  constructor(folder: string, name: string, subject = `/O=${name}/CN=${name} Root`) {
    this.folder = folder;
    this.name = name;
    this.#openssl = opensslIn(folder);
    this.key(`${name}-root`, 'P-384');
    this.#openssl(
      ...['req', '-x509', '-new', '-key', `${name}-root.key`, '-subj', subject, '-days', '7300', '-sha384'],
      ...['-addext', 'basicConstraints=critical,CA:true', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
      ...['-out', `${name}-root.pem`],
    );
    this.key(`${name}-ca`, 'rsa');
    this.#openssl(
      'req',
      '-new',
      '-key',
      `${name}-ca.key`,
      '-subj',
      `/O=${name}/CN=${name} Issuing`,
      '-out',
      `${name}-ca.csr`,
    );
    this.sign(
      `${name}-ca`,
      'basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign',
      {
        by: `${name}-root`,
      },
    );
  }

  get root(): string {
    return this.read(`${this.name}-root.pem`);
  }

  /** Certificate of a name, and what leads to the root. */
  chain(of: string): string {
    return [of, `${this.name}-ca`, `${this.name}-root`].map(one => this.read(`${one}.pem`)).join('');
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8');
  }

  key(name: string, kind: 'rsa' | 'rsa-2048' | 'P-256' | 'P-384' | 'ed25519'): void {
    const how = kind.startsWith('rsa')
      ? ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${kind === 'rsa' ? 3072 : 2048}`]
      : kind === 'ed25519'
        ? ['-algorithm', 'ED25519']
        : ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${kind}`];
    this.#openssl('genpkey', ...how, '-out', `${name}.key`);
  }

  /** Signs `<name>.csr` into `<name>.pem`. `extensions`: lines of openssl's configuration. */
  sign(
    name: string,
    extensions = 'keyUsage=critical,digitalSignature,nonRepudiation',
    { by = `${this.name}-ca`, dates }: { by?: string; dates?: Dates } = {},
  ): string {
    writeFileSync(join(this.folder, `${name}.ext`), `${extensions}\n`);
    if (dates !== undefined) {
      this.#configure();
      this.#openssl(
        ...['ca', '-batch', '-notext', '-config', 'ca.cnf', '-cert', `${by}.pem`, '-keyfile', `${by}.key`],
        ...['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`],
        ...['-startdate', dates.from, '-enddate', dates.to],
      );
      return this.read(`${name}.pem`);
    }
    this.#openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-sha256'],
      ...['-set_serial', `0x${Buffer.from(name).toString('hex').slice(0, 30)}01`],
      ...['-extfile', `${name}.ext`, '-days', '3650', '-out', `${name}.pem`],
    );
    return this.read(`${name}.pem`);
  }

  /** What `openssl ca` keeps, once. */
  #configure(): void {
    const at = (file: string) => join(this.folder, file);
    if (existsSync(at('index.txt'))) return;
    writeFileSync(at('index.txt'), '');
    writeFileSync(at('crlnumber'), '01\n');
    writeFileSync(
      at('ca.cnf'),
      '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=30\n' +
        'new_certs_dir=.\nrand_serial=yes\nunique_subject=no\npolicy=p\n[p]\norganizationName=optional\ncommonName=supplied\n',
    );
  }

  /** A key with its certificate, `<name>.key` and `<name>.pem`. */
  issue(
    name: string,
    kind: Parameters<Authority['key']>[1],
    extensions?: string,
    how: { by?: string; dates?: Dates } = {},
  ): void {
    this.key(name, kind);
    this.#openssl(
      'req',
      '-new',
      '-key',
      `${name}.key`,
      '-subj',
      `/O=${this.name}/CN=${name}`,
      '-out',
      `${name}.csr`,
    );
    this.sign(name, extensions, how);
  }

  /** A list that revokes these, PEM. */
  crl(...names: string[]): string {
    const ca = `${this.name}-ca`;
    this.#configure();
    const with_ = ['-config', 'ca.cnf', '-cert', `${ca}.pem`, '-keyfile', `${ca}.key`];
    for (const name of names) this.#openssl('ca', ...with_, '-revoke', `${name}.pem`);
    this.#openssl('ca', ...with_, '-gencrl', '-out', 'crl.pem');
    return this.read('crl.pem');
  }

  /** Answers a time-stamp request as the certificate `name`. */
  stamp(name: string, request: Uint8Array): Buffer {
    const at = (file: string) => join(this.folder, file);
    writeFileSync(at('request.tsq'), request);
    if (!existsSync(at('tsa.serial'))) writeFileSync(at('tsa.serial'), '01\n');
    writeFileSync(
      at('tsa.cnf'),
      `[tsa]\nserial=tsa.serial\ncrypto_device=builtin\nsigner_cert=${name}.pem\nsigner_key=${name}.key\nsigner_digest=sha256\n` +
        `certs=${this.name}-ca.pem\ndefault_policy=1.2.3.4.1\nother_policies=1.2.3.4.2\ndigests=sha256\naccuracy=secs:1\nordering=no\n` +
        'tsa_name=yes\ness_cert_id_chain=no\ness_cert_id_alg=sha256\n',
    );
    this.#openssl(
      'ts',
      '-reply',
      '-config',
      'tsa.cnf',
      '-section',
      'tsa',
      '-queryfile',
      'request.tsq',
      '-out',
      'reply.tsr',
    );
    return readFileSync(at('reply.tsr'));
  }

  /** What `stamp` answered, signed anew by another certificate, which openssl's own authority would refuse to use. */
  restamp(reply: Uint8Array, name: string): Buffer {
    const at = (file: string) => join(this.folder, file);
    writeFileSync(at('good.tsr'), reply);
    this.#openssl('ts', '-reply', '-in', 'good.tsr', '-token_out', '-out', 'good.token');
    this.#openssl('cms', '-verify', '-noverify', '-inform', 'DER', '-in', 'good.token', '-out', 'info.der');
    this.#openssl(
      ...['cms', '-sign', '-cades', '-binary', '-nodetach', '-econtent_type', 'id-smime-ct-TSTInfo'],
      ...['-in', 'info.der', '-signer', `${name}.pem`, '-inkey', `${name}.key`],
      ...['-certfile', `${this.name}-ca.pem`, '-outform', 'DER', '-out', 'other.token'],
    );
    return Buffer.from(sequence(sequence(small(0)), readFileSync(at('other.token'))));
  }
}

/** Of a time-stamping certificate, as RFC 3161 wants it. */
export const TSA = 'keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping';
