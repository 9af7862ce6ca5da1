/** What the signing key did: packs that were signed, and changes of the identity. Each is a record of the ledger. */
import { Link } from '@tanstack/react-router';
import type { RecordView } from '../../../../core/api/views.ts';
import { useAsk } from '../../../api/queries.ts';
import { countOf, formatCount } from '../../../ui/numbers.ts';
import { Section } from '../../../ui/Page.tsx';
import { ErrorPanel } from '../../../ui/States.tsx';
import { Time } from '../../../ui/Time.tsx';
import { wordsOfUse } from './key_uses.ts';

const LISTED = 10;

export function KeyUses() {
  const packs = useAsk('events', { query: { q: 'app:_ledger type:export.completed', limit: LISTED } });
  const changes = useAsk('events', { query: { q: 'app:_ledger type:key.identity', limit: LISTED } });
  const failed = packs.error ?? changes.error;
  if (failed !== null) return <ErrorPanel error={failed} />;
  if (packs.data === undefined || changes.data === undefined) return null;
  const items = [...packs.data.items, ...changes.data.items].sort((a, b) => b.seq - a.seq).slice(0, LISTED);
  const total = packs.data.total + changes.data.total;
  return (
    <Section title="What the key was used for" lead="Each use is recorded, and stays.">
      {total === 0 ? (
        <p className="mute">
          Not used yet. It signs the first time that an evidence pack is exported; each pack is then listed
          here.
        </p>
      ) : (
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">What</th>
                <th scope="col">By</th>
                <th scope="col">Record</th>
              </tr>
            </thead>
            <tbody>
              {items.map(record => (
                <Use key={record.seq} record={record} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {total > items.length && (
        <p className="mute settings-note">
          The newest {items.length} of {countOf(total, 'use')}.
        </p>
      )}
    </Section>
  );
}

function Use({ record }: { record: RecordView }) {
  const { what, by } = wordsOfUse(record);
  return (
    <tr>
      <td className="nowrap">
        <Time at={record.ts} short precision="minute" />
      </td>
      <td>{what}</td>
      <td>{by}</td>
      <td className="nowrap">
        <Link to="/events/$seq" params={{ seq: String(record.seq) }}>
          #{formatCount(record.seq)}
        </Link>
      </td>
    </tr>
  );
}
