/** The form: common rules without writing Rego. Shows the Rego and the tests that it writes before they are in the draft. */
import { Button, Modal, NumberInput, SegmentedControl, Select, TagsInput, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { PolicyFile } from '../../../../core/api/policy_views.ts';
import { useAsk } from '../../../api/queries.ts';
import { CodeBlock } from '../../../ui/Copy.tsx';
import { ErrorPanel } from '../../../ui/States.tsx';
import { useDecisionFile } from '../DraftMenu.tsx';
import { type Answer, formFaults, type RuleForm, withRule, writeRule } from './rule_form.ts';

const kinds = [
  { value: 'threshold', label: 'An amount' },
  { value: 'list', label: 'A list' },
  { value: 'region', label: 'A region' },
  { value: 'roles', label: 'Who approves' },
] as const;
type Kind = (typeof kinds)[number]['value'];
const leads: Record<Kind, string> = {
  threshold:
    'Above a limit a person must approve; above a ceiling it is denied. Where there is no number, a person must look.',
  list: 'A value of the call that is on a list, or is not on it.',
  region: 'Calls from a region, all of them or those with personal data.',
  roles: 'Every call of an action needs people with a role.',
};

export function RuleFormDialog({
  files,
  close,
  take,
}: {
  /** Of the draft that is open; absent: a new one is begun. */
  files: readonly PolicyFile[] | undefined;
  close: () => void;
  take: (files: PolicyFile[], file: string) => void;
}) {
  const [kind, setKind] = useState<Kind>('threshold');
  const [name, setName] = useState('refund_limit');
  const [title, setTitle] = useState('Refunds by amount');
  const [actions, setActions] = useState<string[]>([]);
  const [field, setField] = useState('payload.amount');
  const [limit, setLimit] = useState<number | string>(500);
  const [ceiling, setCeiling] = useState<number | string>('');
  const [people, setPeople] = useState<number | string>(1);
  const [roles, setRoles] = useState<string[]>([]);
  const [values, setValues] = useState<string[]>([]);
  const [regions, setRegions] = useState<string[]>(['EU']);
  const [when, setWhen] = useState<'in' | 'not_in'>('in');
  const [answer, setAnswer] = useState<Answer>('deny');
  const [personal, setPersonal] = useState(true);
  const [tried, setTried] = useState(false);
  const learned = useAsk('policyInputPaths', { query: {} }, { fresh: 60_000 });
  const recent = useAsk('policyDecisions', { query: { limit: 200 } }, { fresh: 60_000 });
  const decision = useDecisionFile(true);

  const common = { name, title, actions };
  const count = typeof people === 'number' ? people : Number.NaN;
  const form: RuleForm =
    kind === 'threshold'
      ? {
          ...common,
          kind,
          field,
          limit: typeof limit === 'number' ? limit : Number.NaN,
          ...(typeof ceiling === 'number' ? { ceiling } : {}),
          people: count,
          roles,
        }
      : kind === 'list'
        ? { ...common, kind, field, values, when, answer }
        : kind === 'region'
          ? { ...common, kind, regions, personalData: personal, answer }
          : { ...common, kind, people: count, roles };
  const held = files ?? [];
  const faults = formFaults(form, held);
  const ready = Object.keys(faults).length === 0 && decision.data !== undefined && decision.data !== '';
  const fault = (member: string) => (tried ? faults[member] : undefined);
  const written = Object.keys(faults).length === 0 ? writeRule(form) : undefined;
  const knownActions = [...new Set((recent.data?.items ?? []).map(row => row.action))].sort();
  const knownFields = [
    ...new Set(
      (learned.data?.paths ?? [])
        .map(one => one.path.slice('input.'.length))
        .filter(path => /^(payload|context)\.[\w.]+$/.test(path)),
    ),
  ].sort();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (ready) take(withRule(held, form, decision.data ?? ''), `${name}.rego`);
  };
  const answerField = (
    <Select
      label="Then it"
      data={[
        { value: 'deny', label: 'is denied' },
        { value: 'approve', label: 'needs approval' },
      ]}
      value={answer}
      allowDeselect={false}
      onChange={value => setAnswer(value as Answer)}
    />
  );
  const fieldField = (
    <TextInput
      label="Value of the call"
      description={
        knownFields.length === 0
          ? 'payload.… is an argument, context.… what the call site says.'
          : `Recorded so far: ${knownFields.slice(0, 6).join(', ')}`
      }
      value={field}
      onChange={event => setField(event.currentTarget.value)}
      error={fault('field')}
      list="policy-fields"
      autoComplete="off"
    />
  );
  const peopleFields = (
    <div className="policy-form-pair">
      <NumberInput
        label="People who must approve"
        min={1}
        max={16}
        value={people}
        onChange={setPeople}
        error={fault('people')}
        size="xs"
      />
      <TagsInput
        label={kind === 'roles' ? 'With one of the roles' : 'With one of the roles (optional)'}
        value={roles}
        onChange={setRoles}
        error={fault('roles')}
        size="xs"
      />
    </div>
  );
  return (
    <Modal opened onClose={close} title="A rule without writing Rego" size={960}>
      <form onSubmit={submit}>
        <datalist id="policy-fields">
          {knownFields.map(path => (
            <option key={path} value={path} />
          ))}
        </datalist>
        <div className="policy-form">
          <div className="stack">
            <SegmentedControl
              size="xs"
              aria-label="Kind of rule"
              data={[...kinds]}
              value={kind}
              onChange={value => setKind(value as Kind)}
            />
            <p className="mute policy-note">{leads[kind]}</p>
            <div className="policy-form-pair">
              <TextInput
                label="What it is for"
                value={title}
                onChange={event => setTitle(event.currentTarget.value)}
                error={fault('title')}
                maxLength={80}
                data-autofocus
              />
              <TextInput
                label="Short name"
                value={name}
                onChange={event => setName(event.currentTarget.value)}
                error={fault('name')}
                maxLength={40}
              />
            </div>
            <TagsInput
              label="Actions"
              description="Type a name and press Enter. As the program asks for it: issue_refund, send_wire."
              data={knownActions}
              value={actions}
              onChange={setActions}
              error={fault('actions')}
              size="xs"
            />
            {kind === 'threshold' && (
              <>
                {fieldField}
                <div className="policy-form-pair">
                  <NumberInput
                    label="Above this it needs approval"
                    value={limit}
                    onChange={setLimit}
                    error={fault('limit')}
                    size="xs"
                    hideControls
                    thousandSeparator=","
                  />
                  <NumberInput
                    label="Above this it is denied (optional)"
                    value={ceiling}
                    onChange={setCeiling}
                    error={fault('ceiling')}
                    size="xs"
                    hideControls
                    thousandSeparator=","
                  />
                </div>
                {peopleFields}
              </>
            )}
            {kind === 'list' && (
              <>
                {fieldField}
                <div className="policy-form-pair">
                  <Select
                    label="When it is"
                    data={[
                      { value: 'in', label: 'on the list' },
                      { value: 'not_in', label: 'not on the list, or missing' },
                    ]}
                    value={when}
                    allowDeselect={false}
                    onChange={value => setWhen(value as 'in' | 'not_in')}
                  />
                  {answerField}
                </div>
                <TagsInput
                  label="The list"
                  value={values}
                  onChange={setValues}
                  error={fault('values')}
                  size="xs"
                />
              </>
            )}
            {kind === 'region' && (
              <>
                <TagsInput
                  label="Regions"
                  description="As the call site says in context.region."
                  value={regions}
                  onChange={setRegions}
                  error={fault('regions')}
                  size="xs"
                />
                <div className="policy-form-pair">
                  <Select
                    label="Which calls"
                    data={[
                      { value: 'personal', label: 'with personal data, or where that is not said' },
                      { value: 'all', label: 'all' },
                    ]}
                    value={personal ? 'personal' : 'all'}
                    allowDeselect={false}
                    onChange={value => setPersonal(value === 'personal')}
                  />
                  {answerField}
                </div>
              </>
            )}
            {kind === 'roles' && peopleFields}
          </div>
          <div className="policy-form-preview">
            <h3 className="policy-h3">What it writes</h3>
            {written === undefined ? (
              <p className="mute policy-note">The Rego stands here once the form is filled in.</p>
            ) : (
              <>
                <CodeBlock code={written.rego.text.trim()} what={written.rego.path} />
                <h3 className="policy-h3">And its tests</h3>
                <CodeBlock code={written.test.text.trim()} what={written.test.path} />
              </>
            )}
          </div>
        </div>
        {decision.isError && <ErrorPanel error={decision.error} />}
        {tried && !ready && (
          <p role="alert" className="tone-deny policy-word">
            Something is missing: {Object.keys(faults).join(', ')}.
          </p>
        )}
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" disabled={decision.data === undefined}>
            {files === undefined ? 'Begin a draft with it' : 'Add it to the draft'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
