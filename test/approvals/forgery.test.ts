/**
 * Every way around an approval, tried over HTTP against a real collector with real people's keys. Each is refused with its
 * own code, and nothing has changed by the attempt.
 */
import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openVault } from '../../collector/keys/vault.ts';
import { approvalMessage } from '../../core/proof/binding.ts';
import { addPerson, expectJson, makeSigningKey, type SigningKey, signedBy } from '../people/person.ts';
import { codeOf, openedBy, send, startTeam, statementFor, type Team } from './team.ts';

let team: Team;
beforeAll(async () => {
  team = await startTeam();
}, 120_000);
afterAll(() => team?.stop());

/** What stands after a refusal: as many answers and intents as before. */
const standing = async (): Promise<number[]> =>
  Promise.all(
    ['approval.answered', 'intent.recorded', 'approval.challenge_failed'].map(
      async type => (await team.records(type)).length,
    ),
  );
async function unchanged(attempt: () => Promise<void>): Promise<void> {
  const before = await standing();
  await attempt();
  expect(await standing()).toEqual(before);
}

describe('the call is not the one that was approved', () => {
  test('one argument byte changed after approval', async () => {
    const decided = await team.agent.ask();
    expectJson(await team.bob.approve(decided.approval.id), 200);
    await unchanged(async () => {
      const changed = { payload: { amount: 12_001, iban: 'DE00' } };
      expect(codeOf(await team.agent.consume(decided, changed))).toBe('binding_mismatch');
    });
    expect((await team.agent.consume(decided)).status).toBe(200);
  });

  test('another action, another session, a nonce that is none', async () => {
    const decided = await team.agent.ask();
    expectJson(await team.bob.approve(decided.approval.id), 200);
    await unchanged(async () => {
      for (const change of [{ action: 'two' }, { session_id: 'run-2' }, { nonce: '0'.repeat(64) }]) {
        const answer = await team.agent.consume(decided, {}, change as Record<string, string>);
        expect([codeOf(answer), (answer.json as { where: string }).where]).toEqual([
          'binding_mismatch',
          `/${Object.keys(change)[0]}`,
        ]);
      }
    });
  });

  test('a replayed nonce: that of another approval of the same call', async () => {
    const first = await team.agent.ask();
    const second = await team.agent.ask();
    for (const decided of [first, second]) expectJson(await team.bob.approve(decided.approval.id), 200);
    expect((await team.agent.consume(first)).status).toBe(200);
    await unchanged(async () => {
      const replayed = await team.agent.consume(second, {}, { nonce: first.approval.nonce });
      expect(codeOf(replayed)).toBe('binding_mismatch');
    });
  });

  test('consumed twice at the same moment: one has it, the others are refused', async () => {
    const decided = await team.agent.ask();
    expectJson(await team.bob.approve(decided.approval.id), 200);
    const attempts = Array.from({ length: 12 }, (_, i) => ({ use_id: `attempt-${i}` }));
    const answers = await Promise.all(attempts.map(use => team.agent.consume(decided, {}, use)));
    const granted = answers.filter(({ status }) => status === 200);
    expect(granted).toHaveLength(1);
    expect(answers.filter(answer => codeOf(answer) === 'approval_consumed')).toHaveLength(11);
    // Its answer was lost on the way: the same request gets it again, one that names no attempt does not.
    const mine = attempts[answers.indexOf(granted[0]!)]!;
    expect((await team.agent.consume(decided, {}, mine)).json).toEqual(granted[0]!.json);
    expect(codeOf(await team.agent.consume(decided))).toBe('approval_consumed');
    const recorded = (await team.records('intent.recorded')).filter(
      record => (record.intent as { approval_id: string }).approval_id === decided.approval.id,
    );
    expect(recorded).toHaveLength(1);
  });

  test('before anybody answered', async () => {
    const decided = await team.agent.ask();
    await unchanged(async () => {
      expect(codeOf(await team.agent.consume(decided))).toBe('approval_not_approved');
    });
  });
});

describe('the answer is not what a person said', () => {
  test('a deny turned into an approve', async () => {
    const { approval } = await team.agent.ask();
    const opened = await openedBy(team.bob, approval.id);
    const denied = statementFor(team.bob, opened, { verdict: 'deny' });
    const signature = signedBy(team.bob.key, approvalMessage(denied));
    await unchanged(async () => {
      expect(codeOf(await send(team.bob, approval.id, denied, { verdict: 'approve' }))).toBe(
        'signature_invalid',
      );
      const turned = { ...denied, verdict: 'approve' } as const;
      expect(codeOf(await send(team.bob, approval.id, turned, { signature }))).toBe('signature_invalid');
    });
  });

  test('a statement about another approval', async () => {
    const [first, second] = [await team.agent.ask(), await team.agent.ask()];
    const opened = await openedBy(team.bob, first.approval.id);
    const other = await openedBy(team.bob, second.approval.id);
    await unchanged(async () => {
      // The other one's whole answer, then its binding alone.
      expect(codeOf(await send(team.bob, first.approval.id, statementFor(team.bob, other)))).toBe(
        'review_unknown',
      );
      const mixed = statementFor(team.bob, opened, { binding: String(other.shown.binding_hash) });
      expect(codeOf(await send(team.bob, first.approval.id, mixed))).toBe('signature_invalid');
    });
  });

  test("another person's review", async () => {
    const { approval } = await team.agent.ask({ action: 'two' });
    const seen = await openedBy(team.bob, approval.id);
    await openedBy(team.cyd, approval.id);
    await unchanged(async () => {
      expect(codeOf(await send(team.cyd, approval.id, statementFor(team.cyd, seen)))).toBe('review_unknown');
    });
  });

  test('without having opened it', async () => {
    const { approval } = await team.agent.ask();
    const elsewhere = await openedBy(team.bob, (await team.agent.ask()).approval.id);
    await unchanged(async () => {
      expect(codeOf(await send(team.bob, approval.id, statementFor(team.bob, elsewhere)))).toBe(
        'review_unknown',
      );
    });
  });

  test('what was shown is another: shown_digest or opened_at changed', async () => {
    const { approval } = await team.agent.ask();
    const opened = await openedBy(team.bob, approval.id);
    await unchanged(async () => {
      for (const change of [{ shown_digest: 'f'.repeat(64) }, { opened_at: '2026-01-01T00:00:00.000000Z' }]) {
        const answer = await send(team.bob, approval.id, statementFor(team.bob, opened, change));
        expect(codeOf(answer)).toBe('shown_mismatch');
      }
    });
  });

  test('a comment or a challenge that was not signed', async () => {
    const { approval } = await team.agent.ask();
    const opened = await openedBy(team.bob, approval.id);
    await unchanged(async () => {
      const statement = statementFor(team.bob, opened);
      expect(codeOf(await send(team.bob, approval.id, statement, { comment: 'fine' }))).toBe(
        'signature_invalid',
      );
      const other = statementFor(team.bob, opened, {
        review: { review_id: opened.review_id, challenge: { kind: 'question' } },
      });
      expect(codeOf(await send(team.bob, approval.id, other))).toBe('signature_invalid');
    });
  });

  test('in the name of another person', async () => {
    const { approval } = await team.agent.ask();
    const opened = await openedBy(team.bob, approval.id);
    await unchanged(async () => {
      const claimed = statementFor(team.bob, opened, { approver_id: 'ada' });
      expect(codeOf(await send(team.bob, approval.id, claimed))).toBe('signature_invalid');
    });
  });

  test('without a signature', async () => {
    const { approval } = await team.agent.ask();
    const opened = await openedBy(team.bob, approval.id);
    await unchanged(async () => {
      const path = `/api/approvals/${approval.id}/answer`;
      for (const body of [
        { verdict: 'approve' },
        { verdict: 'approve', review_id: opened.review_id },
        { verdict: 'approve', review_id: opened.review_id, statement: statementFor(team.bob, opened) },
      ]) {
        expect(codeOf(await team.bob.call(path, { body }))).toBe('signature_missing');
      }
      const statement = statementFor(team.bob, opened);
      for (const signature of ['', 'AAAA', 'no base64!', `${'A'.repeat(86)}==`]) {
        expect(codeOf(await send(team.bob, approval.id, statement, { signature }))).toBe('signature_invalid');
      }
    });
  });
});

describe('the key is not this person, now', () => {
  test("a signature by the collector's key, or by any key that is not enrolled", async () => {
    const { approval } = await team.agent.ask();
    const opened = await openedBy(team.bob, approval.id);
    const file = join(team.tm.folder, '..', 'keys', 'test.key');
    const { eventKey } = await openVault({ folder: team.tm.folder, secret: { kind: 'key_file', file } });
    const own: SigningKey = {
      keyId: eventKey.keyId,
      publicKey: Buffer.from(eventKey.publicKey).toString('base64'),
      privateKey: createPrivateKey({ key: Buffer.from(eventKey.privateKey), format: 'der', type: 'pkcs8' }),
    };
    await unchanged(async () => {
      for (const key of [own, makeSigningKey()]) {
        const named = statementFor(team.bob, opened, { key_id: key.keyId });
        const signature = signedBy(key, approvalMessage(named));
        expect(codeOf(await send(team.bob, approval.id, named, { signature }))).toBe('person_key_unknown');
        const unnamed = statementFor(team.bob, opened);
        const forged = signedBy(key, approvalMessage(unnamed));
        expect(codeOf(await send(team.bob, approval.id, unnamed, { signature: forged }))).toBe(
          'signature_invalid',
        );
      }
    });
  });

  test("another person's key", async () => {
    const { approval } = await team.agent.ask();
    const opened = await openedBy(team.bob, approval.id);
    await unchanged(async () => {
      const statement = statementFor(team.bob, opened, { key_id: team.cyd.key.keyId });
      const signature = signedBy(team.cyd.key, approvalMessage(statement));
      expect(codeOf(await send(team.bob, approval.id, statement, { signature }))).toBe('person_key_unknown');
    });
  });

  test('a key enrolled after the fact: a new key does not sign what the old one opened under its id', async () => {
    const eve = await addPerson(team.tm, team.ada, { id: 'eve', roles: ['approver'] });
    const { approval } = await team.agent.ask();
    const opened = await openedBy(eve, approval.id);
    const old = { ...eve.key };
    const statement = statementFor(eve, opened);
    const later = makeSigningKey();
    await unchanged(async () => {
      // Not enrolled yet, though its owner is.
      const early = { ...statement, key_id: later.keyId };
      const signature = signedBy(later, approvalMessage(early));
      expect(codeOf(await send(eve, approval.id, early, { signature }))).toBe('person_key_unknown');
    });
    // Reset: from now on the old key signs nothing, and the session it was opened in has ended.
    const link = expectJson<{ token: string }>(
      await team.ada.call('/api/people/invitations', { body: { person_id: 'eve', reset: true } }),
      201,
    );
    eve.key = later;
    const accepted = expectJson<{ person: never }>(
      await team.tm.ask('/api/invitations/accept', {
        body: {
          token: link.token,
          public_key: later.publicKey,
          possession: eve.possession(later),
          sign_in: eve.signInSecret(),
        },
        headers: { origin: team.tm.url },
      }),
      200,
    );
    expectJson(await team.ada.sign('reset', accepted.person), 200);
    await eve.signIn();
    await unchanged(async () => {
      const replayed = signedBy(old, approvalMessage(statement));
      expect(codeOf(await send(eve, approval.id, statement, { signature: replayed }))).toBe(
        'person_key_unknown',
      );
    });
    expect((await eve.approve(approval.id)).json).toMatchObject({ status: 'approved' });
  });

  test('one person counted twice with two keys', async () => {
    const fay = await addPerson(team.tm, team.ada, { id: 'fay', roles: ['approver'] });
    const decided = await team.agent.ask({ action: 'two' });
    expect((await fay.approve(decided.approval.id)).json).toMatchObject({
      status: 'waiting',
      approved_by: 1,
    });
    await unchanged(async () => {
      expect(codeOf(await fay.approve(decided.approval.id))).toBe('approval_answered');
    });
    const link = expectJson<{ token: string }>(
      await team.ada.call('/api/people/invitations', { body: { person_id: 'fay', reset: true } }),
      201,
    );
    fay.key = makeSigningKey();
    const accepted = expectJson<{ person: never }>(
      await team.tm.ask('/api/invitations/accept', {
        body: {
          token: link.token,
          public_key: fay.key.publicKey,
          possession: fay.possession(),
          sign_in: fay.signInSecret(),
        },
        headers: { origin: team.tm.url },
      }),
      200,
    );
    expectJson(await team.ada.sign('reset', accepted.person), 200);
    await fay.signIn();
    await unchanged(async () => {
      expect(codeOf(await fay.approve(decided.approval.id))).toBe('approval_answered');
      expect(codeOf(await team.agent.consume(decided, { action: 'two' }))).toBe('approval_not_approved');
    });
    expect((await team.bob.approve(decided.approval.id)).json).toMatchObject({
      status: 'approved',
      approved_by: 2,
    });
    expect((await team.agent.consume(decided, { action: 'two' })).status).toBe(200);
  });
});

describe('the person may not', () => {
  test('a person without the role', async () => {
    const { approval } = await team.agent.ask({ action: 'treasurer' });
    await unchanged(async () => {
      // Cyd is an approver and cfo; the rule asks for a treasurer.
      const opened = await team.cyd.call(`/api/approvals/${approval.id}/open`, { method: 'POST' });
      expect(codeOf(opened)).toBe('approval_role_missing');
      const mine = await openedBy(team.bob, approval.id);
      expect(
        codeOf(await send(team.cyd, approval.id, statementFor(team.cyd, mine, { role: 'treasurer' }))),
      ).toBe('approval_role_missing');
      // A role that does not qualify, and one that qualifies and is not the person's.
      for (const role of ['approver', 'cfo']) {
        const answer = await send(team.bob, approval.id, statementFor(team.bob, mine, { role }));
        expect(codeOf(answer)).toBe('approval_role_missing');
      }
    });
    const answer = await team.bob.approve(approval.id, { role: 'treasurer' });
    expect(answer.json).toMatchObject({ status: 'approved' });
  });

  test('no approver at all: an analyst is refused by the table of permissions', async () => {
    const ann = await addPerson(team.tm, team.ada, { id: 'ann', roles: ['analyst'] });
    const { approval } = await team.agent.ask();
    await unchanged(async () => {
      const opened = await ann.call(`/api/approvals/${approval.id}/open`, { method: 'POST' });
      expect(codeOf(opened)).toBe('role_missing');
      const mine = await openedBy(team.bob, approval.id);
      expect(codeOf(await send(ann, approval.id, statementFor(ann, mine)))).toBe('role_missing');
    });
  });

  test.each(['bob', 'bob@example.org'])('the asker approving, asking as %s', async actor => {
    const { approval } = await team.agent.ask({ actor });
    await unchanged(async () => {
      const opened = await team.bob.call(`/api/approvals/${approval.id}/open`, { method: 'POST' });
      expect(codeOf(opened)).toBe('approval_own_request');
      const seen = await openedBy(team.cyd, approval.id);
      expect(codeOf(await send(team.bob, approval.id, statementFor(team.bob, seen)))).toBe(
        'approval_own_request',
      );
    });
    expect((await team.cyd.approve(approval.id)).json).toMatchObject({ status: 'approved' });
  });

  test('the asker approving through a delegate', async () => {
    const { statement } = team.bob.delegation('cyd', { roles: ['treasurer'] });
    expectJson(
      await team.bob.call('/api/delegations', { body: team.bob.delegation('cyd', { ...statement }) }),
      201,
    );
    const own = await team.agent.ask({ action: 'treasurer', actor: 'bob@example.org' });
    const review = { on_behalf_of: 'bob', delegation_id: statement.delegation_id };
    await unchanged(async () => {
      const opened = await team.cyd.call(`/api/approvals/${own.approval.id}/open`, { method: 'POST' });
      expect(codeOf(opened)).toBe('approval_own_request');
    });
    // What the giver may answer, the delegate may answer for them: as treasurer, and in no other role.
    const { approval } = await team.agent.ask({ action: 'treasurer' });
    await unchanged(async () => {
      const opened = await openedBy(team.cyd, approval.id);
      const without = statementFor(team.cyd, opened, { role: 'treasurer' });
      expect(codeOf(await send(team.cyd, approval.id, without))).toBe('approval_role_missing');
      const invented = statementFor(team.cyd, opened, {
        role: 'treasurer',
        review: {
          review_id: opened.review_id,
          challenge: { kind: 'confirm' },
          on_behalf_of: 'ada',
          delegation_id: statement.delegation_id,
        },
      });
      expect(codeOf(await send(team.cyd, approval.id, invented))).toBe('approval_role_missing');
    });
    const answer = await team.cyd.approve(approval.id, { role: 'treasurer', review });
    expect(answer.json).toMatchObject({
      status: 'approved',
      answers: [{ by: 'cyd', role: 'treasurer', on_behalf_of: 'bob' }],
    });
    // It gives a role, never a second voice.
    const two = await team.agent.ask({ action: 'money' });
    const first = await team.cyd.approve(two.approval.id, { role: 'cfo' });
    expect(first.json).toMatchObject({ status: 'waiting' });
    expect(codeOf(await team.cyd.approve(two.approval.id, { role: 'treasurer', review }))).toBe(
      'approval_answered',
    );
    expectJson(await team.bob.call(`/api/delegations/${statement.delegation_id}`, { method: 'DELETE' }), 200);
    const after = await team.agent.ask({ action: 'treasurer' });
    const opened = await team.cyd.call(`/api/approvals/${after.approval.id}/open`, { method: 'POST' });
    expect(codeOf(opened)).toBe('approval_role_missing');
  });
});

describe('not in time', () => {
  test('too early an answer; a deny is never held back', async () => {
    await team.settings({ high: { min_seconds: 2, challenge: 'confirm' } });
    const decided = await team.agent.ask();
    await unchanged(async () => {
      const early = await team.bob.approve(decided.approval.id, { wait: false });
      expect([early.status, codeOf(early)]).toEqual([409, 'review_too_short']);
      expect(Number(early.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    });
    const refused = await team.agent.ask();
    expect((await team.cyd.deny(refused.approval.id)).json).toMatchObject({ status: 'denied' });
    const answer = await team.bob.approve(decided.approval.id);
    expect(answer.json).toMatchObject({ status: 'approved' });
    const [said] = (await team.records('approval.answered')).slice(-1);
    const { reviewed } = said!.approval as { reviewed: Record<string, unknown> };
    expect(reviewed).toMatchObject({ min_seconds: 2, min_met: true, challenge: 'confirm', attempts: 0 });
    expect(reviewed.seconds).toBeGreaterThanOrEqual(2);
    await team.settings({});
  });

  test('after it was denied, used, or answered enough', async () => {
    const denied = await team.agent.ask();
    expectJson(await team.cyd.deny(denied.approval.id, { comment: 'no' }), 200);
    const used = await team.agent.ask();
    const opened = await openedBy(team.cyd, used.approval.id);
    expectJson(await team.bob.approve(used.approval.id), 200);
    await unchanged(async () => {
      expect(codeOf(await send(team.cyd, used.approval.id, statementFor(team.cyd, opened)))).toBe(
        'approval_closed',
      );
    });
    expectJson(await team.agent.consume(used), 200);
    await unchanged(async () => {
      expect(codeOf(await send(team.cyd, used.approval.id, statementFor(team.cyd, opened)))).toBe(
        'approval_consumed',
      );
      const again = await team.bob.call(`/api/approvals/${denied.approval.id}/open`, { method: 'POST' });
      expect(codeOf(again)).toBe('approval_closed');
      expect(codeOf(await team.agent.consume(denied))).toBe('approval_denied');
    });
  });

  test('a deny before the use ends what was approved', async () => {
    const decided = await team.agent.ask();
    expectJson(await team.bob.approve(decided.approval.id), 200);
    expect((await team.bob.deny(decided.approval.id)).json).toMatchObject({ status: 'denied' });
    expect(codeOf(await team.agent.consume(decided))).toBe('approval_denied');
  });
});
