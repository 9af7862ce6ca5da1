/** A new passphrase, typed twice: what it must have, how hard it is to guess, and a suggestion of plain words. */
import { Button, PasswordInput } from '@mantine/core';
import { useState } from 'react';
import { passphraseFault } from '../setup/setup_steps.ts';
import { type Strength, strengthOf, suggestPassphrase } from './strength.ts';
import './people.css';

const looks: Record<Strength['level'], { bars: number; tone: string }> = {
  short: { bars: 0, tone: 'plain' },
  weak: { bars: 1, tone: 'deny' },
  fair: { bars: 2, tone: 'ask' },
  good: { bars: 3, tone: 'allow' },
};

export type NewPassphrase = { passphrase: string; again: string };
export const noPassphrase: NewPassphrase = { passphrase: '', again: '' };

/** `own`: names that anybody would try first. `tried`: show what is missing. */
export function PassphraseFields({
  value,
  onChange,
  own = [],
  tried,
  label = 'Passphrase',
}: {
  value: NewPassphrase;
  onChange: (next: NewPassphrase) => void;
  own?: string[];
  tried: boolean;
  label?: string;
}) {
  const [visible, setVisible] = useState(false);
  const fault = passphraseFault(value.passphrase, value.again);
  const strength = strengthOf(value.passphrase, own);
  const { bars, tone } = looks[strength.level];
  const suggest = async () => {
    const { wordlist } = await import('@scure/bip39/wordlists/english.js');
    const passphrase = suggestPassphrase(wordlist, () => crypto.getRandomValues(new Uint32Array(1))[0]!);
    setVisible(true);
    onChange({ passphrase, again: passphrase });
  };
  return (
    <div className="people-passphrase">
      <div className="people-fields">
        <PasswordInput
          label={label}
          size="sm"
          autoComplete="new-password"
          visible={visible}
          onVisibilityChange={setVisible}
          value={value.passphrase}
          onChange={event => onChange({ ...value, passphrase: event.currentTarget.value })}
          error={tried && fault}
        />
        <PasswordInput
          label="The same again"
          size="sm"
          autoComplete="new-password"
          visible={visible}
          onVisibilityChange={setVisible}
          value={value.again}
          onChange={event => onChange({ ...value, again: event.currentTarget.value })}
        />
      </div>
      <div className={`people-strength tone-${tone}`}>
        <span className="people-meter" aria-hidden>
          {[1, 2, 3].map(bar => (
            <i key={bar} data-on={bar <= bars || undefined} />
          ))}
        </span>
        <span role="status">
          {value.passphrase === ''
            ? 'At least 12 characters. Five or six unrelated words are easy to keep in mind.'
            : visible && value.passphrase === value.again && strength.level === 'good'
              ? 'Hard to guess. Keep it in a password manager, or on paper until you know it.'
              : strength.words}
        </span>
        <Button className="people-suggest" variant="default" size="compact-xs" onClick={() => void suggest()}>
          Suggest one
        </Button>
      </div>
    </div>
  );
}
