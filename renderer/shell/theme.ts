/** Mantine on our tokens: components take their colours from ui/tokens.css, so there is one palette. */
import {
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorSchemeManager,
  type MantineColorsTuple,
} from '@mantine/core';
import { takeShownOption } from '../ui/shown_option.ts';

const cordovan: MantineColorsTuple = [
  '#fbf1f1',
  '#f3dfe0',
  '#e8c3c6',
  '#dd9296',
  '#cb7f84',
  '#b9636a',
  '#a5525a',
  '#974850',
  '#893f45',
  '#743338',
];

/** Lists that one chooses from stand there at once. */
const still = { transitionProps: { duration: 0 } };

export const theme = createTheme({
  colors: { cordovan },
  primaryColor: 'cordovan',
  primaryShade: { light: 8, dark: 3 },
  autoContrast: true,
  // Filled surfaces, and what takes away, on our tokens: Mantine takes the light scheme's shade to choose the text colour of both.
  variantColorResolver: input => {
    const base = defaultVariantColorsResolver(input);
    const tone = { undefined: '--brand', cordovan: '--brand', red: '--deny' }[String(input.color)];
    if (input.variant === 'subtle' && tone === '--deny')
      return { ...base, hover: 'var(--deny-soft)', color: 'var(--deny)' };
    if (input.variant !== 'filled' || tone === undefined) return base;
    const hover = `color-mix(in srgb, var(${tone}) 88%, var(--ink))`;
    return { ...base, background: `var(${tone})`, hover, color: 'var(--on-brand)' };
  },
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  fontSizes: { xs: '11.5px', sm: '13px', md: '13px', lg: '15px', xl: '18px' },
  lineHeights: { xs: '1.4', sm: '1.5', md: '1.5', lg: '1.5', xl: '1.4' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  radius: { xs: '3px', sm: '4px', md: '6px', lg: '8px', xl: '12px' },
  defaultRadius: 'md',
  headings: { fontFamily: 'var(--font)', fontWeight: '600' },
  focusRing: 'auto',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'compact-md' } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', comboboxProps: still, onKeyDownCapture: takeShownOption } },
    Autocomplete: { defaultProps: { size: 'xs', comboboxProps: still } },
    TagsInput: { defaultProps: { size: 'xs', comboboxProps: still } },
    Menu: { defaultProps: still },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: false } },
    Popover: { defaultProps: { shadow: 'md', withArrow: false, transitionProps: { duration: 80 } } },
    Notification: { defaultProps: { closeButtonProps: { 'aria-label': 'Dismiss' } } },
    Modal: {
      defaultProps: { transitionProps: { duration: 100 }, closeButtonProps: { 'aria-label': 'Close' } },
    },
    Drawer: {
      defaultProps: { transitionProps: { duration: 120 }, closeButtonProps: { 'aria-label': 'Close' } },
    },
  },
});

const ours = {
  '--mantine-color-body': 'var(--panel)',
  '--mantine-color-text': 'var(--ink)',
  '--mantine-color-dimmed': 'var(--mute)',
  '--mantine-color-placeholder': 'var(--mute)',
  '--mantine-color-default': 'var(--panel)',
  '--mantine-color-default-hover': 'var(--sunk)',
  '--mantine-color-default-color': 'var(--ink)',
  '--mantine-color-default-border': 'var(--line-strong)',
  '--mantine-color-anchor': 'var(--brand)',
  '--mantine-color-error': 'var(--deny)',
  '--mantine-color-gray-text': 'var(--mute)',
  '--mantine-color-gray-light-color': 'var(--ink)',
};

export const cssVariables: CSSVariablesResolver = () => ({ variables: {}, light: ours, dark: ours });

const KEY = 'trailmix-theme';
export type Scheme = 'light' | 'dark' | 'auto';

/** The choice lives under the same key that boot.js reads before the first paint. */
export const schemeManager: MantineColorSchemeManager = {
  get(fallback) {
    try {
      const held = localStorage.getItem(KEY);
      return held === 'light' || held === 'dark' ? held : 'auto';
    } catch {
      return fallback;
    }
  },
  set(value) {
    try {
      localStorage.setItem(KEY, value);
    } catch {
      // Storage can be off: the choice then lasts for this page only.
    }
  },
  subscribe() {},
  unsubscribe() {},
  clear() {
    localStorage.removeItem(KEY);
  },
};

/** The nonce that the server put into this page, for style elements that Mantine creates. */
export function styleNonce(): string {
  return document.querySelector<HTMLScriptElement>('script[nonce]')?.nonce ?? '';
}
