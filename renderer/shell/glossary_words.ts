/** The glossary: the app's words in plain sentences. Sorted by word when shown. */
export type Term = { word: string; means: string };

export const glossary: Term[] = [
  {
    word: 'Run',
    means:
      'Everything one app did in one session: one conversation, one job, one task. A run is a row in Traces.',
  },
  {
    word: 'Event',
    means:
      'One recorded thing: a model call, a tool call, a decision, an approval. Each has a number, written #18,204.',
  },
  { word: 'Span', means: 'An event that lasted: it has a start, an end, and may hold others.' },
  {
    word: 'Ledger',
    means:
      'The encrypted book on this computer that holds every event in order. Nothing in it is changed or taken out unseen.',
  },
  { word: 'Hash', means: 'A fingerprint of a text. Change one letter and it is another fingerprint.' },
  {
    word: 'Chain',
    means:
      'Each event carries the fingerprint of the one before it. To change one, all after it would have to change.',
  },
  { word: 'Signature', means: 'Proof that the holder of a key signed exactly this text.' },
  {
    word: 'Checkpoint',
    means: 'One signed line that stands for every event so far. Small enough to keep anywhere.',
  },
  {
    word: 'Exported to',
    means:
      'How far the exported packs reach. Give one to someone outside this computer, and what it covers can’t be rewritten unseen, even by who has the key.',
  },
  {
    word: 'Inclusion proof',
    means:
      'A short list of hashes that shows that one event stands under a checkpoint, without showing the others.',
  },
  {
    word: 'Verified',
    means:
      'Hash, chain and signature were recomputed on this computer and agreed. What is not verified is never shown as if it were.',
  },
  {
    word: 'Policy',
    means:
      'The rules, written in Rego, that say which calls may run, which may not, and which need a person.',
  },
  {
    word: 'Decision',
    means:
      'What the policy answered to one call: Allowed, Denied, or Needs approval. Recorded before the call runs.',
  },
  {
    word: 'Needs approval',
    means:
      'The policy wants a person to agree. The call waits; if nobody answers in time it expires and does not run.',
  },
  { word: 'Refused', means: 'A person said no. Denied, by contrast, is the policy’s own no.' },
  {
    word: 'Failed',
    means: 'The policy could not be evaluated. The call is then denied: the gate fails closed.',
  },
  {
    word: 'Sign-in',
    means:
      'A name and a passphrase of one person. The passphrase opens that person’s signing key in the page, and is sent nowhere.',
  },
  {
    word: 'Fingerprint',
    means:
      'Eight words that stand for a signing key. Its owner reads them to an admin, who compares them before signing that the key is theirs.',
  },
  {
    word: 'Four-eyes',
    means:
      'In force once two approvers are enrolled: nobody approves what they asked for, and a rule that wants two people gets two.',
  },
  {
    word: 'Delegation',
    means:
      'A person hands a role to another approver until a set end. It gives a role, not a second voice: one person counts once.',
  },
  { word: 'Risk', means: 'How the app rated the call: low, medium, high or critical.' },
  {
    word: 'Eval',
    means:
      'A score that the app attached to an answer, such as toxicity or groundedness, with the limit it should keep.',
  },
  {
    word: 'Unverified',
    means:
      'Sent without an API key, from this computer. Recorded and kept apart: nobody vouches for who sent it.',
  },
  {
    word: 'Sample',
    means:
      'A run that comes with the app to look around in. Its times and costs are made up, and it says so.',
  },
  {
    word: 'Evidence pack',
    means:
      'A zip with events, proofs, policies and a summary that anyone can verify on another machine with stock tools.',
  },
  { word: 'Integrity', means: 'Verdict of a pack: nothing in it was changed since it was recorded.' },
  {
    word: 'Completeness',
    means: 'Verdict of a pack: every event of this app that was recorded in its time window is in it.',
  },
  {
    word: 'Time',
    means: 'Verdict of a pack: an outside authority vouches for when. Without one it is “not shown”.',
  },
  {
    word: 'Identity',
    means:
      'Verdict of a pack: who approved and who sent is proved by their own keys. Without that it is “not shown”.',
  },
  {
    word: 'Time-stamp',
    means:
      'A hash that an outside authority signed together with its own time. It shows by when something existed, whatever this computer’s clock said.',
  },
  {
    word: 'Witness',
    means:
      'Somebody outside who cosigns checkpoints after checking that each continues the one before. They see counts and hashes, nothing else.',
  },
  {
    word: 'Body',
    means:
      'What an event says: input, output, arguments. It can be erased or left out of a pack; its place, hash and proofs stay.',
  },
  {
    word: 'Custody',
    means: 'Where the key of the ledger is kept, and what that does and does not protect against.',
  },
  {
    word: 'Recovery phrase',
    means: '24 words, shown once. They open the ledger when its key is lost, and every backup.',
  },
];

export type Keystroke = { keys: string[]; does: string };
export const keystrokes: Keystroke[] = [
  { keys: ['Ctrl', 'K'], does: 'Command palette: places, events, runs' },
  { keys: ['g', 'o'], does: 'Overview' },
  { keys: ['g', 't'], does: 'Traces' },
  { keys: ['g', 'a'], does: 'Approvals' },
  { keys: ['g', 'p'], does: 'Policies' },
  { keys: ['g', 'e'], does: 'Evidence' },
  { keys: ['g', 's'], does: 'Settings' },
  { keys: ['/'], does: 'Search on this screen' },
  { keys: ['↑', '↓'], does: 'Previous, next row' },
  { keys: ['Enter'], does: 'Open the row' },
  { keys: ['←', '→'], does: 'In a run: fold, unfold' },
  { keys: ['n', 'Shift n'], does: 'In a run: next, previous match' },
  { keys: ['+', '−', '0'], does: 'In a run: zoom in, out, whole' },
  { keys: ['j', 'k'], does: 'In Approvals: next, previous' },
  { keys: ['a', 'r'], does: 'In Approvals: approve, refuse; asks once more' },
  { keys: ['Esc'], does: 'Close, or leave the search box' },
  { keys: ['?'], does: 'This page' },
];
