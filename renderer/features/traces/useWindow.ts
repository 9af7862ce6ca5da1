/** The window of time that the waterfall shows: local while it moves, in the address when it rests. */
import { useDebouncedCallback } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import { clampWindow, isWhole, type Window } from './timeline.ts';

export function useWindow(
  whole: Window,
  held: Window | undefined,
  hold: (window: Window | undefined) => void,
): [Window, (window: Window) => void] {
  const [shown, setShown] = useState(() => (held === undefined ? whole : clampWindow(held, whole)));
  const settle = useDebouncedCallback(
    (window: Window) => hold(isWhole(window, whole) ? undefined : window),
    250,
  );
  const from = held?.from;
  const to = held?.to;
  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the address and the run, not its own moves
  useEffect(() => {
    setShown(from === undefined || to === undefined ? whole : clampWindow({ from, to }, whole));
  }, [from, to, whole.to]);
  return [
    shown,
    window => {
      setShown(window);
      settle({ from: Math.round(window.from), to: Math.round(window.to) });
    },
  ];
}
