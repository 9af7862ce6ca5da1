/** Proof: one sentence first, then every step that was recomputed here, then the hashes for who wants to follow. */
import { Button } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconMinus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import type { RecordView } from '../../../core/api/views.ts';
import { useStatus } from '../../api/queries.ts';
import { CopyButton } from '../../ui/Copy.tsx';
import { formatCount } from '../../ui/numbers.ts';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import type { ProofResult, ProofStep } from './proof_check.ts';
import { useProof } from './useProof.ts';

export function ProofTab({ record }: { record: RecordView }) {
  const proof = useProof(record);
  const [details, setDetails] = useState(false);
  if (proof.isError) return <ErrorPanel error={proof.error} retry={() => void proof.refetch()} />;
  if (proof.data === undefined) return <Waiting label="Recomputing the proof" />;
  const result = proof.data;
  return (
    <>
      <div className="proof-verdict" data-intact={result.intact}>
        <Verdict result={result} />
      </div>
      <Section title="What was checked" level={3}>
        <ol className="proof-steps">
          {result.steps.map(step => (
            <Step key={step.id} step={step} details={details} />
          ))}
        </ol>
        <div className="row">
          <Button
            variant="default"
            size="compact-sm"
            aria-expanded={details}
            onClick={() => setDetails(!details)}
          >
            {details ? 'Hide details' : 'Details'}
          </Button>
          <Button
            variant="subtle"
            size="compact-sm"
            loading={proof.isFetching}
            onClick={() => void proof.refetch()}
          >
            Check again
          </Button>
        </div>
      </Section>
      <Section title="How far this goes" level={3}>
        <Reach result={result} />
      </Section>
    </>
  );
}

function Verdict({ result }: { result: ProofResult }) {
  const failed = result.steps.find(step => step.result === 'fail');
  if (failed !== undefined) {
    return (
      <div className="proof-sentence tone-deny" role="alert">
        <IconAlertTriangle size={20} aria-hidden />
        <div>
          <strong>This does not match what was recorded.</strong>
          <p>{failed.says}</p>
          <p className="mute">
            Event #{formatCount(result.seq)}; checked on this computer at <Time at={result.checkedAt} short />
            . Do not rely on it. Keep a copy of the data folder, then run{' '}
            <code className="mono">trailmix verify --ledger</code>.
          </p>
        </div>
      </div>
    );
  }
  return (
    <div className="proof-sentence tone-allow">
      <IconCheck size={20} stroke={2.4} aria-hidden />
      <div>
        <strong>
          Unchanged since it was recorded; checked on this computer at <Time at={result.checkedAt} short />.
        </strong>
        <p className="mute">
          Event #{formatCount(result.seq)}, under the checkpoint over {formatCount(result.checkpoint.size)}{' '}
          records of <Time at={result.checkpoint.at} short />.
        </p>
      </div>
    </div>
  );
}

const signs = { pass: IconCheck, fail: IconX, absent: IconMinus } as const;
const words = { pass: 'Agrees', fail: 'Does not agree', absent: 'Nothing to compare' } as const;

function Step({ step, details }: { step: ProofStep; details: boolean }) {
  const Sign = signs[step.result];
  return (
    <li className="proof-step" data-result={step.result} data-step={step.id}>
      <Sign size={14} stroke={2.6} aria-label={words[step.result]} role="img" />
      <div>
        {step.says}
        {details && step.detail.length > 0 && (
          <dl className="proof-detail">
            {step.detail.map(row => (
              <div key={`${row.name}${row.value}`}>
                <dt>
                  {row.name} <CopyButton text={row.value} what={row.name} size={16} />
                </dt>
                <dd className="mono wrap">{row.value}</dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </li>
  );
}

function Reach({ result }: { result: ProofResult }) {
  const exported = useStatus().data?.ledger?.exported;
  const covered = exported !== undefined && exported.size > result.seq;
  return (
    <p className="mute">
      The arithmetic was done in this page; the keys it was checked against came from this collector.{' '}
      {covered ? (
        <>
          A pack whose checkpoint covers this event was exported <Time at={exported.at} short />. If someone
          else has it, even the holder of the signing key could not rewrite this event unseen.
        </>
      ) : (
        'No exported pack covers this event yet: the holder of the signing key could still rewrite it unseen. Exporting an evidence pack and giving it away changes that.'
      )}
    </p>
  );
}

/** The same verdict in two lines, for the Summary. */
export function ProofBrief({ record, open }: { record: RecordView; open: () => void }) {
  const proof = useProof(record);
  if (proof.isError) return <p className="mute">The proof could not be fetched: {proof.error.title}.</p>;
  if (proof.data === undefined) return <Waiting label="Checking" />;
  const { intact, seq, checkedAt } = proof.data;
  return (
    <>
      <div
        className={intact ? 'decision tone-allow big' : 'decision tone-deny big'}
        role={intact ? undefined : 'alert'}
      >
        {intact ? (
          <IconCheck size={15} stroke={2.4} aria-hidden />
        ) : (
          <IconX size={15} stroke={2.4} aria-hidden />
        )}
        {intact ? 'Unchanged since it was recorded' : 'This does not match what was recorded'}
      </div>
      <p className="mute">
        Event #{formatCount(seq)}, checked on this computer at <Time at={checkedAt} short />.{' '}
        <button type="button" className="link" onClick={open}>
          Details
        </button>
      </p>
    </>
  );
}
