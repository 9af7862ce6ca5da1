/**
 * Single-key shortcuts. Rules: never while typing or with a modifier, and the reader can turn them off
 * (WCAG 2.1.4); `g` waits one second for its second key.
 */
import { useEffect, useRef, useSyncExternalStore } from 'react';

const KEY = 'trailmix-keys';
const listeners = new Set<() => void>();

function keysOn(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

export function useKeysOn(): [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore(listener => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, keysOn);
  return [
    on,
    next => {
      try {
        localStorage.setItem(KEY, next ? 'on' : 'off');
      } catch {
        // Storage can be off: shortcuts then stay on.
      }
      for (const listener of listeners) listener();
    },
  ];
}

/** Whether a key press belongs to a field, a dialog or a combination of the browser. */
export function isTyping(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  // A dialog that has just come gets the focus a moment later: keys typed until then are meant for it.
  if (document.querySelector('[role="dialog"][aria-modal="true"]') !== null) return true;
  const at = event.target;
  if (!(at instanceof HTMLElement)) return false;
  return at.isContentEditable || at.closest('input, textarea, select, [role="dialog"]') !== null;
}

/** Keys of a screen: `{ '/': focusSearch, n: next, N: previous }`. A handler that ran stops the key. */
export function useKeys(keys: Record<string, () => void>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || !keysOn() || goKeys.has(event)) return;
      const handler = latest.current[event.key];
      if (handler === undefined) return;
      event.preventDefault();
      handler();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

/** Key presses that belong to a `g` sequence: no other shortcut sees them. */
const goKeys = new WeakSet<KeyboardEvent>();

/** `g` followed by a place's letter. Listens first (capture), so that it can claim its keys. */
export function useGo(go: (letter: string) => boolean): void {
  const latest = useRef(go);
  latest.current = go;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let pending = false;
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || !keysOn()) return;
      if (pending) {
        clearTimeout(timer);
        pending = false;
        if (!latest.current(event.key)) return;
        goKeys.add(event);
        event.preventDefault();
      } else if (event.key === 'g') {
        goKeys.add(event);
        pending = true;
        timer = setTimeout(() => {
          pending = false;
        }, 1_000);
      }
    };
    addEventListener('keydown', onKey, true);
    return () => removeEventListener('keydown', onKey, true);
  }, []);
}
