/** The first start's choices and checks. Pure: randomness is an argument. */

export type CustodyKind = 'key_file' | 'passphrase' | 'safe_storage';
export type CustodyOption = {
  kind: CustodyKind;
  title: string;
  mark?: string;
  lead: string;
  protects: string[];
  exposes: string[];
};

/** What each custody protects and does not, in plain words. The full list stands in Settings > Custody. */
export function buildCustodyOptions(desktop: boolean): CustodyOption[] {
  const options: CustodyOption[] = [
    {
      kind: 'key_file',
      title: 'Key file',
      ...(desktop ? {} : { mark: 'Recommended' }),
      lead: 'A small file outside the data folder opens your records. The app starts by itself.',
      protects: ['a copy or synced backup of the data folder', 'other users of this computer'],
      exposes: [
        'programs that run as you, the audited agent among them',
        'a stolen disk that is not encrypted',
      ],
    },
    {
      kind: 'passphrase',
      title: 'Passphrase',
      lead: 'You type it at each start. Nothing is recorded until then.',
      protects: ['a copy or synced backup of the data folder', 'a stolen disk, while the app is not running'],
      exposes: ['programs that run as you, while the app is open', 'a passphrase that can be guessed'],
    },
  ];
  if (desktop) {
    options.unshift({
      kind: 'safe_storage',
      title: 'This desktop’s keystore',
      mark: 'Recommended',
      lead: 'Your sign-in to this computer opens your records. The app starts by itself.',
      protects: ['a copy or synced backup of the data folder', 'a stolen disk, without your sign-in'],
      exposes: ['programs that run as you, the audited agent among them, while you are signed in'],
    });
  }
  return options;
}

export const PASSPHRASE_LEAST = 12;

/** Why a passphrase cannot be used; undefined where it can. */
export function passphraseFault(passphrase: string, again: string): string | undefined {
  const missing = PASSPHRASE_LEAST - [...passphrase.normalize('NFKC')].length;
  if (missing > 0) return `At least ${PASSPHRASE_LEAST} characters: ${missing} more.`;
  return passphrase === again ? undefined : 'The two are not the same.';
}

export const wordsOf = (phrase: string): string[] => phrase.trim().split(/\s+/);

/** Two different places (from 0, in order) of a phrase of `count` words. `random` answers [0, 1). */
export function placesToRetype(count: number, random: () => number): [number, number] {
  const first = Math.floor(random() * count);
  const step = 1 + Math.floor(random() * (count - 1));
  const second = (first + step) % count;
  return first < second ? [first, second] : [second, first];
}

/** Typed words compare without case or outer spaces. */
export const sameWord = (typed: string, word: string): boolean =>
  typed.trim().toLowerCase() === word.toLowerCase();

/** The phrase for paper: numbered lines, and what it is for. */
export function phraseForPaper(
  phrase: string,
  ledger: { url: string; person: string; date: string },
): string {
  const lines = wordsOf(phrase).map((word, i) => `${String(i + 1).padStart(2)}. ${word}`);
  return `Audit TrailMix recovery phrase\nfor ${ledger.person}, ${ledger.url}, made ${ledger.date}\n\n${lines.join('\n')}\n\nOpens the ledger when its key is lost, and every backup of it. Keep it on paper, away from this computer.\n`;
}
