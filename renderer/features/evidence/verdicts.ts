/** Four verdicts in plain words, from the verifier's report. Pure. Never says more than the report does. */
import type { Finding, Verdict, Verdicts } from '../../../core/pack/findings.ts';

export type VerdictLook = {
  id: Verdict;
  name: string;
  asks: string;
  result: 'pass' | 'fail' | 'not_shown';
  word: string;
  tone: 'allow' | 'deny' | 'plain';
  sentence: string;
  findings: Finding[];
};

const words = { pass: 'Shown', fail: 'Fails', not_shown: 'Not shown' } as const;
const tones = { pass: 'allow', fail: 'deny', not_shown: 'plain' } as const;

const table: Record<Verdict, { name: string; asks: string } & Record<'pass' | 'fail' | 'not_shown', string>> =
  {
    integrity: {
      name: 'Integrity',
      asks: 'Was anything changed?',
      pass: 'Nothing in this pack was changed since it was recorded.',
      fail: 'Something in this pack was changed, or its parts do not fit together. Do not rely on it.',
      not_shown:
        'All parts that were checked here fit together. Something that would complete the proof was not checked.',
    },
    completeness: {
      name: 'Completeness',
      asks: 'Is anything left out?',
      pass: 'Every record of this app that was received in the window is here.',
      fail: 'Records of this app are missing, or the window is not what it says.',
      not_shown: 'The pack does not show that nothing was left out.',
    },
    time: {
      name: 'Time',
      asks: 'Does someone outside vouch for when?',
      pass: 'An outside authority vouches for when this was recorded.',
      fail: 'The time-stamp does not fit this pack.',
      not_shown:
        'No outside authority vouches for the times: they are those of the recording computer’s clock.',
    },
    identity: {
      name: 'Identity',
      asks: 'Who sent, and who approved?',
      pass: 'Who sent the events and who approved is proved by their own keys.',
      fail: 'Some of it came from nobody who can be named.',
      not_shown: 'Who sent, approved or signed is said, but not proved by a key of their own.',
    },
  };

export function buildVerdicts(verdicts: Verdicts): VerdictLook[] {
  return (['integrity', 'completeness', 'time', 'identity'] as const).map(id => {
    const { result, findings } = verdicts[id];
    const row = table[id];
    return {
      id,
      name: row.name,
      asks: row.asks,
      result,
      word: words[result],
      tone: tones[result],
      sentence: row[result],
      findings: [...findings].sort((a, b) => rank(a) - rank(b)),
    };
  });
}

const rank = (finding: Finding): number => ['fail', 'not_shown', 'warning'].indexOf(finding.level);

export const levelWords = { fail: 'Fails', not_shown: 'Not shown', warning: 'Note' } as const;

/** Whether the checkpoint's key was compared with one from outside the pack. */
export const keysCompared = (verdicts: Verdicts): boolean =>
  !verdicts.integrity.findings.some(finding => finding.code === 'keys_untrusted');

/** The whole in one sentence. `trusted`: its keys are those that the reader got apart from the pack. */
export function buildConclusion(
  verdicts: Verdicts,
  trusted: boolean,
): { tone: 'allow' | 'deny' | 'ask'; text: string } {
  const failed = buildVerdicts(verdicts).filter(verdict => verdict.result === 'fail');
  if (failed.length > 0) {
    const names = failed.map(verdict => verdict.name.toLowerCase());
    const last = names.pop();
    return {
      tone: 'deny',
      text: `This pack fails: ${names.length > 0 ? `${names.join(', ')} and ` : ''}${last}.`,
    };
  }
  if (verdicts.integrity.result === 'pass' && verdicts.completeness.result === 'pass') {
    return { tone: 'allow', text: 'Unchanged and complete, as far as this ledger’s own keys can show.' };
  }
  return trusted
    ? { tone: 'allow', text: 'Nothing fails, and its checkpoint is signed by the key you trust.' }
    : {
        tone: 'ask',
        text: 'Nothing fails. But a forger could make a whole pack with keys of their own: compare with a trust.json that you got apart from it.',
      };
}
