/** Putting a set in force in an environment, or back to an earlier one. Says what it replaces before it is signed. */
import { Select } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type Environment,
  type EnvironmentView,
  environments,
  type PolicySetView,
} from '../../../core/api/policy_views.ts';
import type { SessionView } from '../../../core/api/views.ts';
import { invalidate } from '../../api/queries.ts';
import { Hash } from '../../ui/Copy.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { countOf } from '../../ui/numbers.ts';
import { activateSet } from './policy_signing.ts';
import { SigningDialog } from './SigningDialog.tsx';
import { canActivate } from './sets_view.ts';

export function ActivateDialog({
  me,
  set,
  places,
  start,
  revert,
  close,
}: {
  me: SessionView;
  set: PolicySetView;
  places: readonly EnvironmentView[];
  start: Environment;
  revert: boolean;
  close: () => void;
}) {
  const client = useQueryClient();
  const [environment, setEnvironment] = useState<Environment>(start);
  const [message, setMessage] = useState('');
  const place = places.find(one => one.name === environment);
  const four = place?.four_eyes === true;
  const second = place?.pending?.hash === set.hash;
  const allowed = canActivate(set);
  const submit = async (): Promise<boolean> => {
    const done = await activateSet(me, {
      environment,
      hash: set.hash,
      // The second person signs the words of the first.
      message: second ? (place?.pending?.message ?? '') : message.trim(),
      replaces: place?.active?.hash ?? '',
    });
    if (done === undefined) return false;
    await invalidate(client, 'policyEnvironments', 'policySets', 'policyVersions');
    notifications.show({
      message:
        done.state === 'active'
          ? `In force in ${environment} since now.`
          : `Waits for a second person to sign for ${environment}.`,
    });
    close();
    return true;
  };
  const inForce = place?.active?.hash === set.hash;
  return (
    <SigningDialog
      title={revert ? 'Go back to this set' : 'Put this set in force'}
      message={allowed && !second ? { label: 'Why', value: message, onChange: setMessage } : undefined}
      submit={submit}
      enabled={allowed && !inForce}
      act={
        inForce
          ? `Already in force in ${environment}`
          : four && !second
            ? 'Sign and ask a second person'
            : `Put in force in ${environment}`
      }
      close={close}
    >
      <Select
        label="Environment"
        description="Each API key decides under the policy of its environment."
        data={[...environments]}
        value={environment}
        allowDeselect={false}
        onChange={value => value !== null && setEnvironment(value as Environment)}
      />
      <KeyValue
        rows={[
          { name: 'This set', value: <Hash value={set.hash} what="policy hash" /> },
          {
            name: 'Says',
            value: set.message === '' ? <span className="mute">no message</span> : set.message,
          },
          {
            name: 'Tests',
            value: set.built_in
              ? 'tested where the app was built'
              : `${set.tests.passed} passed, ${set.tests.failed} failed`,
          },
          {
            name: 'Replaces',
            value:
              place?.active === undefined ? (
                'nothing: none is in force there'
              ) : (
                <Hash value={place.active.hash} what="hash of the policy in force" />
              ),
          },
        ]}
      />
      {!allowed && (
        <div className="callout tone-deny">
          <b>
            {set.tests.failed > 0
              ? `${countOf(set.tests.failed, 'test')} failed.`
              : 'It has no tests that passed.'}
          </b>
          <p>
            Only a set whose tests all passed comes into force. Open it as a draft, mend it, and save it
            again.
          </p>
        </div>
      )}
      {allowed && four && (
        <div className="callout tone-ask">
          <b>{second ? `${place?.pending?.by} asked for it.` : 'Two people are needed here.'}</b>
          <p>
            {second
              ? 'With your signature it comes into force.'
              : 'After your signature it waits for another policy author’s.'}
          </p>
        </div>
      )}
    </SigningDialog>
  );
}
