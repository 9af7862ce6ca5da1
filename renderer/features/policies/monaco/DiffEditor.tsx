/** Two texts side by side in Monaco's diff editor, both read only. */
import { useComputedColorScheme } from '@mantine/core';
import { editor } from 'monaco-editor/editor';
import { useEffect, useRef } from 'react';
import { editorOptions, languageOf, setScheme } from './setup.ts';

export default function DiffEditor({
  path,
  before,
  after,
  names,
}: {
  path: string;
  before: string;
  after: string;
  names: [before: string, after: string];
}) {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme('light');
  useEffect(() => setScheme(scheme), [scheme]);
  const [left, right] = names;
  useEffect(() => {
    const made = editor.createDiffEditor(place.current as HTMLDivElement, {
      ...editorOptions,
      readOnly: true,
      originalEditable: false,
      renderSideBySide: true,
      useInlineViewWhenSpaceIsLimited: false,
      renderOverviewRuler: false,
      hideUnchangedRegions: { enabled: true },
    });
    const original = editor.createModel(before, languageOf(path));
    const modified = editor.createModel(after, languageOf(path));
    made.setModel({ original, modified });
    made.getOriginalEditor().updateOptions({ ariaLabel: `${path}, ${left}` });
    made.getModifiedEditor().updateOptions({ ariaLabel: `${path}, ${right}` });
    return () => {
      made.dispose();
      original.dispose();
      modified.dispose();
    };
  }, [path, before, after, left, right]);
  return <div ref={place} className="policy-monaco" />;
}
