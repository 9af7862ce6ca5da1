/** The canvases' colours, read from the tokens of the theme in force, anew when it changes: a canvas has no CSS. */
import { useEffect, useState } from 'react';
import { SHADES, type Shade } from './timeline.ts';

const tokenOf: Record<Shade, string> = {
  none: '--line',
  other: '--kind-other',
  user: '--kind-user',
  agent: '--kind-agent',
  llm: '--kind-llm',
  tool: '--kind-tool',
  allow: '--allow',
  ask: '--ask',
  fail: '--fail',
  deny: '--deny',
};

type CanvasColours = { shades: string[]; line: string; brand: string; mark: string };

/** Resolves tokens to colours that a canvas takes. */
function readColours(at: HTMLElement): CanvasColours {
  // An element of its own for each: where less motion is wanted every property has a very short transition, and a
  // colour that was just changed would still be read as the one before.
  const resolve = (token: string): string => {
    const probe = document.createElement('span');
    probe.style.color = `var(${token})`;
    at.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
  return {
    shades: SHADES.map(shade => resolve(tokenOf[shade])),
    line: resolve('--line'),
    brand: resolve('--brand'),
    mark: resolve('--mark'),
  };
}

export function useColours(): CanvasColours {
  const [colours, setColours] = useState(() => readColours(document.body));
  useEffect(() => {
    // The attribute is set after the render that follows a change of scheme: only then do the tokens have new values.
    const watch = new MutationObserver(() => setColours(readColours(document.body)));
    watch.observe(document.documentElement, { attributeFilter: ['data-mantine-color-scheme'] });
    return () => watch.disconnect();
  }, []);
  return colours;
}
