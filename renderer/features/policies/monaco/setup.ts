/**
 * Monaco as the workbench uses it: only the features named here, its worker from this origin, our language and themes.
 * Imported by editors only, so that it is a chunk of its own, loaded with the first editor.
 */
import { editor, KeyCode, KeyMod, languages } from 'monaco-editor/editor';
import EditorWorker from 'monaco-editor/editor/editor.worker?worker';
import 'monaco-editor/features/bracketMatching/register';
import 'monaco-editor/features/clipboard/register';
import 'monaco-editor/features/codicon/register';
import 'monaco-editor/features/comment/register';
import 'monaco-editor/features/contextmenu/register';
import 'monaco-editor/features/cursorUndo/register';
import 'monaco-editor/features/diffEditor/register';
import 'monaco-editor/features/find/register';
import 'monaco-editor/features/folding/register';
import 'monaco-editor/features/format/register';
import 'monaco-editor/features/gotoError/register';
import 'monaco-editor/features/gotoSymbol/register';
import 'monaco-editor/features/hover/register';
import 'monaco-editor/features/indentation/register';
import 'monaco-editor/features/linesOperations/register';
import 'monaco-editor/features/parameterHints/register';
import 'monaco-editor/features/referenceSearch/register';
import 'monaco-editor/features/rename/register';
import 'monaco-editor/features/snippet/register';
import 'monaco-editor/features/toggleTabFocusMode/register';
import 'monaco-editor/features/wordHighlighter/register';
import 'monaco-editor/features/wordOperations/register';
import 'monaco-editor/editor/contrib/gotoSymbol/browser/goToCommands';
import 'monaco-editor/editor/contrib/suggest/browser/suggestController';
import { registerIntelligence } from './intelligence.ts';
import { REGO, regoConfiguration, regoTokens } from './rego_language.ts';
import { DARK, defineThemes, LIGHT } from './themes.ts';

// The only global that Monaco asks for: where its worker is.
(globalThis as { MonacoEnvironment?: unknown }).MonacoEnvironment = { getWorker: () => new EditorWorker() };

languages.register({ id: REGO, extensions: ['.rego'] });
languages.setLanguageConfiguration(REGO, regoConfiguration);
languages.setMonarchTokensProvider(REGO, regoTokens);
defineThemes();
registerIntelligence();
// Monaco has another key on Linux, which browsers take for themselves.
editor.addKeybindingRule({
  keybinding: KeyMod.Shift | KeyMod.Alt | KeyCode.KeyF,
  command: 'editor.action.formatDocument',
  when: 'editorTextFocus && !editorReadonly',
});

export const languageOf = (path: string): string => (path.endsWith('.rego') ? REGO : 'plaintext');

export const setScheme = (scheme: 'light' | 'dark'): void =>
  editor.setTheme(scheme === 'dark' ? DARK : LIGHT);

/** What all our editors share. `ariaLabel` names the file. */
export const editorOptions = {
  fontFamily: '"JetBrains Mono Variable", ui-monospace, monospace',
  fontSize: 13,
  lineHeight: 20,
  fontLigatures: false,
  minimap: { enabled: false },
  scrollBeyondLastLine: false,
  automaticLayout: true,
  renderLineHighlight: 'line',
  // 'dimmed' would show the last line's number below the contrast that a text needs.
  renderFinalNewline: 'on',
  overviewRulerLanes: 0,
  padding: { top: 8, bottom: 8 },
  tabSize: 4,
  insertSpaces: false,
  fixedOverflowWidgets: true,
  bracketPairColorization: { enabled: false },
  wordBasedSuggestions: 'off',
  glyphMargin: false,
  folding: true,
  occurrencesHighlight: 'singleFile',
  unicodeHighlight: { ambiguousCharacters: false },
  stickyScroll: { enabled: false },
  smoothScrolling: false,
  cursorBlinking: 'solid',
} satisfies editor.IStandaloneEditorConstructionOptions;
