/**
 * One file of a draft in Monaco: markers, coverage in the gutter, jumps. A model for each file lives while the draft is
 * open, so that undo survives a change of file. Rule: the draft's text is the truth; a model follows it and writes it.
 */
import { useComputedColorScheme } from '@mantine/core';
import { editor, KeyCode, KeyMod, type Selection } from 'monaco-editor/editor';
import { useEffect, useRef } from 'react';
import type { FileCoverage, PolicyDiagnostic, PolicyFile } from '../../../../core/api/policy_views.ts';
import { selectionQuery } from '../rego/selection.ts';
import type { Jump } from '../useWorkbench.ts';
import { openWorkspace, pathOf, scannedFiles, severities, uriOf, type Workspace } from './intelligence.ts';
import { editorOptions, languageOf, setScheme } from './setup.ts';

export type CodeEditorProps = {
  files: readonly PolicyFile[];
  /** The file that is shown. */
  path: string;
  readOnly: boolean;
  onText: (path: string, text: string) => void;
  diagnostics: readonly PolicyDiagnostic[];
  coverage: readonly FileCoverage[];
  /** Where the caret goes, once its file is shown; a new object goes there again. */
  jump: Jump | undefined;
  onOpen: (path: string, row: number, col: number) => void;
  onSave: () => void;
  /** The selection as a query that stands by itself; empty where nothing is selected. */
  onEvaluate: (query: string) => void;
  onSelection: (query: string) => void;
  inputPaths: Workspace['inputPaths'];
  format: Workspace['format'];
};

export default function CodeEditor(props: CodeEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const code = useRef<editor.IStandaloneCodeEditor>(undefined);
  const latest = useRef(props);
  latest.current = props;
  /** Set while a model is changed to follow the draft: that is no edit of the reader. */
  const following = useRef(false);
  const decorations = useRef<editor.IEditorDecorationsCollection>(undefined);
  const scheme = useComputedColorScheme('light');
  useEffect(() => setScheme(scheme), [scheme]);

  useEffect(() => {
    const made = editor.create(place.current as HTMLDivElement, { ...editorOptions, model: null });
    code.current = made;
    decorations.current = made.createDecorationsCollection();
    openWorkspace({
      files: () => latest.current.files,
      inputPaths: () => latest.current.inputPaths(),
      format: () => latest.current.format(),
    });
    made.addCommand(KeyMod.CtrlCmd | KeyCode.KeyS, () => latest.current.onSave());
    const selected = (selection: Selection | null): string => {
      const model = made.getModel();
      if (model === null || selection === null || selection.isEmpty()) return '';
      const [from, to] = [selection.getStartPosition(), selection.getEndPosition()];
      const path = pathOf(model.uri) ?? '';
      const text = model.getValue();
      return selectionQuery(scannedFiles(), path, text, model.getOffsetAt(from), model.getOffsetAt(to));
    };
    made.addAction({
      id: 'trailmix.evaluate',
      label: 'Evaluate selection',
      keybindings: [KeyMod.CtrlCmd | KeyCode.Enter],
      contextMenuGroupId: '1_modification',
      run: () => latest.current.onEvaluate(selected(made.getSelection())),
    });
    made.onDidChangeCursorSelection(({ selection }) => latest.current.onSelection(selected(selection)));
    // A definition in another file: the draft shows it, Monaco alone would not.
    const opener = editor.registerEditorOpener({
      openCodeEditor(_, resource, at) {
        const path = pathOf(resource);
        if (path === undefined || at === undefined) return false;
        const row = 'startLineNumber' in at ? at.startLineNumber : at.lineNumber;
        const col = 'startColumn' in at ? at.startColumn : at.column;
        latest.current.onOpen(path, row, col);
        return true;
      },
    });
    return () => {
      opener.dispose();
      openWorkspace(undefined);
      made.dispose();
      for (const model of editor.getModels()) if (pathOf(model.uri) !== undefined) model.dispose();
    };
  }, []);

  // Models follow the files.
  const { files, path, readOnly } = props;
  useEffect(() => {
    following.current = true;
    const paths = new Set(files.map(file => file.path));
    for (const model of editor.getModels()) {
      const own = pathOf(model.uri);
      if (own !== undefined && !paths.has(own)) model.dispose();
    }
    for (const file of files) {
      const model = editor.getModel(uriOf(file.path));
      if (model === null) {
        const fresh = editor.createModel(file.text, languageOf(file.path), uriOf(file.path));
        fresh.setEOL(editor.EndOfLineSequence.LF);
        fresh.onDidChangeContent(() => {
          if (!following.current) latest.current.onText(file.path, fresh.getValue());
        });
      } else if (model.getValue() !== file.text) model.setValue(file.text);
    }
    following.current = false;
  }, [files]);

  useEffect(() => {
    const made = code.current;
    const model = editor.getModel(uriOf(path));
    if (made === undefined || model === null) return;
    if (made.getModel() !== model) made.setModel(model);
    made.updateOptions({
      readOnly,
      ariaLabel: `${path}${readOnly ? ', read only' : ''}. Press Control M to let Tab move the focus.`,
    });
  }, [path, readOnly]);

  const { jump } = props;
  const gone = useRef<Jump>(undefined);
  useEffect(() => {
    const made = code.current;
    if (made === undefined || jump === undefined || jump.path !== path || gone.current === jump) return;
    if (made.getModel() === null) return;
    gone.current = jump;
    made.setPosition({ lineNumber: jump.row, column: jump.col ?? 1 });
    made.revealLineInCenterIfOutsideViewport(jump.row);
    made.focus();
  }, [jump, path]);

  const { diagnostics } = props;
  useEffect(() => {
    for (const file of files) {
      const model = editor.getModel(uriOf(file.path));
      if (model === null) continue;
      editor.setModelMarkers(
        model,
        'policy',
        diagnostics
          .filter(one => one.path === file.path)
          .map(one => ({
            severity: severities[one.severity],
            message: one.message,
            code: one.code,
            startLineNumber: one.row ?? 1,
            startColumn: one.col ?? 1,
            endLineNumber: one.end_row ?? one.row ?? 1,
            endColumn: one.end_col ?? (one.col ?? 1) + 1,
          })),
      );
    }
    // A mark for tests and for measuring: how long it takes from a pause to markers.
    place.current?.setAttribute('data-marked', String(diagnostics.length));
  }, [diagnostics, files]);

  const { coverage } = props;
  useEffect(() => {
    const own = coverage.find(one => one.path === path);
    const lines = (ranges: FileCoverage['covered'], tone: string, hover: string) =>
      ranges.map(({ start, end }) => ({
        range: { startLineNumber: start, startColumn: 1, endLineNumber: end, endColumn: 1 },
        options: {
          isWholeLine: true,
          linesDecorationsClassName: `policy-cover ${tone}`,
          linesDecorationsTooltip: hover,
        },
      }));
    decorations.current?.set([
      ...lines(own?.covered ?? [], 'covered', 'A test ran this line'),
      ...lines(own?.not_covered ?? [], 'missed', 'No test ran this line'),
    ]);
  }, [coverage, path]);

  return <div ref={place} className="policy-monaco" />;
}
