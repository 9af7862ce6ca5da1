/** Whole bodies that the pack leaves out, with the reason that it tells. */
import { Checkbox, Textarea, TextInput } from '@mantine/core';
import { countOf } from '../../ui/numbers.ts';
import { readSeqs, reasonFault } from './withhold.ts';

export type WithholdDraft = { on: boolean; numbers: string; reason: string };
export const nothingWithheld: WithholdDraft = { on: false, numbers: '', reason: '' };

export function WithholdFields({
  draft,
  change,
}: {
  draft: WithholdDraft;
  change: (draft: WithholdDraft) => void;
}) {
  const read = readSeqs(draft.numbers);
  return (
    <div className="withhold">
      <Checkbox
        size="xs"
        label="Leave out the bodies of some events"
        description="Their place, hash and proofs stay in the pack. It says how many are left out, and why."
        checked={draft.on}
        onChange={event => change({ ...draft, on: event.currentTarget.checked })}
      />
      {draft.on && (
        <>
          <TextInput
            label="Event numbers"
            description={
              'seqs' in read
                ? `${countOf(read.seqs.length, 'body', 'bodies')} left out`
                : 'For example 4711, 4720-4722'
            }
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            spellCheck={false}
            maxLength={8000}
            value={draft.numbers}
            onChange={event => change({ ...draft, numbers: event.currentTarget.value })}
            error={draft.numbers !== '' && 'fault' in read && read.fault}
          />
          <Textarea
            label="Reason"
            description="Stands in the pack, signed, and in the ledger: name no personal data."
            maxLength={1024}
            autosize
            minRows={2}
            value={draft.reason}
            onChange={event => change({ ...draft, reason: event.currentTarget.value })}
            error={draft.numbers !== '' && draft.reason !== '' && reasonFault(draft.reason)}
          />
        </>
      )}
    </div>
  );
}
