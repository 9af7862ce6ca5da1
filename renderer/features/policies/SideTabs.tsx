/** What becomes of the text, beside it: versions and environments, impact, why a rule fired or did not. */
import { call } from '../../api/client.ts';
import { TabBar } from '../../ui/TabBar.tsx';
import { beginDraft } from './DraftMenu.tsx';
import { ExplainPanel } from './ExplainPanel.tsx';
import { ImpactPanel } from './ImpactPanel.tsx';
import { SetsPanel } from './SetsPanel.tsx';
import { nameOfSet } from './sets_view.ts';
import type { Desk } from './useDesk.ts';

export function SideTabs({ desk }: { desk: Desk }) {
  const { me, search, go, toPlace, mayTry, environments, trial, opened } = desk;
  const { title, files } = opened;
  return (
    <aside className="policy-side" aria-label="What becomes of it">
      <TabBar
        label="What becomes of it"
        value={search.side ?? 'sets'}
        onChange={side => go({ side })}
        tabs={[
          {
            id: 'sets',
            label: 'Versions',
            body: () => (
              <SetsPanel
                me={me}
                places={environments ?? []}
                read={desk.readSet}
                compare={hash => go({ against: hash })}
                mayEdit={mayTry}
                edit={set =>
                  void call('policySet', { params: { hash: set.hash } }).then(answer =>
                    beginDraft(
                      `Change of ${nameOfSet(set)}`.slice(0, 60),
                      answer.files.map(({ path: of, text }) => ({ path: of, text })),
                      desk.openDraft,
                      set.hash,
                    ),
                  )
                }
                openRun={desk.openRun}
              />
            ),
          },
          {
            id: 'impact',
            label: 'Impact',
            body: () => (
              <ImpactPanel
                me={me}
                files={files}
                hash={opened.hash}
                title={title}
                impactId={search.impact}
                cell={search.cell}
                choose={(impact, cell) => go({ impact, cell })}
                toPlace={toPlace}
                openRun={desk.openRun}
                pick={desk.pickDecision}
              />
            ),
          },
          {
            id: 'explain',
            label: 'Explain',
            body: () => <ExplainPanel trial={trial} files={files} mayTry={mayTry} toPlace={toPlace} />,
          },
        ]}
      />
    </aside>
  );
}
