/** What is in force where, what waits for a second person, the shadow run, and every saved set with what can be done with it. */
import { Button, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconChevronDown } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type Environment,
  type EnvironmentView,
  environments,
  type PolicySetView,
} from '../../../core/api/policy_views.ts';
import type { SessionView } from '../../../core/api/views.ts';
import { useMay } from '../../api/me.ts';
import { invalidate, useAsk, useCall } from '../../api/queries.ts';
import { Hash } from '../../ui/Copy.tsx';
import { countOf } from '../../ui/numbers.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { ActivateDialog } from './ActivateDialog.tsx';
import { ShadowView } from './ShadowPanel.tsx';
import { canActivate, nameOfSet, testsWord } from './sets_view.ts';

type Acting = { set: PolicySetView; environment: Environment; revert: boolean };

export function SetsPanel({
  me,
  places,
  read,
  compare,
  edit,
  mayEdit,
  openRun,
}: {
  me: SessionView;
  places: readonly EnvironmentView[];
  read: (hash: string) => void;
  compare: (hash: string) => void;
  edit: (set: PolicySetView) => void;
  mayEdit: boolean;
  openRun: (run: string, seq: number) => void;
}) {
  const client = useQueryClient();
  const sets = useAsk('policySets', { query: { limit: 100 } }, { keep: true });
  const versions = useAsk('policyVersions', { query: { limit: 100 } }, { keep: true });
  const mayActivate = useMay('activatePolicySet');
  const mayShadow = useMay('setCandidate');
  const mayWithdraw = useMay('withdrawActivation');
  const mayChange = useMay('changePolicySettings');
  const [acting, setActing] = useState<Acting>();
  const shadow = useCall('setCandidate');
  const withdraw = useCall('withdrawActivation');
  const settings = useCall('changePolicySettings');
  const failure = shadow.error ?? withdraw.error ?? settings.error;
  const refresh = () => invalidate(client, 'policyEnvironments', 'policySets', 'policyVersions');
  const items = sets.data?.items ?? [];
  const setOf = (hash: string): PolicySetView | undefined => items.find(one => one.hash === hash);
  const wasInForce = (hash: string): boolean => (versions.data?.items ?? []).some(one => one.hash === hash);
  const four = places.filter(place => place.four_eyes).map(place => place.name);

  return (
    <div className="policy-side-body">
      {failure !== null && <ErrorPanel error={failure} />}
      <h2 className="policy-h3">In force</h2>
      <ul className="policy-places">
        {places.map(place => (
          <li key={place.name}>
            <p>
              <b>{place.name}</b>{' '}
              {place.active === undefined ? (
                <span className="mute">nothing yet: the policy that ships comes with its first API key</span>
              ) : (
                <>
                  <span className="policy-version">v{place.active.version}</span>{' '}
                  <button
                    type="button"
                    className="policy-link"
                    onClick={() => read(place.active?.hash ?? '')}
                  >
                    {nameOfSet(
                      setOf(place.active.hash) ?? { hash: place.active.hash, message: place.active.message },
                    )}
                  </button>{' '}
                  <span className="mute">
                    by {place.active.by}, <Time at={place.active.since} short />
                  </span>
                </>
              )}
            </p>
            {place.pending !== undefined && (
              <div className="callout tone-ask">
                <b>
                  {place.pending.by} asks to put {nameOfSet(setOf(place.pending.hash) ?? place.pending)} in
                  force
                </b>
                <p>It waits for another policy author’s signature.</p>
                <div className="row">
                  {mayActivate &&
                    setOf(place.pending.hash) !== undefined &&
                    place.pending.by !== me.person?.id && (
                      <Button
                        size="compact-xs"
                        onClick={() => {
                          const set = setOf(place.pending?.hash ?? '');
                          if (set !== undefined) setActing({ set, environment: place.name, revert: false });
                        }}
                      >
                        Look and sign
                      </Button>
                    )}
                  <Button
                    size="compact-xs"
                    variant="default"
                    onClick={() => compare(place.pending?.hash ?? '')}
                  >
                    Compare
                  </Button>
                  {mayWithdraw && (
                    <Button
                      size="compact-xs"
                      variant="default"
                      onClick={() =>
                        withdraw.mutate({ params: { environment: place.name } }, { onSuccess: refresh })
                      }
                    >
                      Take back
                    </Button>
                  )}
                </div>
              </div>
            )}
            {place.candidate !== undefined && (
              <ShadowView
                place={place}
                openRun={openRun}
                nameOf={hash => nameOfSet(setOf(hash) ?? { hash, message: '' })}
              />
            )}
          </li>
        ))}
      </ul>
      {mayChange && me.person !== undefined && (
        <fieldset className="policy-four">
          <legend className="mute">Two people must sign an activation in</legend>
          {environments.map(name => (
            <label key={name}>
              <input
                type="checkbox"
                checked={four.includes(name)}
                onChange={event =>
                  settings.mutate(
                    {
                      input: {
                        four_eyes: environments.filter(one =>
                          one === name ? event.currentTarget.checked : four.includes(one),
                        ),
                      },
                    },
                    { onSuccess: refresh },
                  )
                }
              />{' '}
              {name}
            </label>
          ))}
        </fieldset>
      )}
      <h2 className="policy-h3">Saved sets</h2>
      {sets.isError && <ErrorPanel error={sets.error} />}
      {sets.data === undefined && !sets.isError && <Waiting label="Loading sets" />}
      <ul className="policy-sets" aria-label="Saved sets">
        {items.map(set => (
          <li key={set.hash} data-set={set.hash}>
            <div className="policy-set-head">
              <button type="button" className="policy-link policy-set-name" onClick={() => read(set.hash)}>
                {nameOfSet(set)}
              </button>
              {set.active.map(name => (
                <span key={name} className="chip policy-active">
                  {name}
                </span>
              ))}
            </div>
            <p className="mute policy-small">
              {set.by !== '' && `${set.by}, `}
              <Time at={set.saved_at} short />, {testsWord(set)}, {countOf(set.files, 'file')}
              {set.signed_in === 'none' && !set.built_in && ', not signed'}
            </p>
            <div className="policy-set-actions">
              <Hash value={set.hash} what="policy hash" />
              <span className="grow" />
              <Button size="compact-xs" variant="default" onClick={() => compare(set.hash)}>
                Compare
              </Button>
              {(mayEdit || mayActivate || mayShadow) && (
                <Menu position="bottom-end" width={210}>
                  <Menu.Target>
                    <Button
                      size="compact-xs"
                      variant="default"
                      rightSection={<IconChevronDown size={12} aria-hidden />}
                      aria-label={`More for ${nameOfSet(set)}`}
                    >
                      More
                    </Button>
                  </Menu.Target>
                  <Menu.Dropdown>
                    {mayEdit && <Menu.Item onClick={() => edit(set)}>New draft from it</Menu.Item>}
                    {mayActivate &&
                      (canActivate(set) ? (
                        environments
                          .filter(name => !set.active.includes(name))
                          .map(name => (
                            <Menu.Item
                              key={name}
                              onClick={() =>
                                setActing({ set, environment: name, revert: wasInForce(set.hash) })
                              }
                            >
                              {wasInForce(set.hash) ? `Go back to it in ${name}` : `Put in force in ${name}`}
                            </Menu.Item>
                          ))
                      ) : (
                        <Menu.Item disabled>Not in force before its tests pass</Menu.Item>
                      ))}
                    {mayShadow &&
                      places
                        .filter(
                          place =>
                            place.active !== undefined &&
                            place.candidate?.hash !== set.hash &&
                            place.active.hash !== set.hash,
                        )
                        .map(place => (
                          <Menu.Item
                            key={`shadow-${place.name}`}
                            onClick={() =>
                              shadow.mutate(
                                { params: { environment: place.name }, input: { hash: set.hash } },
                                {
                                  onSuccess: async () => {
                                    await refresh();
                                    notifications.show({
                                      message: `In shadow in ${place.name}: evaluated beside the policy in force, never enforced.`,
                                    });
                                  },
                                },
                              )
                            }
                          >
                            Shadow in {place.name}
                          </Menu.Item>
                        ))}
                  </Menu.Dropdown>
                </Menu>
              )}
            </div>
          </li>
        ))}
      </ul>
      <h2 className="policy-h3">Versions</h2>
      <ol className="policy-versions" aria-label="Versions">
        {(versions.data?.items ?? []).map(version => (
          <li key={version.seq}>
            <span className="policy-version">v{version.version}</span> {version.environment}{' '}
            <button type="button" className="policy-link" onClick={() => read(version.hash)}>
              {nameOfSet(setOf(version.hash) ?? { hash: version.hash, message: '' })}
            </button>{' '}
            <span className="mute">
              {version.by}, <Time at={version.since} short />
            </span>
          </li>
        ))}
      </ol>
      {acting !== undefined && (
        <ActivateDialog
          me={me}
          set={acting.set}
          places={places}
          start={acting.environment}
          revert={acting.revert}
          close={() => setActing(undefined)}
        />
      )}
    </div>
  );
}
