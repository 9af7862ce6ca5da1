/**
 * Texts of a pack as they may be shown to a person: whoever made the pack chose them. What could steer a terminal or turn
 * the reading direction becomes U+FFFD.
 */

/** Controls, line and paragraph separators, marks and overrides of direction, and what has no width. */
const STEERING = /[\p{Cc}\u2028\u2029\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** At most so many UTF-16 code units; what is cut ends in an ellipsis. */
export function plainText(text: string, most = 120): string {
  const short = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return short.toWellFormed().replace(STEERING, '\ufffd');
}
