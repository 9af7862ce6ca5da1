/**
 * The self-made certificate that signs packs by CMS: RSA-3072, because stock OpenSSL 3.0 makes no Ed25519 CMS.
 * Nobody vouches for it, and its name says so; a verifier gets it apart from the pack (`trailmix keys trust`).
 */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { inspect, promisify } from 'node:util';

const YEARS = 10;

/** PKCS#8 PEM and certificate PEM. The key is made on libuv's pool, off the event loop. `now`: ms since 1970. */
export async function makePackSigner(
  ledgerId: string,
  now: number,
): Promise<{ privateKeyPem: string; certificatePem: string }> {
  const { default: forge } = await import('node-forge');
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 3072 });
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;

  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKeyPem);
  // A positive number without a leading zero byte.
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  certificate.serialNumber = serial.toString('hex');
  certificate.validity.notBefore = new Date(now - 60_000);
  certificate.validity.notAfter = new Date(now);
  certificate.validity.notAfter.setUTCFullYear(certificate.validity.notAfter.getUTCFullYear() + YEARS);
  const name = [
    { name: 'commonName', value: `Audit TrailMix self-made, ledger ${ledgerId.slice(0, 8)}` },
    { name: 'organizationName', value: 'Self-made certificate: nobody vouches for this name' },
  ];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, nonRepudiation: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(privateKeyPem), forge.md.sha256.create());
  return { privateKeyPem, certificatePem: forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n') };
}

/** As the port's shape; its private half prints as [secret]. */
export class PackSigner {
  readonly privateKeyPem: string;
  readonly certificatePem: string;

  constructor(privateKeyPem: string, certificatePem: string) {
    this.privateKeyPem = privateKeyPem;
    this.certificatePem = certificatePem;
  }

  toJSON(): object {
    return { privateKeyPem: '[secret]', certificatePem: this.certificatePem };
  }

  [inspect.custom](): string {
    return 'PackSigner { privateKeyPem: [secret] }';
  }
}
