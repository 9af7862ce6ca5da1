/** The folder beside a draft, in the left column, and the dialog in which its changes are read and settled. */
import { Button, Modal, SegmentedControl } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { showFailure } from '../../ui/failure_toast.ts';
import { countOf } from '../../ui/numbers.ts';
import { ChangedLines } from './ChangedLines.tsx';
import type { FolderChange } from './folder_sync.ts';
import type { WatchedFolder } from './useFolder.ts';

const sides = {
  folder: { word: 'changed in the folder', tone: 'tone-ask' },
  draft: { word: 'changed in the draft', tone: 'tone-plain' },
  both: { word: 'changed on both sides', tone: 'tone-deny' },
} as const;

export function FolderPart({ folder }: { folder: WatchedFolder }) {
  const [open, setOpen] = useState(false);
  const { changes, state, name } = folder;
  const of = (side: FolderChange['side']): number => changes.filter(one => one.side === side).length;
  const said =
    state === 'reading'
      ? 'Reading…'
      : state === 'ask'
        ? 'The browser asks for leave to read it again.'
        : state === 'lost'
          ? 'It is gone, or cannot be read.'
          : changes.length === 0
            ? 'The same as the draft.'
            : [
                of('folder') > 0 && `${countOf(of('folder'), 'file')} changed there`,
                of('draft') > 0 && `${of('draft')} changed here`,
                of('both') > 0 && `${of('both')} on both sides`,
              ]
                .filter(part => part !== false)
                .join(', ');
  const waits = of('folder') + of('both') > 0 || state === 'ask' || state === 'lost';
  return (
    <section className="policy-folder" aria-label="Watched folder">
      <h2>Folder “{name}”</h2>
      <p role="status" className={waits ? 'policy-small policy-word tone-ask' : 'mute policy-small'}>
        {said}
      </p>
      {folder.skipped.length > 0 && (
        <p className="mute policy-small">Not taken: {folder.skipped.slice(0, 5).join(', ')}</p>
      )}
      <div className="row">
        {state === 'ask' && (
          <Button size="compact-xs" onClick={() => void folder.allow().catch(showFailure)}>
            Read it again
          </Button>
        )}
        {changes.length > 0 && (
          <Button size="compact-xs" variant={waits ? 'filled' : 'default'} onClick={() => setOpen(true)}>
            Show changes
          </Button>
        )}
        <Button size="compact-xs" variant="default" onClick={folder.forget}>
          Stop watching
        </Button>
      </div>
      {open && <FolderDialog folder={folder} close={() => setOpen(false)} />}
    </section>
  );
}

type Choice = 'folder' | 'draft';

function FolderDialog({ folder, close }: { folder: WatchedFolder; close: () => void }) {
  const { changes, name } = folder;
  const [chosen, setChosen] = useState<Record<string, Choice>>({});
  const [busy, setBusy] = useState(false);
  const settled = (one: FolderChange): Choice | undefined =>
    one.side === 'both' ? chosen[one.path] : one.side;
  const come = changes.filter(one => settled(one) === 'folder');
  const go = changes.filter(one => settled(one) === 'draft');
  const write = async () => {
    setBusy(true);
    try {
      const done = await folder.write(go);
      notifications.show({
        ...(done === 'written' ? {} : { color: 'yellow' }),
        message: {
          written: `Written into the folder “${name}”.`,
          changed: 'The folder has changed meanwhile. Nothing was written.',
          refused: 'The browser was not allowed to write. Nothing was written.',
        }[done],
      });
    } catch (error) {
      showFailure(error);
    }
    setBusy(false);
  };
  return (
    <Modal opened onClose={close} title={`The folder “${name}” and the draft`} size={760}>
      {changes.length === 0 && <p>Both are the same.</p>}
      <ul className="policy-reports">
        {changes.map(one => (
          <li key={one.path}>
            <p>
              <span className="mono">{one.path}</span>{' '}
              <b className={`policy-word ${sides[one.side].tone}`}>{sides[one.side].word}</b>
              {one.folder === undefined && ', not in the folder'}
              {one.draft === undefined && ', not in the draft'}
              <span className="mute policy-small">
                {' '}
                {one.side === 'draft'
                  ? '− as in the folder, + as in the draft'
                  : '− as in the draft, + as in the folder'}
              </span>
            </p>
            <ChangedLines
              // What would be lost before what would come.
              before={(one.side === 'draft' ? one.folder : one.draft) ?? ''}
              after={(one.side === 'draft' ? one.draft : one.folder) ?? ''}
              label={`Changed lines of ${one.path}`}
            />
            {one.side === 'both' && (
              <SegmentedControl
                size="xs"
                mt={6}
                aria-label={`Which text of ${one.path} counts`}
                value={chosen[one.path] ?? ''}
                onChange={value => setChosen(held => ({ ...held, [one.path]: value as Choice }))}
                data={[
                  { value: 'folder', label: 'The folder’s' },
                  { value: 'draft', label: 'The draft’s' },
                ]}
              />
            )}
          </li>
        ))}
      </ul>
      <div className="modal-actions">
        <Button variant="default" onClick={close}>
          Close
        </Button>
        <Button variant="default" disabled={go.length === 0} loading={busy} onClick={() => void write()}>
          Write {countOf(go.length, 'file')} into the folder
        </Button>
        <Button disabled={come.length === 0} onClick={() => folder.take(come)}>
          Take {countOf(come.length, 'file')} into the draft
        </Button>
      </div>
    </Modal>
  );
}
