/** Moving by keyboard alone: Tab until something has the focus, and every stop on the way must show it. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

const MOST_STOPS = 80;

/** Presses Tab until `target` has the focus. Fails with the stops that were passed, or on one that shows no focus. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  const passed: string[] = [];
  for (let i = 0; i < MOST_STOPS; i++) {
    if (await target.evaluate(element => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
    const stop = await focusOf(page);
    expect(stop, `focus shown after ${passed.slice(-3).join(' > ')}`).toMatchObject({ shown: true });
    passed.push(stop.name);
  }
  throw new Error(`Tab does not reach it: ${passed.join(' > ')}`);
}

/** What has the focus, and whether an outline (its own, or of what holds it closely) says so. */
export const focusOf = (page: Page): Promise<{ name: string; shown: boolean }> =>
  page.evaluate(() => {
    const focused = document.activeElement;
    const name =
      focused === null
        ? 'nothing'
        : `${focused.tagName.toLowerCase()} ${focused.getAttribute('aria-label') ?? focused.textContent?.trim().slice(0, 40) ?? ''}`;
    // Leaving the page's end, the focus is the browser's own for one stop.
    if (focused === document.body) return { name, shown: true };
    const marked = (element: Element): boolean => {
      const style = getComputedStyle(element);
      const outlined = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2;
      return outlined || (element.matches(':focus-within') && style.boxShadow.includes('inset'));
    };
    let shown = false;
    for (let at = focused, up = 0; at !== null && up < 4 && !shown; at = at.parentElement, up++) {
      shown = marked(at);
    }
    return { name, shown };
  });

/** Presses a key until `target` is there; `most` times at the outside. */
export async function pressUntil(page: Page, key: string, target: Locator, most = 30): Promise<void> {
  for (let i = 0; i < most; i++) {
    if ((await target.count()) > 0) return;
    await page.keyboard.press(key);
    await page.waitForTimeout(60);
  }
  await target.waitFor({ timeout: 1_000 });
}
