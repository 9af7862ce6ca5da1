/**
 * Whether a person does something in this page: what it asks by itself does not keep a session alive (docs/spec/people.md,
 * "Sign-in"). A hand on keys or pointer counts for the requests of the next seconds.
 */
const RECENT_MS = 10_000;
let touched = 0;

if (typeof document !== 'undefined') {
  for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart']) {
    document.addEventListener(kind, () => (touched = Date.now()), { capture: true, passive: true });
  }
}

export const isPresent = (): boolean => Date.now() - touched < RECENT_MS;
