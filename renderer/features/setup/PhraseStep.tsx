/** Step 2: the recovery phrase, shown once, then two of its words retyped. It is held by this component alone. */
import { Button, TextInput } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy, IconPrinter } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { phraseForPaper, placesToRetype, sameWord, wordsOf } from './setup_steps.ts';

export function PhraseStep({
  phrase,
  person,
  url,
  onWritten,
}: {
  phrase: string;
  person: string;
  url: string;
  onWritten: () => void;
}) {
  const words = wordsOf(phrase);
  const { copied, copy } = useClipboard({ timeout: 2_000 });
  const [asking, setAsking] = useState(false);
  const [places] = useState(() => placesToRetype(words.length, Math.random));
  const [typed, setTyped] = useState(['', '']);
  const [wrong, setWrong] = useState(false);
  const paper = phraseForPaper(phrase, { url, person, date: new Date().toISOString().slice(0, 10) });
  const check = (event: FormEvent) => {
    event.preventDefault();
    const right = places.every((place, i) => sameWord(typed[i] ?? '', words[place] ?? ''));
    setWrong(!right);
    if (right) onWritten();
  };

  if (asking) {
    return (
      <form onSubmit={check} noValidate>
        <h1>Two words, to be sure</h1>
        <p className="setup-lead">Type these two words from what you wrote down.</p>
        <div className="setup-fields">
          {places.map((place, i) => (
            <TextInput
              key={place}
              label={`Word ${place + 1}`}
              size="sm"
              autoFocus={i === 0}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              value={typed[i]}
              onChange={event => {
                const next = [...typed];
                next[i] = event.currentTarget.value;
                setTyped(next);
                setWrong(false);
              }}
              error={wrong && !sameWord(typed[i] ?? '', words[place] ?? '') && 'This is another word.'}
            />
          ))}
        </div>
        <footer className="setup-foot">
          <Button variant="default" size="sm" onClick={() => setAsking(false)}>
            Show the phrase again
          </Button>
          <Button type="submit" size="sm">
            Continue
          </Button>
        </footer>
      </form>
    );
  }
  return (
    <div>
      <h1>Write down your recovery phrase</h1>
      <p className="setup-lead">
        These {words.length} words open your records when the key is lost, and every backup. They are shown{' '}
        <b>only now</b>, and nobody can give them to you again. Keep them on paper, away from this computer.
      </p>
      <ol className="phrase" aria-label="Recovery phrase">
        {words.map((word, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a phrase may hold a word twice, and never moves
          <li key={i}>
            <span>{i + 1}</span>
            <b>{word}</b>
          </li>
        ))}
      </ol>
      <pre className="phrase-paper" aria-hidden>
        {paper}
      </pre>
      <footer className="setup-foot">
        <span className="row">
          <Button
            variant="default"
            size="sm"
            leftSection={<IconPrinter size={15} aria-hidden />}
            onClick={() => print()}
          >
            Print
          </Button>
          <Button
            variant="default"
            size="sm"
            leftSection={copied ? <IconCheck size={15} aria-hidden /> : <IconCopy size={15} aria-hidden />}
            onClick={() => copy(paper)}
          >
            {copied ? 'Copied' : 'Copy'}
          </Button>
        </span>
        <Button size="sm" onClick={() => setAsking(true)} autoFocus>
          I have written it down
        </Button>
      </footer>
    </div>
  );
}
