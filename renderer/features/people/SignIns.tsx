/** Recorded sign-ins and attempts of one person, newest first; each leads to its record. */
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useAsk } from '../../api/queries.ts';
import { formatCount } from '../../ui/numbers.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { signInWord } from './people_view.ts';

const STEP = 10;

export function SignIns({ person }: { person: string }) {
  const [limit, setLimit] = useState(STEP);
  const asked = useAsk('signIns', { params: { id: person }, query: { limit } }, { keep: true, fresh: 0 });
  if (asked.isError) return <ErrorPanel error={asked.error} retry={() => void asked.refetch()} />;
  if (asked.data === undefined) return <Waiting label="Loading sign-ins" />;
  const { items, total } = asked.data;
  if (items.length === 0) return <p className="mute">Nothing is recorded yet.</p>;
  return (
    <>
      <table className="table people-history">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">When</th>
            <th scope="col">Record</th>
          </tr>
        </thead>
        <tbody>
          {items.map(row => {
            const { word, tone } = signInWord(row.what);
            return (
              <tr key={row.seq}>
                <td>
                  <span className={tone === 'deny' ? 'ink-deny' : undefined}>{word}</span>
                </td>
                <td className="nowrap">
                  <Time at={row.at} short />
                </td>
                <td>
                  <Link to="/events/$seq" params={{ seq: String(row.seq) }}>
                    #{formatCount(row.seq)}
                  </Link>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {total > items.length && items.length < 1000 && (
        <Button
          variant="default"
          size="compact-xs"
          className="people-more"
          onClick={() => setLimit(Math.min(1000, limit * 5))}
        >
          Show more of {formatCount(total)}
        </Button>
      )}
    </>
  );
}
