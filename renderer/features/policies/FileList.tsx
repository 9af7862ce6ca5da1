/** The files of what is open, rules before tests, with new, rename and delete; the recorded input; what is in force. */
import { ActionIcon, Button, Menu, Modal, TextInput } from '@mantine/core';
import { IconDots, IconPlus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import type { PolicyDiagnostic, PolicyFile } from '../../../core/api/policy_views.ts';
import { draftStore } from './draft_store.ts';
import { type Draft, isTest, pathFault, withFiles } from './drafts.ts';
import { freePath, newRego, newTest } from './starters.ts';

type Naming = { title: string; value: string; was?: string; text: string };

export function FileList({
  files,
  draft,
  path,
  diagnostics,
  open,
}: {
  files: readonly PolicyFile[];
  draft: Draft | undefined;
  path: string | undefined;
  diagnostics: readonly PolicyDiagnostic[];
  open: (path: string) => void;
}) {
  const [naming, setNaming] = useState<Naming>();
  const faults = (of: string): number =>
    diagnostics.filter(one => one.path === of && one.severity === 'error').length;
  const groups = [
    { title: 'Policies', files: files.filter(file => !isTest(file.path) && file.path !== 'data.json') },
    { title: 'Tests', files: files.filter(file => isTest(file.path)) },
    { title: 'Data', files: files.filter(file => file.path === 'data.json') },
  ];
  const create = (kind: 'rules' | 'test' | 'data') => {
    if (kind === 'data')
      return setNaming({ title: 'New file', value: 'data.json', text: '{\n  "settings": {}\n}\n' });
    setNaming({
      title: kind === 'test' ? 'New test file' : 'New policy file',
      value: kind === 'test' ? freePath(files, 'rules', '_test.rego') : freePath(files, 'rules'),
      text: kind === 'test' ? newTest : newRego,
    });
  };
  const remove = (gone: string) => {
    if (draft === undefined) return;
    draftStore.change(draft.id, ({ files: held }) => ({ files: held.filter(file => file.path !== gone) }));
  };
  return (
    <nav className="policy-files" aria-label="Files">
      {groups.map(group =>
        group.files.length === 0 && !(draft !== undefined && group.title === 'Tests') ? null : (
          <section key={group.title}>
            <h2>{group.title}</h2>
            {group.files.length === 0 && <p className="mute policy-small">None yet</p>}
            <ul>
              {group.files.map(file => (
                <li key={file.path} data-chosen={file.path === path || undefined}>
                  <button
                    type="button"
                    aria-current={file.path === path || undefined}
                    onClick={() => open(file.path)}
                    title={file.path}
                  >
                    <span>{file.path}</span>
                    {faults(file.path) > 0 && (
                      <span className="policy-faults">
                        {faults(file.path)}
                        <span className="visually-hidden"> errors</span>
                      </span>
                    )}
                  </button>
                  {draft !== undefined && (
                    <Menu position="bottom-end" width={150}>
                      <Menu.Target>
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          size={24}
                          aria-label={`Actions for ${file.path}`}
                        >
                          <IconDots size={14} />
                        </ActionIcon>
                      </Menu.Target>
                      <Menu.Dropdown>
                        <Menu.Item
                          onClick={() =>
                            setNaming({ title: 'Rename', value: file.path, was: file.path, text: file.text })
                          }
                        >
                          Rename
                        </Menu.Item>
                        <Menu.Item color="red" onClick={() => remove(file.path)}>
                          Delete
                        </Menu.Item>
                      </Menu.Dropdown>
                    </Menu>
                  )}
                </li>
              ))}
            </ul>
          </section>
        ),
      )}
      {draft !== undefined && (
        <Menu position="bottom-start" width={170}>
          <Menu.Target>
            <Button
              variant="subtle"
              color="gray"
              size="compact-xs"
              leftSection={<IconPlus size={13} aria-hidden />}
              className="policy-new-file"
            >
              New file
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => create('rules')}>Policy</Menu.Item>
            <Menu.Item onClick={() => create('test')}>Test</Menu.Item>
            {!files.some(file => file.path === 'data.json') && (
              <Menu.Item onClick={() => create('data')}>data.json</Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
      {naming !== undefined && draft !== undefined && (
        <NameDialog
          naming={naming}
          files={files}
          close={() => setNaming(undefined)}
          done={next => {
            draftStore.change(draft.id, ({ files: held }) => ({
              files: withFiles(
                held.filter(file => file.path !== naming.was),
                [{ path: next, text: naming.text }],
              ),
            }));
            setNaming(undefined);
            open(next);
          }}
        />
      )}
    </nav>
  );
}

function NameDialog({
  naming,
  files,
  close,
  done,
}: {
  naming: Naming;
  files: readonly PolicyFile[];
  close: () => void;
  done: (path: string) => void;
}) {
  const [value, setValue] = useState(naming.value);
  const fault = value === naming.was ? undefined : pathFault(files, value, naming.was);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (fault === undefined) done(value);
  };
  return (
    <Modal opened onClose={close} title={naming.title} size={420}>
      <form onSubmit={submit}>
        <TextInput
          label="File name"
          description="A folder is part of the name: lib/amount.rego. Tests end in _test.rego."
          value={value}
          onChange={event => setValue(event.currentTarget.value)}
          error={fault}
          data-autofocus
          autoComplete="off"
        />
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" disabled={fault !== undefined}>
            {naming.was === undefined ? 'Make the file' : 'Rename'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
