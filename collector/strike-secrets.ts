/** What looks like a credential never leaves in a text that is kept or shown: log lines, messages of unforeseen errors. */

/** API keys, session tokens, one-time tokens, Bearer headers, PEM keys, phrases: whatever could open something. */
const SECRETS: [RegExp, string][] = [
  [/\btms?1\.[A-Za-z0-9._~+/=-]+/g, '[secret]'],
  [/(bearer\s+)[A-Za-z0-9._~+/=-]+/gi, '$1[secret]'],
  [/([?#&]token=)[A-Za-z0-9._~+/=-]+/g, '$1[secret]'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, '[secret]'],
  [
    /("(?:passphrase|recovery_phrase|phrase|api_key|apiKey|authorization|token|session|secret|mac|auth|password|key_file_content)":)"(?:[^"\\]|\\.)*"/gi,
    '$1"[secret]"',
  ],
];

export function strikeSecrets(line: string): string {
  let out = line;
  for (const [pattern, instead] of SECRETS) out = out.replace(pattern, instead);
  return out;
}
