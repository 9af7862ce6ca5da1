/**
 * Enter in an open list takes the option that is shown as chosen. Mantine's Select (9.7) holds a second answer, an index
 * that a timer sets once the list is open: an arrow key that comes before the timer shows one option, and Enter took another.
 */
import type { KeyboardEvent } from 'react';

/** For `onKeyDownCapture` of a Select. Does nothing where no option is shown as chosen. */
export function takeShownOption(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
  const list = document.getElementById(event.currentTarget.getAttribute('aria-controls') ?? '');
  const shown = list?.querySelector<HTMLElement>('[data-combobox-selected]');
  if (!shown) return;
  event.preventDefault();
  event.stopPropagation();
  shown.click();
}
