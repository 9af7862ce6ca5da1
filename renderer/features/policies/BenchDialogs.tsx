/** The dialogs of the workbench: saving, choosing an input, the repair of older Rego, rules by form. */
import { BundleDialog } from './BundleDialog.tsx';
import { beginDraft } from './DraftMenu.tsx';
import { withFiles } from './drafts.ts';
import { RuleFormDialog } from './form/RuleFormDialog.tsx';
import { InputPicker } from './InputPicker.tsx';
import { RepairDialog } from './RepairDialog.tsx';
import { SaveDialog } from './SaveDialog.tsx';
import type { Desk } from './useDesk.ts';

export function BenchDialogs({ desk }: { desk: Desk }) {
  const { me, go, dialog, setDialog } = desk;
  const { draft, files } = desk.opened;
  return (
    <>
      {dialog === 'save' && (
        <SaveDialog
          me={me}
          files={files}
          close={() => setDialog(undefined)}
          saved={() => {
            setDialog(undefined);
            go({ side: 'sets' });
          }}
        />
      )}
      {dialog === 'bundle' && (
        <BundleDialog
          me={me}
          close={() => setDialog(undefined)}
          saved={set => {
            setDialog(undefined);
            desk.readSet(set.hash);
          }}
        />
      )}
      {dialog === 'pick' && (
        <InputPicker
          close={() => setDialog(undefined)}
          pick={row => {
            setDialog(undefined);
            desk.pickDecision(row.decision_id);
          }}
        />
      )}
      {dialog === 'repair' && (
        <RepairDialog
          files={files}
          close={() => setDialog(undefined)}
          take={next => {
            setDialog(undefined);
            desk.change(held => withFiles(held, next));
          }}
        />
      )}
      {dialog === 'form' && (
        <RuleFormDialog
          files={draft?.files}
          close={() => setDialog(undefined)}
          take={(next, file) => {
            setDialog(undefined);
            if (draft !== undefined) {
              desk.change(() => next);
              go({ file, against: undefined, below: 'tests' });
            } else
              beginDraft('Rules by form', next, made =>
                go({ draft: made.id, set: undefined, file, below: 'tests' }),
              );
            void desk.tests.start(next);
          }}
        />
      )}
    </>
  );
}
