/** Which columns the reader has hidden, kept in this browser. */
import { useState } from 'react';

const KEY = 'trailmix-traces-hidden';
const DEFAULT = ['tokens', 'session'];

export function useColumnChoice(): [string[], (hidden: string[]) => void] {
  const [hidden, setHidden] = useState<string[]>(() => {
    try {
      const held: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null');
      return Array.isArray(held) ? held.filter((id): id is string => typeof id === 'string') : DEFAULT;
    } catch {
      return DEFAULT;
    }
  });
  return [
    hidden,
    next => {
      setHidden(next);
      try {
        localStorage.setItem(KEY, JSON.stringify(next));
      } catch {
        // Storage can be off: the choice then lasts for this page only.
      }
    },
  ];
}
