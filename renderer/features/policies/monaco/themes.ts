/**
 * Two themes in the colours of ui/tokens.css; Monaco takes no CSS variables. Every colour of text is at least 4.5:1 on
 * its ground (axe checks both in test/e2e/policies.test.ts).
 */
import { editor } from 'monaco-editor/editor';

export const LIGHT = 'trailmix-light';
export const DARK = 'trailmix-dark';

type Palette = Record<
  | 'ground'
  | 'ink'
  | 'mute'
  | 'keyword'
  | 'string'
  | 'number'
  | 'call'
  | 'line'
  | 'raised'
  | 'brandSoft'
  | 'select'
  | 'deny'
  | 'ask'
  | 'sunk'
  | 'brand',
  string
>;

const light: Palette = {
  ground: '#ffffff',
  ink: '#221f1c',
  mute: '#5d5852',
  keyword: '#893f45',
  string: '#1a6d44',
  number: '#3a56a0',
  call: '#6a3d8f',
  line: '#e5e1da',
  raised: '#ffffff',
  brandSoft: '#f7ebeb',
  select: '#ecd9da',
  deny: '#b3261e',
  ask: '#925600',
  sunk: '#f5f3ef',
  brand: '#893f45',
};
const dark: Palette = {
  ground: '#1c1a18',
  ink: '#ece8e2',
  mute: '#b0aaa1',
  keyword: '#dd9296',
  string: '#5cc48d',
  number: '#9db4ea',
  call: '#c9aef0',
  line: '#2f2b28',
  raised: '#24211f',
  brandSoft: '#35211f',
  select: '#4d3434',
  deny: '#f28b83',
  ask: '#e5a94b',
  sunk: '#121110',
  brand: '#dd9296',
};

function define(name: string, base: 'vs' | 'vs-dark', p: Palette): void {
  const rule = (token: string, colour: string) => ({ token, foreground: colour.slice(1) });
  editor.defineTheme(name, {
    base,
    inherit: true,
    rules: [
      rule('', p.ink),
      rule('comment', p.mute),
      rule('keyword', p.keyword),
      rule('string', p.string),
      rule('string.escape', p.number),
      rule('number', p.number),
      rule('predefined', p.call),
      rule('variable.predefined', p.number),
      rule('identifier', p.ink),
      rule('operator', p.ink),
      rule('delimiter', p.ink),
      rule('string.key.json', p.keyword),
      rule('string.value.json', p.string),
    ],
    colors: {
      'editor.background': p.ground,
      'editor.foreground': p.ink,
      'editorLineNumber.foreground': p.mute,
      'editorLineNumber.activeForeground': p.ink,
      'editorCursor.foreground': p.brand,
      'editor.selectionBackground': p.select,
      'editor.inactiveSelectionBackground': p.brandSoft,
      'editor.lineHighlightBackground': p.sunk,
      'editor.lineHighlightBorder': '#00000000',
      'editorIndentGuide.background1': p.line,
      'editorBracketMatch.background': p.brandSoft,
      'editorBracketMatch.border': p.brand,
      'editorBracketHighlight.foreground1': p.ink,
      'editorBracketHighlight.foreground2': p.ink,
      'editorBracketHighlight.foreground3': p.ink,
      'editorError.foreground': p.deny,
      'editorWarning.foreground': p.ask,
      'editorInfo.foreground': p.number,
      'editorWidget.background': p.raised,
      'editorWidget.foreground': p.ink,
      'editorWidget.border': p.line,
      'editorSuggestWidget.background': p.raised,
      'editorSuggestWidget.foreground': p.ink,
      'editorSuggestWidget.selectedForeground': p.ink,
      'editorSuggestWidget.selectedBackground': p.brandSoft,
      'editorSuggestWidget.highlightForeground': p.brand,
      'editorSuggestWidget.focusHighlightForeground': p.brand,
      'editorHoverWidget.background': p.raised,
      'editorHoverWidget.foreground': p.ink,
      'editorHoverWidget.border': p.line,
      'editorGutter.background': p.ground,
      focusBorder: p.brand,
      'list.hoverBackground': p.sunk,
      'input.background': p.ground,
      'input.foreground': p.ink,
      'input.border': p.mute,
      'textLink.foreground': p.brand,
      'diffEditor.insertedTextBackground': name === LIGHT ? '#1a6d4418' : '#5cc48d20',
      'diffEditor.removedTextBackground': name === LIGHT ? '#b3261e14' : '#f28b8320',
      'diffEditor.insertedLineBackground': name === LIGHT ? '#1a6d440e' : '#5cc48d12',
      'diffEditor.removedLineBackground': name === LIGHT ? '#b3261e0c' : '#f28b8312',
      'scrollbarSlider.background': name === LIGHT ? '#68635c33' : '#a39d9433',
    },
  });
}

export function defineThemes(): void {
  define(LIGHT, 'vs', light);
  define(DARK, 'vs-dark', dark);
}
