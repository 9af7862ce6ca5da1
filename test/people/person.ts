/**
 * Scripted people for tests: real Ed25519 keys, sign-in secrets derived as the page does (with small Argon2id parameters),
 * statements and approvals signed by the spec. Not a test itself. Spec: docs/spec/people.md, docs/spec/gate.md "Answers".
 */
import {
  argon2Sync,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  generateKeyPairSync,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import type { InputOf, OutputOf } from '../../core/api/operations.ts';
import type { PersonView, SignInKdf } from '../../core/api/views.ts';
import { type ApprovalStatement, approvalMessage } from '../../core/proof/binding.ts';
import { type ErasureStatement, erasureMessage } from '../../core/proof/erasure.ts';
import {
  type DelegationStatement,
  delegationMessage,
  type PersonStatement,
  personMessage,
  possessionMessage,
} from '../../core/proof/person.ts';
import { type Answer, type Ask, bearer } from '../http/collector.ts';

/** What is needed of a collector under test: startTestCollector's answer has it. */
export type Http = {
  readonly url: string;
  ask(path: string, options?: Ask): Promise<Answer>;
  /** Headers of a page opened by the one-time link. */
  signIn(): Promise<Record<string, string>>;
};

export type Place = { readonly ledger_id: string; readonly tenant_id: string };
export type SigningKey = {
  readonly keyId: string;
  readonly publicKey: string;
  readonly privateKey: KeyObject;
};

/** Affordable parameters, the least that the contract takes. */
const SMALL = { m: 8192, t: 1, p: 1 } as const;

const now = (): string => new Date().toISOString().replace('Z', '000Z');

/** Base64 Ed25519 over the message. */
export const signedBy = (key: SigningKey, message: Uint8Array): string =>
  sign(null, message, key.privateKey).toString('base64');

export function makeSigningKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { keyId: hash('sha256', raw, 'hex'), publicKey: raw.toString('base64'), privateKey };
}

/** `auth` and `wrap` of a passphrase: docs/spec/people.md, "Sign-in". */
export function deriveSignIn(passphrase: string, kdf: SignInKdf): { auth: Buffer; wrap: Buffer } {
  const m = argon2Sync('argon2id', {
    message: passphrase.normalize('NFKC'),
    nonce: Buffer.from(kdf.salt, 'base64'),
    parallelism: kdf.p,
    tagLength: 32,
    memory: kdf.m,
    passes: kdf.t,
  });
  const derive = (what: string): Buffer =>
    Buffer.from(hkdfSync('sha256', m, '', `trailmix/sign-in/v1/${what}`, 32));
  return { auth: derive('auth'), wrap: derive('wrap') };
}

export function wrapKey(wrap: Uint8Array, key: SigningKey, personId: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', wrap, iv);
  cipher.setAAD(Buffer.from(personId));
  const pkcs8 = key.privateKey.export({ format: 'der', type: 'pkcs8' });
  return Buffer.concat([iv, cipher.update(pkcs8), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/** The private key of `wrapped_key`. Throws where the secret is another. */
export function unwrapKey(wrap: Uint8Array, wrapped: string, personId: string): KeyObject {
  const bytes = Buffer.from(wrapped, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', wrap, bytes.subarray(0, 12));
  decipher.setAAD(Buffer.from(personId));
  decipher.setAuthTag(bytes.subarray(-16));
  const key = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

/** The answer's JSON. Throws with the problem's text when the status is another one. */
export function expectJson<T>(answer: Answer, status: number): T {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`);
  return answer.json as T;
}

export class Person {
  readonly id: string;
  readonly name: string;
  readonly http: Http;
  readonly place: Place;
  passphrase: string;
  key: SigningKey;
  /** Headers of the signed-in page. */
  headers: Record<string, string> = {};

  constructor(http: Http, place: Place, id: string, name = `Name of ${id}`) {
    this.http = http;
    this.place = place;
    this.id = id;
    this.name = name;
    this.passphrase = `passphrase of ${id}`;
    this.key = makeSigningKey();
  }

  /** Calls as this person's page. */
  call(path: string, options: Ask = {}): Promise<Answer> {
    return this.http.ask(path, { ...options, headers: { ...this.headers, ...options.headers } });
  }

  /** What the collector keeps of a sign-in with this passphrase and key. */
  signInSecret(passphrase = this.passphrase, key = this.key): InputOf<'enrolFirst'>['sign_in'] {
    const kdf = { salt: randomBytes(16).toString('base64'), ...SMALL };
    const { auth, wrap } = deriveSignIn(passphrase, kdf);
    return { kdf, auth: auth.toString('base64'), wrapped_key: wrapKey(wrap, key, this.id) };
  }

  possession(key = this.key): string {
    const message = possessionMessage({ ...this.place, person_id: this.id, public_key: key.publicKey });
    return signedBy(key, message);
  }

  /** A statement on `about`, by this person, of what they are now with `changes`. */
  statement(
    act: PersonStatement['act'],
    about: Pick<PersonView, 'id' | 'name' | 'roles' | 'aliases' | 'key_id' | 'public_key'>,
    changes: Partial<PersonStatement> = {},
  ): { statement: PersonStatement; signature: string } {
    const statement: PersonStatement = {
      act,
      aliases: about.aliases,
      at: now(),
      by: this.id,
      by_key_id: this.key.keyId,
      key_id: about.key_id ?? '',
      ...this.place,
      name: about.name,
      person_id: about.id,
      public_key: about.public_key ?? '',
      roles: about.roles,
      ...changes,
    };
    return { statement, signature: signedBy(this.key, personMessage(statement)) };
  }

  /** Signs and sends a statement on another person, or oneself. */
  async sign(
    act: PersonStatement['act'],
    about: PersonView,
    changes: Partial<PersonStatement> = {},
  ): Promise<Answer> {
    return this.call(`/api/people/${about.id}/statements`, { body: this.statement(act, about, changes) });
  }

  delegation(
    to: string,
    changes: Partial<DelegationStatement> = {},
  ): { statement: DelegationStatement; signature: string } {
    const statement: DelegationStatement = {
      at: now(),
      by_key_id: this.key.keyId,
      delegation_id: `del_${randomBytes(8).toString('hex')}`,
      ends_at: new Date(Date.now() + 3_600_000).toISOString().replace('Z', '000Z'),
      from: this.id,
      ...this.place,
      reason: 'away',
      roles: ['approver'],
      starts_at: now(),
      to,
      ...changes,
    };
    return { statement, signature: signedBy(this.key, delegationMessage(statement)) };
  }

  /** What this person signs to erase records, or to set how long bodies are kept. */
  erasure(
    parts: Pick<ErasureStatement, 'act' | 'digest' | 'reason'>,
    changes: Partial<ErasureStatement> = {},
  ): { statement: ErasureStatement; signature: string } {
    const who = { by: this.id, by_key_id: this.key.keyId, ...this.place };
    const statement: ErasureStatement = { at: now(), ...who, ...parts, ...changes };
    return { statement, signature: signedBy(this.key, erasureMessage(statement)) };
  }

  take({ session }: { session: string }): void {
    this.headers = { ...bearer(session), origin: this.http.url };
  }

  /** Named where it is not the one that everybody has. */
  tenant(): { tenant_id?: string } {
    const { tenant_id } = this.place;
    return tenant_id === 'default' ? {} : { tenant_id };
  }

  /** The raw answer of an attempt; a right one is kept as this person's session. */
  async trySignIn(passphrase = this.passphrase): Promise<Answer> {
    const origin = { origin: this.http.url };
    const start = await this.http.ask('/api/sign-in/start', {
      body: { person_id: this.id, ...this.tenant() },
      headers: origin,
    });
    const { kdf } = expectJson<OutputOf<'startSignIn'>>(start, 200);
    const auth = deriveSignIn(passphrase, kdf).auth.toString('base64');
    const answer = await this.http.ask('/api/sign-in', {
      body: { person_id: this.id, auth, ...this.tenant() },
      headers: origin,
    });
    if (answer.status === 200) this.take(answer.json);
    return answer;
  }

  async signIn(passphrase = this.passphrase): Promise<OutputOf<'signIn'>> {
    return expectJson(await this.trySignIn(passphrase), 200);
  }

  /** Opens the approval, waits as long as it asks, and answers it with a signed statement. */
  async approve(approvalId: string, options: Partial<AnswerOptions> = {}): Promise<Answer> {
    return this.answer(approvalId, { verdict: 'approve', ...options });
  }

  async deny(approvalId: string, options: Partial<AnswerOptions> = {}): Promise<Answer> {
    return this.answer(approvalId, { verdict: 'deny', ...options });
  }

  async answer(approvalId: string, options: AnswerOptions): Promise<Answer> {
    const { verdict, role = 'approver', comment, review = {}, challengeAnswer, statement: changes } = options;
    const opened = expectJson<OutputOf<'openApproval'>>(
      await this.call(`/api/approvals/${approvalId}/open`, { method: 'POST' }),
      200,
    );
    const waitMs = Date.parse(opened.not_before) - Date.parse(opened.now);
    if (verdict === 'approve' && options.wait !== false && waitMs > 0) {
      await new Promise(resolve => setTimeout(resolve, waitMs + 20));
    }
    const { path } = opened.challenge;
    const asked = path === undefined ? undefined : at(opened.shown.payload, path);
    const given = challengeAnswer ?? (asked === undefined ? undefined : textOf(asked));
    const statement: ApprovalStatement = {
      binding: String(opened.shown.binding_hash),
      verdict,
      approver_id: this.id,
      role,
      key_id: this.key.keyId,
      shown_digest: opened.shown_digest,
      opened_at: opened.opened_at,
      decided_at: now(),
      review: {
        review_id: opened.review_id,
        challenge: { kind: opened.challenge.kind },
        ...(comment === undefined ? {} : { comment }),
        ...review,
      },
      ...changes,
    };
    return this.call(`/api/approvals/${approvalId}/answer`, {
      body: {
        verdict,
        review_id: opened.review_id,
        statement,
        signature: signedBy(this.key, approvalMessage(statement)),
        ...(comment === undefined ? {} : { comment }),
        ...(given === undefined ? {} : { challenge_answer: given }),
        ...options.input,
      },
    });
  }
}

export type AnswerOptions = {
  verdict: 'approve' | 'deny';
  /** Default approver. */
  role?: string;
  comment?: string;
  /** More members of `statement.review`. */
  review?: Record<string, string>;
  /** Default: the right one, where the challenge asks for a value. */
  challengeAnswer?: string;
  /** Members of the statement that are changed before it is signed. */
  statement?: Partial<ApprovalStatement>;
  /** Members of the request that are changed after it was signed. */
  input?: Record<string, unknown>;
  /** false: does not wait for `not_before`. */
  wait?: boolean;
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The value at a JSON Pointer. */
function at(value: unknown, pointer: string): unknown {
  let found = value;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    found = (found as Record<string, unknown> | undefined)?.[name];
  }
  return found;
}

async function placeOf(http: Http): Promise<Place> {
  const state = expectJson<OutputOf<'signInState'>>(await http.ask('/api/sign-in'), 200);
  return { ledger_id: state.ledger_id!, tenant_id: state.tenants[0]! };
}

/**
 * The first admin, enrolled by their own signature from a page that the one-time link opened; signed in. `entered`: the page's
 * headers, and the tenant that it entered.
 */
export async function enrolFirstAdmin(
  http: Http,
  given: {
    id?: string;
    name?: string;
    roles?: string[];
    aliases?: string[];
    entered?: { tenant_id: string; headers: Record<string, string> };
  } = {},
): Promise<Person> {
  const { id = 'ada', name = 'Ada', roles = ['admin', 'approver'], aliases = [], entered } = given;
  const here = await placeOf(http);
  const person = new Person(http, { ...here, tenant_id: entered?.tenant_id ?? here.tenant_id }, id, name);
  const about = {
    id,
    name,
    roles: [...roles].sort(),
    aliases: [...aliases].sort(),
    key_id: person.key.keyId,
    public_key: person.key.publicKey,
  };
  const body = {
    ...person.statement('enrol', about),
    possession: person.possession(),
    sign_in: person.signInSecret(),
  };
  const answer = await http.ask('/api/people/first', {
    body,
    headers: entered?.headers ?? (await http.signIn()),
  });
  person.take(expectJson<OutputOf<'enrolFirst'>>(answer, 201));
  return person;
}

/** Invites, accepts and has the admin sign; the person is signed in unless `signIn` is false. */
export async function addPerson(
  http: Http,
  admin: Person,
  given: { id: string; name?: string; roles: string[]; aliases?: string[]; signIn?: boolean },
): Promise<Person> {
  const { id, roles, aliases = [], signIn = true } = given;
  const person = new Person(http, admin.place, id, given.name);
  const invited = expectJson<OutputOf<'invitePerson'>>(
    await admin.call('/api/people/invitations', {
      body: { person_id: id, name: person.name, roles, aliases },
    }),
    201,
  );
  const accepted = expectJson<OutputOf<'acceptInvite'>>(await accept(person, invited.token), 200);
  expectJson(await admin.sign('enrol', accepted.person), 200);
  if (signIn) await person.signIn();
  return person;
}

/** The answer to an invitation, with this person's key and passphrase. */
export const accept = (person: Person, token: string): Promise<Answer> =>
  person.http.ask('/api/invitations/accept', {
    body: {
      token,
      public_key: person.key.publicKey,
      possession: person.possession(),
      sign_in: person.signInSecret(),
    },
    headers: { origin: person.http.url },
  });
