/** How approvals are reviewed: signs of rubber-stamping by person, rule and app, explained in words, and as CSV. */
import { Button, SegmentedControl } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMemo } from 'react';
import type { ReviewRow } from '../../../core/api/approval_operations.ts';
import { reviewCsv } from '../../../core/formats/review_csv.ts';
import { useAsk } from '../../api/queries.ts';
import { countOf, formatCount } from '../../ui/numbers.ts';
import { PageBody, Section } from '../../ui/Page.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../ui/States.tsx';
import { saveBlob } from '../settings/save_file.ts';
import { reportDays } from './approvals_search.ts';
import { flagSentence, secondsInWords } from './report_view.ts';

const DAY_MS = 86_400_000;

export function ReviewReport({ days, choose }: { days: number; choose: (days: number) => void }) {
  // To the minute, so that the question stays the same while it is looked at.
  const from = useMemo(
    () => `${new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 17)}00.000000Z`,
    [days],
  );
  const asked = useAsk('reviewReport', { query: { from } }, { every: 15_000, keep: true });
  const report = asked.data;
  return (
    <PageBody>
      <div className="report-head">
        <p className="section-lead">
          Signs that approvals are waved through. They are where to look, not a verdict: a reader may know the
          case by heart. Times are the collector’s own.
        </p>
        <div className="row">
          <SegmentedControl
            size="xs"
            aria-label="Window"
            value={String(days)}
            onChange={value => choose(Number(value))}
            data={reportDays.map(value => ({
              value: String(value),
              label: value === 365 ? '1 year' : `${value} days`,
            }))}
          />
          <Button
            variant="default"
            size="xs"
            leftSection={<IconDownload size={14} aria-hidden />}
            disabled={report === undefined || report.answers === 0}
            onClick={() =>
              report !== undefined &&
              saveBlob(
                new Blob([reviewCsv(report)], { type: 'text/csv' }),
                `reviews-${report.from.slice(0, 10)}-${report.to.slice(0, 10)}.csv`,
              )
            }
          >
            Export as CSV
          </Button>
        </div>
      </div>
      {asked.isError && report === undefined && (
        <ErrorPanel error={asked.error} retry={() => void asked.refetch()} />
      )}
      {asked.isLoading && <Waiting label="Reading the answers" />}
      {report !== undefined && report.answers === 0 && (
        <EmptyState title="No answers in these days">
          <p>As soon as people answer, how they do it is summed up here. Samples do not count.</p>
        </EmptyState>
      )}
      {report !== undefined && report.answers > 0 && (
        <>
          <p role="status" className="mute">
            {countOf(report.answers, 'answer')} in these days.
          </p>
          <Table title="By person" rows={report.by_person} first="Person" />
          <Table title="By rule, or reason given" rows={report.by_rule} first="Rule" />
          <Table title="By app" rows={report.by_app} first="App" />
        </>
      )}
    </PageBody>
  );
}

function Table({ title, rows, first }: { title: string; rows: readonly ReviewRow[]; first: string }) {
  return (
    <Section title={title} level={3}>
      <div className="report-scroll">
        <table className="table report-table">
          <thead>
            <tr>
              <th scope="col">{first}</th>
              <th scope="col" className="num">
                Answers
              </th>
              <th scope="col" className="num">
                Approved
              </th>
              <th scope="col" className="num">
                Refused
              </th>
              <th scope="col" className="num">
                Half took under
              </th>
              <th scope="col">Worth a look</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(row => (
              <tr key={row.key}>
                <th scope="row">
                  {row.label}
                  {row.key !== row.label && row.key !== '' && <span className="mute"> {row.key}</span>}
                </th>
                <td className="num">{formatCount(row.answers)}</td>
                <td className="num">{formatCount(row.approved)}</td>
                <td className="num">{formatCount(row.denied)}</td>
                <td className="num">{row.median_seconds === 0 ? '' : secondsInWords(row.median_seconds)}</td>
                <td>
                  {row.flags.length === 0 ? (
                    <span className="mute">nothing</span>
                  ) : (
                    <ul className="report-flags">
                      {row.flags.map(flag => (
                        <li key={flag}>{flagSentence(flag, row)}</li>
                      ))}
                    </ul>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
