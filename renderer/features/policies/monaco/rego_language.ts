/** Rego for Monaco's tokenizer (Monarch), and how its brackets and comments behave. */
import type { languages } from 'monaco-editor/editor';
import { builtins, keywords } from '../rego/builtins.ts';

export const REGO = 'rego';

export const regoConfiguration: languages.LanguageConfiguration = {
  comments: { lineComment: '#' },
  brackets: [
    ['{', '}'],
    ['[', ']'],
    ['(', ')'],
  ],
  autoClosingPairs: [
    { open: '{', close: '}' },
    { open: '[', close: ']' },
    { open: '(', close: ')' },
    { open: '"', close: '"', notIn: ['string', 'comment'] },
    { open: '`', close: '`', notIn: ['string', 'comment'] },
  ],
  surroundingPairs: [
    { open: '{', close: '}' },
    { open: '[', close: ']' },
    { open: '(', close: ')' },
    { open: '"', close: '"' },
  ],
  indentationRules: { increaseIndentPattern: /[{[(]\s*$/, decreaseIndentPattern: /^\s*[}\])]/ },
};

export const regoTokens: languages.IMonarchLanguage = {
  defaultToken: '',
  keywords: [...keywords],
  builtins: builtins.map(({ name }) => name),
  tokenizer: {
    root: [
      [/#.*$/, 'comment'],
      [/\$"/, 'string', '@template'],
      [/\$`/, 'string', '@rawTemplate'],
      [/"/, 'string', '@string'],
      [/`/, 'string', '@raw'],
      [/\d+(\.\d+)?([eE][+-]?\d+)?/, 'number'],
      [/(?:input|data)\b(?=\.|\[|\s|\)|,|$)/, 'variable.predefined'],
      [
        /[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*(?=\()/,
        { cases: { '@builtins': 'predefined', '@keywords': 'keyword', '@default': 'identifier' } },
      ],
      [/[A-Za-z_]\w*/, { cases: { '@keywords': 'keyword', '@default': 'identifier' } }],
      [/\{/, { token: 'delimiter', next: '@push' }],
      [/\}/, { token: 'delimiter', next: '@pop' }],
      [/[[\]()]/, 'delimiter'],
      [/:=|==|!=|<=|>=|[=<>|&+\-*/%]/, 'operator'],
    ],
    string: [
      [/\\./, 'string.escape'],
      [/[^"\\]+/, 'string'],
      [/"/, 'string', '@pop'],
    ],
    raw: [
      [/[^`]+/, 'string'],
      [/`/, 'string', '@pop'],
    ],
    template: [
      [/\\./, 'string.escape'],
      [/\{/, { token: 'delimiter', next: '@root' }],
      [/[^"\\{]+/, 'string'],
      [/"/, 'string', '@pop'],
    ],
    rawTemplate: [
      [/\{/, { token: 'delimiter', next: '@root' }],
      [/[^`{]+/, 'string'],
      [/`/, 'string', '@pop'],
    ],
  },
};
