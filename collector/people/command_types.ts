/** What the writer's commands on people take and answer (*_commands.ts). */
import type { DelegationView, PersonView, SignInKdf } from '../../core/api/views.ts';
import type { DelegationStatement, PersonStatement } from '../../core/proof/person.ts';

export type Via = 'page' | 'cli';

/** What is kept of a person's sign-in. */
export type SecretInput = {
  kdf: SignInKdf;
  /** SHA-256 of the sign-in secret, 32 bytes. */
  authHash: Uint8Array;
  /** As the page wrapped it; sealed once more for the row. */
  wrappedKey: Uint8Array;
};

export type InvitationKind = 'enrol' | 'reset' | 'recovery';

/** Why a session ended that nobody signed out of. */
export type SessionEnd = 'idle' | 'absolute' | 'reset' | 'leave' | 'change' | 'replaced' | 'restart';

/** A wrong attempt that is written now: `attempts` counts those since the last such record of this name. */
export type FailedSignIn = {
  /** `-` for a name that nobody has. */
  personId: string;
  attempts: number;
  /** Wrong ones since the last right one; absent for `-`. */
  failures?: number;
};

export type PeopleCommands = {
  enrolFirst: {
    input: {
      statement: PersonStatement;
      signature: string;
      possession: string;
      secret: SecretInput;
      via: Via;
    };
    output: PersonView;
  };
  invitePerson: {
    input: {
      personId: string;
      name?: string;
      roles?: readonly string[];
      aliases?: readonly string[];
      kind: InvitationKind;
      by: string;
      tokenHash: Uint8Array;
      via: Via;
    };
    output: { expiresAt: string };
  };
  acceptInvite: {
    input: {
      tokenHash: Uint8Array;
      publicKey: Uint8Array;
      possession: string;
      secret: SecretInput;
      via: Via;
    };
    /** `enrolled`: no admin has to sign. */
    output: { person: PersonView; enrolled: boolean };
  };
  withdrawInvite: { input: { personId: string; by: string; via: Via }; output: Record<string, never> };
  signPerson: {
    input: { personId: string; by: string; statement: PersonStatement; signature: string; via: Via };
    /** `ended`: the person's sessions are over. */
    output: { person: PersonView; ended: boolean };
  };
  changeSecret: { input: { personId: string; secret: SecretInput; via: Via }; output: Record<string, never> };
  signedIn: {
    /** `oldest`: sessions that give way to this one. */
    input: { personId: string; keyId: string; session: string; oldest: readonly string[]; via: Via };
    /** Throws sign_in_failed where the sign-in is no longer the one that was checked. */
    output: PersonView;
  };
  signedOut: { input: { personId: string; session: string; via: Via }; output: Record<string, never> };
  sessionsEnded: {
    input: { sessions: readonly { id: string; personId: string }[]; why: SessionEnd };
    output: Record<string, never>;
  };
  signInFailed: {
    input: {
      attempts: readonly FailedSignIn[];
      locked?: { personId: string; until: string; failures: number };
      via: Via;
    };
    output: Record<string, never>;
  };
  delegate: {
    input: { by: string; statement: DelegationStatement; signature: string; via: Via };
    output: DelegationView;
  };
  endDelegation: { input: { id: string; by: string; via: Via }; output: DelegationView };
};
