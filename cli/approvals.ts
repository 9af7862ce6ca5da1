/** `trailmix approvals list|show|approve|deny|report`: the queue from a terminal, answered with a person's own sign-in. */
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { TrailmixError } from '../core/api/errors.ts';
import type { InputOf, OutputOf } from '../core/api/operations.ts';
import type { ApprovalView } from '../core/api/views.ts';
import { reviewCsv } from '../core/formats/review_csv.ts';
import { type ApprovalStatement, approvalMessage, shownDigest } from '../core/proof/binding.ts';
import type { JsonValue } from '../core/proof/jcs.ts';
import { type Caller, custodyOf, withCollector } from './collector_for.ts';
import { type Command, type ExitCode, type Invocation, textOf } from './command.ts';
import { asPerson, type SignedIn } from './person_sign_in.ts';

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const seconds = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / 1000);

const needed = (approval: ApprovalView): string =>
  approval.required === undefined
    ? ''
    : `${approval.approved_by ?? 0} of ${approval.required.k} (${approval.required.roles.join(', ')})`;

async function list({ values, out }: Invocation, { call }: Caller): Promise<ExitCode> {
  const status = textOf(values, 'status') ?? 'waiting';
  if (status !== 'waiting' && status !== 'answered' && status !== 'all') {
    throw new TrailmixError('usage', { where: '--status', message: 'It is waiting, answered or all' });
  }
  const items: ApprovalView[] = [];
  let cursor: string | undefined;
  let total = 0;
  do {
    const page: OutputOf<'approvals'> = await call('approvals', {
      query: {
        status,
        app: textOf(values, 'app'),
        risk: textOf(values, 'risk'),
        by: textOf(values, 'by'),
        limit: 1000,
        cursor,
      },
    });
    items.push(...page.items);
    total = page.total;
    cursor = page.next;
  } while (cursor !== undefined);
  out.json({ approvals: items, total });
  if (total === 0) out.say(status === 'waiting' ? 'Nothing waits for an approval.' : 'There are none.');
  const now = new Date().toISOString();
  for (const approval of items) {
    const left = approval.status === 'waiting' ? `${seconds(now, approval.expires_at)} s left` : '';
    out.say(
      [
        approval.id,
        approval.status.padEnd(9),
        approval.risk.padEnd(8),
        approval.app_id,
        approval.action,
        needed(approval),
        left,
      ]
        .filter(part => part !== '')
        .join('  '),
    );
  }
  return 0;
}

async function show(id: string, { out }: Invocation, { call }: Caller): Promise<ExitCode> {
  const detail = await call('approvalDetail', { params: { id } });
  const { approval, previous, session, comments, still_needed } = detail;
  out.json(detail);
  out.say(`${approval.action}  (${approval.risk}, ${approval.app_id}, asked by ${approval.actor_id})`);
  out.say(`  status     ${approval.status}, asked ${approval.asked_at}, expires ${approval.expires_at}`);
  out.say(`  approvers  ${needed(approval)}${still_needed > 0 ? `, ${still_needed} still needed` : ''}`);
  out.say(`  reasons    ${approval.reasons.join('; ')}`);
  out.say(`  arguments  ${JSON.stringify(approval.payload, null, 2).replaceAll('\n', '\n             ')}`);
  if (previous !== undefined)
    out.say(
      `  before     ${previous.id}, ${previous.at}, by ${previous.by.join(', ')}: ${JSON.stringify(previous.payload)}`,
    );
  if (session.items.length > 0)
    out.say(`  session so far${session.more > 0 ? ` (${session.more} earlier left out)` : ''}:`);
  for (const item of session.items)
    out.say(`    ${item.at}  ${item.kind.padEnd(8)}  ${item.name}  ${item.decision ?? item.status ?? ''}`);
  for (const answer of approval.answers ?? [])
    out.say(
      `  ${answer.verdict.padEnd(7)}  ${answer.by}${answer.role === undefined ? '' : ` as ${answer.role}`}, ${answer.at}, ${answer.signed_in === 'none' ? 'unsigned' : 'signed'}`,
    );
  for (const comment of comments) out.say(`  comment  ${comment.by}, ${comment.at}: ${comment.text}`);
  return 0;
}

async function typed(question: string): Promise<string> {
  if (process.stdin.isTTY !== true) {
    throw new TrailmixError('usage', {
      where: '--answer',
      message: `${question} (give it with --answer where nobody can type)`,
    });
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${question} `)).trim();
  } finally {
    lines.close();
  }
}

type Verdict = 'approve' | 'deny';

async function answerAs(
  person: SignedIn,
  id: string,
  verdict: Verdict,
  { values, out }: Invocation,
): Promise<ApprovalView> {
  const detail = await person.call('approvalDetail', { params: { id } });
  const opened = await person.call('openApproval', { params: { id } });
  const openedAt = performance.now();
  const { shown, challenge } = opened;
  // What is signed is what stands here, digested here.
  out.note(
    JSON.stringify({
      action: shown.action,
      risk: shown.risk,
      asked_by: shown.actor_id,
      reasons: shown.reasons,
    }),
  );
  out.note(`arguments: ${JSON.stringify(shown.payload, null, 2)}`);
  const delegated = detail.may.on_behalf_of?.[0];
  const own = detail.may.roles[0];
  const role = textOf(values, 'role') ?? own ?? delegated?.roles[0];
  if (role === undefined) throw new TrailmixError('approval_role_missing');
  const behalf =
    detail.may.roles.includes(role) === false
      ? detail.may.on_behalf_of?.find(one => one.roles.includes(role))
      : undefined;
  let challengeAnswer: string | undefined;
  if (verdict === 'approve' && challenge.kind !== 'confirm') {
    challengeAnswer = textOf(values, 'answer') ?? (await typed(challenge.prompt ?? 'Answer:'));
  } else if (textOf(values, 'answer') === undefined && values.yes !== true) {
    const said = await typed(`Type ${verdict} to ${verdict} it:`);
    if (said !== verdict) throw new TrailmixError('usage', { message: 'Nothing was answered.' });
  }
  if (verdict === 'approve') {
    const wait = Date.parse(opened.not_before) - Date.parse(opened.now) - (performance.now() - openedAt);
    if (wait > 0) {
      out.note(`It can be approved in ${Math.ceil(wait / 1000)} s: time to read it.`);
      await pause(wait + 250);
    }
  }
  const comment = textOf(values, 'comment');
  const statement: ApprovalStatement = {
    binding: String(shown.binding_hash),
    verdict,
    approver_id: person.person.id,
    role,
    key_id: person.keyId,
    shown_digest: shownDigest(sha256, shown as JsonValue),
    opened_at: opened.opened_at,
    decided_at: new Date().toISOString().replace('Z', '000Z'),
    review: {
      review_id: opened.review_id,
      challenge: { kind: challenge.kind },
      ...(comment === undefined ? {} : { comment }),
      ...(behalf === undefined ? {} : { on_behalf_of: behalf.person, delegation_id: behalf.delegation_id }),
    },
  };
  return person.call('answerApproval', {
    params: { id },
    input: {
      verdict,
      review_id: opened.review_id,
      ...(comment === undefined ? {} : { comment }),
      ...(challengeAnswer === undefined ? {} : { challenge_answer: challengeAnswer }),
      statement: statement as InputOf<'answerApproval'>['statement'] & object,
      signature: person.sign(approvalMessage(statement)),
      signed_in: 'collector',
    },
  });
}

async function answer(
  id: string,
  verdict: Verdict,
  invocation: Invocation,
  caller: Caller,
): Promise<ExitCode> {
  const { values, out } = invocation;
  const as = textOf(values, 'as');
  const comment = textOf(values, 'comment');
  const { enrolled } = await caller.call('signInState');
  if (enrolled && as === undefined) {
    throw new TrailmixError('usage', { where: '--as', message: 'Say who answers: --as SIGN-IN-NAME' });
  }
  const view =
    as === undefined
      ? await caller.call('answerApproval', {
          params: { id },
          input: { verdict, ...(comment === undefined ? {} : { comment }) },
        })
      : await asPerson(caller, as, person => answerAs(person, id, verdict, invocation));
  out.json(view);
  const word = verdict === 'approve' ? 'Approved' : 'Refused';
  const rest = view.status === 'waiting' ? `; ${needed(view)} so far` : '';
  out.say(`${word}${as === undefined ? ', unsigned: nobody is enrolled' : ` and signed by ${as}`}${rest}.`);
  return 0;
}

async function report({ values, out }: Invocation, { call }: Caller): Promise<ExitCode> {
  const found = await call('reviewReport', {
    query: { from: textOf(values, 'from'), to: textOf(values, 'to') },
  });
  out.json(found);
  // `say` ends the last line: the same bytes as the page's file.
  out.say(reviewCsv(found).slice(0, -1));
  return 0;
}

export const approvalsCommand: Command = {
  summary: 'The queue of approvals: look, approve and refuse with your own sign-in.',
  usage: 'list | show ID | approve ID --as NAME | deny ID --as NAME | report',
  examples: [
    'trailmix approvals list',
    'trailmix approvals show apr_01',
    'trailmix approvals approve apr_01 --as anna --answer 12000',
    'trailmix approvals deny apr_01 --as anna --comment "wrong account" --yes',
    'trailmix approvals report --from 2026-01-01T00:00:00Z > reviews.csv',
  ],
  options: {
    as: { type: 'string' },
    role: { type: 'string' },
    answer: { type: 'string' },
    comment: { type: 'string' },
    yes: { type: 'boolean' },
    status: { type: 'string' },
    app: { type: 'string' },
    risk: { type: 'string' },
    by: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    'key-file': { type: 'string' },
  },
  help: {
    '--as NAME': 'your sign-in name; the passphrase is typed, piped, or TRAILMIX_SIGN_IN',
    '--answer TEXT': 'to the question about the action, where nobody can type',
    '--role ROLE': 'the role in which you answer, where you have several',
    '--comment TEXT': 'why; it is signed with the answer',
    '--yes': 'do not ask again',
    '--status WORD': '`list`: waiting (default), answered or all',
    '--app APP, --risk RISK, --by NAME': '`list`: only these',
    '--from T, --to T': '`report`: only answers of this time',
    '--key-file F': "the vault's key file, where it is not in its usual place",
  },
  words: [1, 2],
  async run(invocation) {
    const { data, values, positionals } = invocation;
    const [verb, id] = positionals;
    const withId = verb === 'show' || verb === 'approve' || verb === 'deny';
    if (!withId && verb !== 'list' && verb !== 'report') {
      throw new TrailmixError('usage', {
        where: verb ?? '',
        message: `approvals has no ${verb}: list, show, approve, deny or report`,
      });
    }
    if (withId && id === undefined)
      throw new TrailmixError('usage', { message: `${verb} needs the approval's id` });
    return withCollector(data, custodyOf(values), caller => {
      if (verb === 'list') return list(invocation, caller);
      if (verb === 'report') return report(invocation, caller);
      if (verb === 'show') return show(id!, invocation, caller);
      return answer(id!, verb as Verdict, invocation, caller);
    });
  },
};
