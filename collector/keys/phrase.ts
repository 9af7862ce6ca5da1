/**
 * The recovery phrase: 24 words of BIP-39 English, 256 random bits and a checksum. Shown once, kept nowhere.
 * It opens the vault and any backup by itself, so whoever has it and the data has everything.
 */
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { TrailmixError } from '../../core/api/errors.ts';
import { SecretBytes, SecretText } from './secret.ts';

/** The phrase of 32 bytes. */
export const phraseOf = (entropy: Uint8Array): SecretText =>
  new SecretText(entropyToMnemonic(entropy, wordlist));

/** The 32 bytes of a phrase; case and white space do not matter. Throws vault_secret_wrong for what is no phrase. */
export function entropyOf(phrase: string): SecretBytes {
  const words = phrase.normalize('NFKD').trim().toLowerCase().split(/\s+/);
  try {
    if (words.length !== 24) throw new Error();
    return SecretBytes.copy(mnemonicToEntropy(words.join(' '), wordlist));
  } catch {
    // The library's message may quote the words: it must not travel on.
    throw new TrailmixError('vault_secret_wrong', {
      message: 'These are not the 24 words of a recovery phrase: check their order and spelling.',
    });
  }
}

/** Whether a text has the form of a recovery phrase, checksum included. */
export function isPhrase(text: string): boolean {
  try {
    entropyOf(text);
    return true;
  } catch {
    return false;
  }
}
