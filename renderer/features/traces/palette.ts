/** The waterfall's colours, read from the tokens of the theme in force: a canvas has no CSS. */
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

export type CanvasColours = { shades: string[]; line: string; brand: string; mark: string };

/** Resolves tokens (which may be `light-dark()`) to colours that a canvas takes. */
export function readColours(at: HTMLElement): CanvasColours {
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
