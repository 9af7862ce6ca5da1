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
  const probe = document.createElement('span');
  at.append(probe);
  const resolve = (token: string): string => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    shades: SHADES.map(shade => resolve(tokenOf[shade])),
    line: resolve('--line'),
    brand: resolve('--brand'),
    mark: resolve('--mark'),
  };
  probe.remove();
  return colours;
}
