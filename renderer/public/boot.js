// Runs before anything is painted. Sets the colour scheme (no flash), and gives every style element that a library
// creates the nonce of this page, so that the CSP needs no 'unsafe-inline'. Plain script: must not be a module.
(() => {
  const root = document.documentElement;
  let chosen = null;
  try {
    chosen = localStorage.getItem('trailmix-theme');
  } catch {
    // Storage can be off: then the system decides.
  }
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const scheme = chosen === 'light' || chosen === 'dark' ? chosen : dark ? 'dark' : 'light';
  root.setAttribute('data-mantine-color-scheme', scheme);

  const nonce = document.currentScript?.nonce;
  if (!nonce) return;
  const create = document.createElement;
  document.createElement = function (name, options) {
    const element = create.call(this, name, options);
    if (String(name).toLowerCase() === 'style') element.setAttribute('nonce', nonce);
    return element;
  };
})();
