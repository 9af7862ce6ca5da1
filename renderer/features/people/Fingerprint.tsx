/** A key's fingerprint, to be read aloud by one and compared by the other: words first, the id beneath. */
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { CopyButton } from '../../ui/Copy.tsx';
import { fingerprintGroups, fingerprintWords } from './fingerprint.ts';
import './people.css';

export function Fingerprint({ keyId }: { keyId: string }) {
  return (
    <section className="fingerprint" aria-label="Fingerprint of the key">
      <ol className="fingerprint-words">
        {fingerprintWords(keyId, wordlist).map((word, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a fingerprint may hold a word twice, and never moves
          <li key={i}>
            <span>{i + 1}</span>
            <b>{word}</b>
          </li>
        ))}
      </ol>
      <div className="fingerprint-groups">
        <span>{fingerprintGroups(keyId).join(' ')}</span>
        <CopyButton text={keyId} what="key id" size={18} />
      </div>
    </section>
  );
}
