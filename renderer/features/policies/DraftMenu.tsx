/** Which draft is open, and what begins, imports, exports and ends drafts. Drafts live in this browser only. */
import { Button, Menu, Modal, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconChevronDown } from '@tabler/icons-react';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import { call } from '../../api/client.ts';
import { showFailure } from '../../ui/failure_toast.ts';
import { draftStore } from './draft_store.ts';
import { DRAFTS, type Draft, imported } from './drafts.ts';
import { readFolder, saveFolder, saveZip } from './folder_files.ts';
import { canKeepFolders, chooseFolder, readHandle } from './folder_handle.ts';
import { forgetFolder, keepFolder } from './folder_memory.ts';
import { emptyDraft } from './starters.ts';
import type { Opened } from './useWorkbench.ts';

/** The app's own decision.rego, which merges what all other files say. */
export async function decisionFile(): Promise<string> {
  const answer = await call('repairPolicy', {
    input: { files: [{ path: 'rules.rego', text: 'package trailmix\n' }], merge: true },
  });
  return answer.files.find(file => file.path === 'decision.rego')?.text ?? '';
}

/** Kept for the page: it changes only with the app. Undefined while it is not known. */
export function useDecisionFile(enabled: boolean): UseQueryResult<string> {
  return useQuery({
    queryKey: ['decision.rego'],
    queryFn: decisionFile,
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}

/** Opens a new draft, or says that there are as many as this browser keeps. */
export function beginDraft(
  name: string,
  files: readonly PolicyFile[],
  open: (draft: Draft) => void,
  base?: string,
): void {
  const draft = draftStore.create(name, files, base);
  if (draft !== undefined) {
    open(draft);
    return;
  }
  notifications.show({
    color: 'yellow',
    title: 'Too many drafts',
    message: `This browser keeps ${DRAFTS}. Delete one first.`,
  });
}

export function DraftMenu({
  drafts,
  opened,
  mayTry,
  open,
  readInForce,
  form,
  importBundle,
}: {
  drafts: readonly Draft[];
  opened: Opened;
  mayTry: boolean;
  open: (draft: Draft) => void;
  readInForce: () => void;
  form: () => void;
  /** Absent where no set may be saved. */
  importBundle: (() => void) | undefined;
}) {
  const folder = useRef<HTMLInputElement>(null);
  const [naming, setNaming] = useState<string>();
  const [ending, setEnding] = useState(false);
  const { draft, files } = opened;
  const nameFor = (stem: string): string => {
    for (let n = 1; ; n++) {
      const name = n === 1 ? stem : `${stem} ${n}`;
      if (!drafts.some(one => one.name === name)) return name;
    }
  };
  const takeFolder = async (list: FileList) => {
    const { files: found, skipped } = imported(await readFolder(list));
    if (skipped.length > 0)
      notifications.show({
        color: 'yellow',
        title: 'Not all files were taken',
        message: `No part of a policy set: ${skipped.slice(0, 5).join(', ')}`,
      });
    if (found.length === 0) {
      notifications.show({
        color: 'yellow',
        title: 'Nothing to import',
        message: 'The folder has no .rego file.',
      });
      return;
    }
    beginDraft(nameFor((list[0]?.webkitRelativePath.split('/')[0] ?? '') || 'Imported'), found, open);
  };
  const watchFolder = async () => {
    const handle = await chooseFolder('read');
    if (handle === undefined) return;
    const { files: found } = await readHandle(handle, new Map());
    beginDraft(
      nameFor(handle.name),
      found,
      made =>
        void keepFolder(made.id, { folder: handle, agreed: found })
          .catch(showFailure)
          .then(() => open(made)),
    );
  };
  return (
    <div className="policy-draft-menu">
      <Menu position="bottom-start" width={240}>
        <Menu.Target>
          <Button
            variant="default"
            size="compact-sm"
            fullWidth
            justify="space-between"
            rightSection={<IconChevronDown size={13} aria-hidden />}
            title={opened.title}
          >
            {opened.title}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Open</Menu.Label>
          <Menu.Item onClick={readInForce}>In force in prod</Menu.Item>
          {drafts.map(one => (
            <Menu.Item
              key={one.id}
              onClick={() => open(one)}
              aria-current={one.id === draft?.id || undefined}
            >
              {one.name} <span className="mute">draft</span>
            </Menu.Item>
          ))}
          {mayTry && (
            <>
              <Menu.Divider />
              <Menu.Label>New draft</Menu.Label>
              <Menu.Item
                onClick={() =>
                  void decisionFile()
                    .then(decision => beginDraft(nameFor('New policy'), emptyDraft(decision), open))
                    .catch(showFailure)
                }
              >
                Empty, with one example rule
              </Menu.Item>
              <Menu.Item onClick={() => beginDraft(nameFor('Change'), files, open, opened.hash)}>
                From what is open
              </Menu.Item>
              <Menu.Item onClick={form}>A rule from a form</Menu.Item>
              <Menu.Item onClick={() => folder.current?.click()}>Import a folder</Menu.Item>
              {canKeepFolders() && (
                <Menu.Item onClick={() => void watchFolder().catch(showFailure)}>Watch a folder</Menu.Item>
              )}
              <Menu.Divider />
            </>
          )}
          {importBundle !== undefined && <Menu.Item onClick={importBundle}>Import an OPA bundle</Menu.Item>}
          {canKeepFolders() && (
            <Menu.Item
              onClick={() =>
                void saveFolder(files)
                  .then(done => done && notifications.show({ message: 'Exported into the folder.' }))
                  .catch(showFailure)
              }
            >
              Export into a folder
            </Menu.Item>
          )}
          <Menu.Item onClick={() => saveZip(opened.title, files)}>Export as a zip</Menu.Item>
          {draft !== undefined && (
            <>
              <Menu.Item onClick={() => setNaming(draft.name)}>Rename the draft</Menu.Item>
              <Menu.Item color="red" onClick={() => setEnding(true)}>
                Delete the draft
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <input
        ref={folder}
        type="file"
        hidden
        multiple
        aria-label="Folder to import"
        {...{ webkitdirectory: '' }}
        onChange={event => {
          const list = event.currentTarget.files;
          if (list !== null && list.length > 0) void takeFolder(list).catch(showFailure);
        }}
      />
      {draft !== undefined && naming !== undefined && (
        <Modal opened onClose={() => setNaming(undefined)} title="Rename the draft" size={380}>
          <form
            onSubmit={(event: FormEvent) => {
              event.preventDefault();
              if (naming.trim() === '') return;
              draftStore.change(draft.id, () => ({ name: naming.trim().slice(0, 60) }));
              setNaming(undefined);
            }}
          >
            <TextInput
              label="Name"
              value={naming}
              maxLength={60}
              onChange={event => setNaming(event.currentTarget.value)}
              data-autofocus
            />
            <div className="modal-actions">
              <Button type="submit" disabled={naming.trim() === ''}>
                Rename
              </Button>
            </div>
          </form>
        </Modal>
      )}
      {draft !== undefined && ending && (
        <Modal opened onClose={() => setEnding(false)} title={`Delete “${draft.name}”?`} size={420}>
          <p>Drafts are in this browser only. Sets that were saved from it stay.</p>
          <div className="modal-actions">
            <Button variant="default" onClick={() => setEnding(false)}>
              Keep it
            </Button>
            <Button
              color="red"
              onClick={() => {
                draftStore.remove(draft.id);
                void forgetFolder(draft.id).catch(() => undefined);
                setEnding(false);
                readInForce();
              }}
            >
              Delete the draft
            </Button>
          </div>
        </Modal>
      )}
    </div>
  );
}
