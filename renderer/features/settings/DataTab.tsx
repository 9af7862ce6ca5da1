/** Settings > Data: the folder, what it takes of the disk, and the check of the whole ledger. */
import { Button } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import type { Verdicts } from '../../../core/pack/findings.ts';
import { useCall, useStatus } from '../../api/queries.ts';
import { CodeBlock, Hash } from '../../ui/Copy.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { formatCount } from '../../ui/numbers.ts';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { buildVerdicts } from '../evidence/verdicts.ts';
import { buildDisk } from './settings_view.ts';

export function DataTab() {
  const status = useStatus().data;
  const check = useCall('verifyLedger');
  if (status?.data === undefined || status.ledger === undefined) return <Waiting />;
  const { data, ledger } = status;
  // The table leaves a finding's code a text; the codes are those of core/pack/findings.ts.
  const verdicts = check.data?.verdicts as Verdicts | undefined;
  return (
    <div className="settings-page">
      <Section
        title="Data folder"
        lead="Everything recorded is here, encrypted. Nothing is kept anywhere else, but for the key file."
      >
        <CodeBlock code={data.folder} what="folder" />
        {data.disk_low && (
          <div className="callout tone-ask">
            <strong>Little disk space is left</strong>
            <p>When it is full, nothing more is recorded, and callers are told so. Free some space.</p>
          </div>
        )}
      </Section>
      <Section title="Disk use">
        <KeyValue wide rows={buildDisk(data).map(row => ({ name: row.name, value: row.text }))} />
      </Section>
      <Section title="Ledger">
        <KeyValue
          wide
          rows={[
            { name: 'Records', value: formatCount(ledger.head_seq + 1) },
            {
              name: 'Verified',
              value: ledger.verified_to < 0 ? 'not yet' : `to #${formatCount(ledger.verified_to)}`,
            },
            { name: 'Ledger id', value: <Hash value={ledger.ledger_id} what="ledger id" /> },
          ]}
        />
        <p className="mute settings-note">
          The collector checks every record behind your work. This checks all of them again now, from the
          first:
        </p>
        <Button
          variant="default"
          leftSection={<IconShieldCheck size={15} aria-hidden />}
          loading={check.isPending}
          onClick={() => check.mutate({})}
        >
          Verify the whole ledger
        </Button>
        <span className="settings-status mute" role="status">
          {check.isPending ? 'Recomputing every hash and signature…' : ''}
        </span>
        {check.isError && <ErrorPanel error={check.error} />}
        {verdicts !== undefined && (
          <dl className="kv wide settings-verdicts">
            {buildVerdicts(verdicts).map(verdict => (
              <div key={verdict.id} className="kv-row">
                <dt>
                  {verdict.name}: <b className={`verdict-word tone-${verdict.tone}`}>{verdict.word}</b>
                </dt>
                <dd>
                  {verdict.findings.length === 0 && verdict.sentence}
                  {verdict.findings.slice(0, 10).map(finding => (
                    <p key={`${finding.code}${finding.where}`}>
                      {finding.message} <code className="mono mute">{finding.where}</code>
                    </p>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        )}
      </Section>
    </div>
  );
}
