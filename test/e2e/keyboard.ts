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

/** Tabs to a field and types into it. */
export async function typeInto(page: Page, field: Locator, text: string): Promise<void> {
  await tabTo(page, field);
  await page.keyboard.type(text);
  await expect.poll(() => field.inputValue()).toBe(text);
}

/** Tabs to a button, once it can be pressed, and presses Enter. */
export async function pressOn(page: Page, button: Locator): Promise<void> {
  await button.waitFor();
  await expect.poll(() => button.isEnabled()).toBe(true);
  await tabTo(page, button);
  await page.keyboard.press('Enter');
}

/** Tabs to a checkbox and turns it over. */
export async function toggle(page: Page, box: Locator): Promise<void> {
  const before = await box.isChecked();
  await tabTo(page, box);
  await page.keyboard.press('Space');
  await expect.poll(() => box.isChecked()).toBe(!before);
}

/** Every stop of Tab, once around the page from its beginning. */
export async function stopsOf(page: Page): Promise<string[]> {
  const stops: string[] = [];
  let rounds = 0;
  for (let i = 0; i < 2 * MOST_STOPS && rounds < 2; i++) {
    await page.keyboard.press('Tab');
    const { name, shown } = await focusOf(page);
    expect(shown, name).toBe(true);
    if (name.startsWith('body')) rounds++;
    else if (rounds === 1) stops.push(name);
  }
  return stops;
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

/** What lists, trees and tabs show as chosen. */
const chosen = (page: Page): Promise<string> =>
  page.evaluate(() =>
    [...document.querySelectorAll('[aria-selected=true], [data-combobox-selected]')]
      .map(one => one.id || one.getAttribute('aria-rowindex') || one.textContent)
      .join(' '),
  );

/** Presses a key until `target` is there; `most` times at the outside. Each press is seen in the page before the next. */
export async function pressUntil(page: Page, key: string, target: Locator, most = 30): Promise<void> {
  for (let i = 0; i < most; i++) {
    if ((await target.count()) > 0) return;
    const before = await chosen(page);
    await page.keyboard.press(key);
    await expect.poll(() => chosen(page), { message: `${key} chooses another` }).not.toBe(before);
  }
  await target.waitFor({ timeout: 1_000 });
}

/** Waits until something has the focus: what is typed before goes elsewhere. */
export const focused = (target: Locator): Promise<void> =>
  expect
    .poll(() => target.evaluate(element => element.contains(document.activeElement)), {
      message: 'has the focus',
    })
    .toBe(true);

/** An action of the command palette. */
export async function palette(page: Page, words: string): Promise<void> {
  await page.keyboard.press('Control+k');
  await focused(page.getByRole('dialog').getByLabel('Go to a place, an event, or search'));
  await page.keyboard.type(words);
  await page.getByRole('dialog').locator('[data-selected]', { hasText: words }).waitFor();
  await page.keyboard.press('Enter');
}

/** `g` and a letter, as one goes to a place. The page waits a second for the letter: on a busy machine it can be late. */
export async function goBy(page: Page, letter: string, path: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) {
    await page.keyboard.press('g');
    await page.keyboard.press(letter);
    const there = await page
      .waitForURL(url => url.pathname === path, { timeout: 5_000, waitUntil: 'commit' })
      .then(() => true)
      .catch(() => false);
    if (there) return;
  }
  throw new Error(`g ${letter} does not lead to ${path}`);
}
