/** The title of the window: the screen's name, and before it how many calls wait for who is signed in. */
let base = 'Audit TrailMix';
let count = 0;

const write = (): void => {
  document.title = count > 0 ? `(${count}) ${base}` : base;
};

export function setTitle(screen: string): void {
  base = `${screen} · Audit TrailMix`;
  write();
}

export function setTitleCount(waiting: number): void {
  if (count === waiting) return;
  count = waiting;
  write();
}
