/** The glossary drawer: words, keys, and the switch for single-key shortcuts. */
import { Drawer, Switch, TextInput } from '@mantine/core';
import { createContext, useState } from 'react';
import { glossary, keystrokes } from './glossary_words.ts';
import { useKeysOn } from './shortcuts.ts';

/** Opens the glossary from any screen. */
export const OpenGlossary = createContext<() => void>(() => {});

export function Glossary({ opened, close }: { opened: boolean; close: () => void }) {
  const [find, setFind] = useState('');
  const [keysOn, setKeysOn] = useKeysOn();
  const wanted = find.trim().toLowerCase();
  const terms = glossary
    .filter(term => `${term.word} ${term.means}`.toLowerCase().includes(wanted))
    .sort((a, b) => a.word.localeCompare(b.word, 'en'));
  return (
    <Drawer
      opened={opened}
      onClose={close}
      position="right"
      size={400}
      title="Words and keys"
      className="glossary"
    >
      <TextInput
        aria-label="Find a word"
        placeholder="Find a word"
        value={find}
        onChange={event => setFind(event.currentTarget.value)}
        data-autofocus
      />
      <dl className="terms">
        {terms.map(term => (
          <div key={term.word}>
            <dt>{term.word}</dt>
            <dd>{term.means}</dd>
          </div>
        ))}
        {terms.length === 0 && <p className="mute">No word matches “{find}”.</p>}
      </dl>
      <h2>Keys</h2>
      <dl className="keys">
        {keystrokes.map(stroke => (
          <div key={stroke.does}>
            <dt>
              {stroke.keys.map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{stroke.does}</dd>
          </div>
        ))}
      </dl>
      <Switch
        label="Single-key shortcuts"
        description="Turn off if they get in the way of speech input or other tools."
        checked={keysOn}
        onChange={event => setKeysOn(event.currentTarget.checked)}
      />
    </Drawer>
  );
}
