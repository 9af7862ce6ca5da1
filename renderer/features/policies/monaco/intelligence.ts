/**
 * Completion, hover, definition, references, rename and format for Rego, over the draft that is open. The pure parts are
 * in rego/; here they meet Monaco's providers, registered once for the page.
 */
import { type editor, languages, MarkerSeverity, Range, Uri } from 'monaco-editor/editor';
import { builtinOf } from '../rego/builtins.ts';
import { headOf, type InputPath, offersAt } from '../rego/completion.ts';
import { type Scanned, scan } from '../rego/scan.ts';
import { definitionsOf, type Place, referencesOf, renameFault, symbolAt } from '../rego/symbols.ts';
import { REGO } from './rego_language.ts';

/** The draft that is open: what providers read. `uriOf` gives a file's model. */
export type Workspace = {
  files: () => readonly { path: string; text: string }[];
  inputPaths: () => readonly InputPath[];
  format: () => Promise<readonly { path: string; text: string }[] | undefined>;
};

let workspace: Workspace | undefined;
const scanned = new Map<string, { text: string; file: Scanned }>();

export const openWorkspace = (next: Workspace | undefined): void => {
  workspace = next;
  scanned.clear();
};

const SCHEME = 'draft';
export const uriOf = (path: string): Uri => Uri.from({ scheme: SCHEME, path: `/${path}` });
export const pathOf = (uri: Uri): string | undefined =>
  uri.scheme === SCHEME ? uri.path.slice(1) : undefined;

/** Every Rego file of the draft, read again only where its text has changed. */
export function scannedFiles(): Scanned[] {
  return (workspace?.files() ?? [])
    .filter(({ path }) => path.endsWith('.rego'))
    .map(({ path, text }) => {
      const held = scanned.get(path);
      if (held?.text === text) return held.file;
      const file = scan(path, text);
      scanned.set(path, { text, file });
      return file;
    });
}

const rangeOf = ({ row, col, endCol }: Place) => new Range(row, col, row, endCol);
const linkOf = (place: Place): languages.Location => ({ uri: uriOf(place.path), range: rangeOf(place) });

const kinds = {
  keyword: languages.CompletionItemKind.Keyword,
  function: languages.CompletionItemKind.Function,
  rule: languages.CompletionItemKind.Reference,
  input: languages.CompletionItemKind.Field,
  package: languages.CompletionItemKind.Module,
  variable: languages.CompletionItemKind.Variable,
} as const;
/** Own names first, keywords last. */
const order = { variable: '0', rule: '1', input: '2', package: '3', function: '4', keyword: '5' } as const;

export function registerIntelligence(): void {
  const at = (model: editor.ITextModel, position: { lineNumber: number; column: number }) => {
    const path = pathOf(model.uri);
    const files = scannedFiles();
    const symbol =
      path === undefined ? undefined : symbolAt(files, path, position.lineNumber, position.column);
    return { path, files, symbol };
  };

  languages.registerCompletionItemProvider(REGO, {
    triggerCharacters: ['.'],
    provideCompletionItems(model, position) {
      const path = pathOf(model.uri);
      if (path === undefined) return { suggestions: [] };
      const word = model.getWordUntilPosition(position);
      const range = new Range(position.lineNumber, word.startColumn, position.lineNumber, position.column);
      const line = model.getLineContent(position.lineNumber).slice(0, position.column - 1);
      const offers = offersAt({
        files: scannedFiles(),
        path,
        row: position.lineNumber,
        line,
        inputPaths: workspace?.inputPaths() ?? [],
      });
      return {
        suggestions: offers.map(offer => ({
          label: offer.label,
          kind: kinds[offer.kind],
          insertText: offer.insert,
          detail: offer.detail,
          documentation: offer.about,
          sortText: `${order[offer.kind]}${offer.label}`,
          filterText: offer.insert,
          range,
        })),
      };
    },
  });

  languages.registerHoverProvider(REGO, {
    provideHover(model, position) {
      const { files, symbol } = at(model, position);
      if (symbol === undefined) return null;
      const code = (value: string) => ({ value: `\`\`\`rego\n${value}\n\`\`\`` });
      if (symbol.kind === 'builtin') {
        const builtin = builtinOf(symbol.name);
        return builtin === undefined
          ? null
          : { contents: [code(builtin.signature), { value: builtin.about }] };
      }
      if (symbol.kind === 'input') {
        const dotted = symbol.path.join('.');
        const found = (workspace?.inputPaths() ?? []).find(({ path }) => path === dotted);
        const types = Object.keys(found?.types ?? {}).join(' or ');
        const seen =
          found === undefined
            ? 'Not in the recorded decisions looked at, and not in the documented input.'
            : found.count > 0
              ? `In ${found.count} of the recorded decisions looked at.`
              : 'Of the documented input.';
        return dotted === 'input'
          ? null
          : { contents: [code(`${dotted}: ${types || 'unknown'}`), { value: seen }] };
      }
      const places = definitionsOf(files, symbol);
      const first = places[0];
      if (first === undefined) return null;
      const file = files.find(({ path }) => path === first.path);
      const rule = file?.rules.find(({ row }) => row === first.row);
      const more = places.length > 1 ? ` and ${places.length - 1} more` : '';
      return {
        contents: [
          ...(file !== undefined && rule !== undefined && symbol.kind === 'rule'
            ? [code(headOf(file, rule.first))]
            : []),
          {
            value: `${symbol.kind === 'variable' ? 'Variable' : 'Defined'} in ${first.path}:${first.row}${more}`,
          },
        ],
      };
    },
  });

  languages.registerDefinitionProvider(REGO, {
    provideDefinition(model, position) {
      const { files, symbol } = at(model, position);
      return symbol === undefined ? [] : definitionsOf(files, symbol).map(linkOf);
    },
  });

  languages.registerReferenceProvider(REGO, {
    provideReferences(model, position) {
      const { files, symbol } = at(model, position);
      return symbol === undefined ? [] : referencesOf(files, symbol).map(linkOf);
    },
  });

  languages.registerRenameProvider(REGO, {
    provideRenameEdits(model, position, newName) {
      const { files, symbol } = at(model, position);
      if (symbol === undefined)
        return { edits: [], rejectReason: 'There is no name here that can be changed.' };
      const fault = renameFault(files, symbol, newName);
      if (fault !== undefined) return { edits: [], rejectReason: fault };
      return {
        edits: referencesOf(files, symbol).map(place => ({
          resource: uriOf(place.path),
          versionId: undefined,
          textEdit: { range: rangeOf(place), text: newName },
        })),
      };
    },
    resolveRenameLocation(model, position) {
      const { symbol } = at(model, position);
      const word = model.getWordAtPosition(position);
      const none = { range: new Range(1, 1, 1, 1), text: '' };
      if (word === null || symbol === undefined || (symbol.kind !== 'rule' && symbol.kind !== 'variable'))
        return {
          ...none,
          rejectReason: 'Only rules of this draft and variables of a rule can be renamed here.',
        };
      const { lineNumber } = position;
      return { range: new Range(lineNumber, word.startColumn, lineNumber, word.endColumn), text: word.word };
    },
  });

  languages.registerDocumentFormattingEditProvider(REGO, {
    async provideDocumentFormattingEdits(model) {
      const path = pathOf(model.uri);
      const text = (await workspace?.format())?.find(file => file.path === path)?.text;
      return text === undefined ? [] : [{ range: model.getFullModelRange(), text }];
    },
  });
}

export const severities = {
  error: MarkerSeverity.Error,
  warning: MarkerSeverity.Warning,
  note: MarkerSeverity.Info,
} as const;
