/** The papers of the incident drill: what participants get, and what only the facilitator reads. */
import type { Change } from './drill_changes.ts';

export type Drill = {
  readonly seed: number;
  readonly tampered: string;
  readonly honest: string;
  readonly app: string;
};

export const participantSheet = ({ app, tampered, honest }: Drill): string => {
  const [one, two] = [tampered, honest].sort();
  return `# Incident drill: participant sheet

Everything here is a sample. No real payment, person or company is in it.

## What happened

\`${app}\` is an agent that prepares supplier payments. Calls above a limit are put to a person. A bank asks about one of
the payments. Two people have sent you an evidence pack of the same ledger and the same window. Each says that theirs is
the original. They are not the same.

## What you have

- \`${one}\` and \`${two}\`: the two packs.
- \`trust/\`: what the one who runs the collector gave you in person, apart from both packs.
- A machine without a network, with \`trailmix\` (or \`trailmix-verify.mjs\`, or sha256sum and openssl).

## What to find out (60 minutes)

1. Which pack is the original, and how do you know? Say it without using the word "valid".
2. What exactly was changed in the other one? For each change: which record or file, what it said before, what it says now.
3. For each change: which of the four verdicts shows it, and what would have hidden it?
4. Could you have told without the \`trust/\` folder? Try it.
5. What happened with each payment: who asked, what did the policy say, who answered, what came of it?
6. What can you not know from either pack?

Write down for each finding the command that shows it. \`README-VERIFY.txt\` in each pack has the commands of stock tools;
\`trailmix verify PACK --trust trust\` checks everything else.
`;
};

export const facilitatorGuide = (
  drill: Drill,
  changes: readonly Change[],
): string => `# Incident drill: for the facilitator

Do not hand this out. Seed ${drill.seed}: \`trailmix drill --seed ${drill.seed}\` makes the same changes again.

The original is \`${drill.honest}\`. \`${drill.tampered}\` was changed by someone who had the pack, and not the keys.

## What was changed

${changes
  .map(
    ({ kind, what, why, found }, i) => `${i + 1}. **${kind}.** ${what}
   Why it shows: ${why}
   The verifier says: \`${found.code}\` at \`${found.where}\`.
`,
  )
  .join('\n')}
## Running it

| minutes | what |
|---|---|
| 0-5 | Hand out the sheet and the folder \`participants/\`. Roles: lead, analyst, scribe, someone who asks "how do you know?" |
| 5-25 | Free work. If nobody has verified both packs after ten minutes, ask what the \`trust/\` folder is for. |
| 25-45 | Ask for the changes one by one, with the command that shows each. |
| 45-60 | Debrief. |

## Hints, one at a time

- What does \`sha256sum -c checksums.txt\` say of each pack? (OK of both: the forger made the lists anew.)
- Who signed each? Compare with \`trust/org.pem\`.
- Give \`trailmix verify\` the trust folder, and read the place behind each finding.
- The same place in both packs: unzip them and compare with \`diff -r\`.

## Debrief

- Without \`trust/\`, what was the strongest thing that could be said? Which of your partners' trust folders do you hold today?
- Which changes would a forger with the collector's signing keys have got away with? (All, before the checkpoint was given away: that is
  what witnesses, stamps and packs kept elsewhere are for. \`trailmix verify NEW --since OLD\`.)
- Who in your organisation would have noticed, and after how long?
- What was not in either pack: whether what programs reported was true, and what was never sent.
`;
