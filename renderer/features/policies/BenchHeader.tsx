/** What is open, whether it is in force, how its tests stand, and what can be done with the whole of it. */
import { Button } from '@mantine/core';
import { countOf } from '../../ui/numbers.ts';
import { Chip, PageHeader } from '../../ui/Page.tsx';
import { beginDraft } from './DraftMenu.tsx';
import type { Desk } from './useDesk.ts';

export function BenchHeader({ desk }: { desk: Desk }) {
  const { opened, inForce, go, mayTry, maySave, setDialog, currentTests: current } = desk;
  const { title, draft, files } = opened;
  return (
    <PageHeader
      title={title}
      crumbs={[{ label: 'Policies', to: '/policies' }]}
      aside={
        <>
          <Chip>
            {draft === undefined
              ? opened.hash === inForce?.hash
                ? 'in force in prod'
                : 'saved set'
              : 'draft, in this browser'}
          </Chip>
          {inForce !== undefined && (
            <Chip>
              prod runs <b>v{inForce.version}</b>
            </Chip>
          )}
          {current !== undefined && current.tests.length > 0 && (
            <Chip>
              <span>
                <b className={`policy-word ${current.counts.failed > 0 ? 'tone-deny' : 'tone-allow'}`}>
                  {current.counts.failed > 0
                    ? `${current.counts.failed} failed`
                    : `✓ ${countOf(current.counts.passed, 'test')}`}
                </b>
                , {Math.round(current.counts.percent)} % covered
              </span>
            </Chip>
          )}
          {desk.elsewhere && (
            <Chip title="What another tab writes into this draft is shown here; write in one of them only">
              <b role="status" className="policy-word tone-ask">
                also written in another tab
              </b>
            </Chip>
          )}
          {!desk.kept && <Chip title="This browser’s storage is full or off">not kept: storage is full</Chip>}
        </>
      }
      actions={
        <>
          {inForce !== undefined && opened.hash !== inForce.hash && (
            <Button variant="default" onClick={() => go({ against: inForce.hash })}>
              Compare with v{inForce.version}
            </Button>
          )}
          {draft !== undefined && (
            <Button variant="default" onClick={() => void desk.formatAll()}>
              Format
            </Button>
          )}
          {draft !== undefined && maySave && <Button onClick={() => setDialog('save')}>Save as a set</Button>}
          {draft === undefined && mayTry && (
            <Button
              onClick={() =>
                beginDraft(`Change of ${title}`.slice(0, 60), files, desk.openDraft, opened.hash)
              }
            >
              Edit as a draft
            </Button>
          )}
        </>
      }
    />
  );
}
