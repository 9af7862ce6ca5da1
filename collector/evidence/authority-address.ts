/** Addresses of time-stamping authorities. */

/** Why an address cannot be one of an authority, or undefined. */
export function urlFault(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return `${text} is no address`;
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return `${text} is not of http or https`;
  return url.username === '' && url.password === '' ? undefined : 'an address must not hold a password';
}
