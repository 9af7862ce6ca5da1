/** A pack's four verdicts, recomputed in this page: nothing is asked of the collector and nothing is sent. */
import { Button, Progress } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconEyeOff,
  IconFileCertificate,
} from '@tabler/icons-react';
import { useRef } from 'react';
import { DATED_LEAVES_OPEN, datedText } from '../../../core/pack/dated.ts';
import { shownText } from '../../../core/pack/places.ts';
import { policyLines } from '../../../core/pack/policy_words.ts';
import { factSentences } from '../../../core/pack/query_words.ts';
import { sinceSentences } from '../../../core/pack/since.ts';
import type { PackReport } from '../../../core/pack/verify.ts';
import { CodeBlock, Hash } from '../../ui/Copy.tsx';
import { FileButton } from '../../ui/FileButton.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { formatBytes, formatCount } from '../../ui/numbers.ts';
import { Section } from '../../ui/Page.tsx';
import { Time } from '../../ui/Time.tsx';
import { formatDuration } from '../../ui/times.ts';
import { desktop } from './desktop.ts';
import { MOST_FILES, namesOf } from './given_files.ts';
import { buildCounts, stampedWords } from './scope.ts';
import { buildConclusion, buildVerdicts, keysCompared, levelWords, type VerdictLook } from './verdicts.ts';
import {
  compareWith,
  filesOf,
  forget,
  takeFiles,
  trustWaiting,
  useVerifying,
  type Verifying,
  verify,
} from './verify_store.ts';

const signs = { pass: IconCircleCheck, fail: IconCircleX, not_shown: IconEyeOff } as const;

export function VerifyTab() {
  const now = useVerifying();
  return (
    <div className="verify">
      {now.state === 'nothing' && <DropHere />}
      {now.state === 'running' && <Running now={now} />}
      {now.state === 'refused' && <NotAPack now={now} />}
      {now.state === 'done' && <Done now={now} />}
    </div>
  );
}

function DropHere() {
  const open = useRef<() => void>(null);
  const shell = desktop();
  const trust = trustWaiting();
  return (
    <>
      <Dropzone
        openRef={open}
        onDrop={takeFiles}
        maxFiles={MOST_FILES}
        getFilesFromEvent={filesOf}
        activateOnClick={false}
        className="drop-here"
        inputProps={{ 'aria-label': 'Evidence pack to verify' }}
      >
        <IconFileCertificate size={34} stroke={1.4} aria-hidden />
        <h2>Drop an evidence pack here</h2>
        <p className="mute">
          From this ledger or any other. It is checked in this page and sent nowhere. Drop the files of its
          trust folder too (trust.json, org.pem, tsa-root.pem) if you got them apart from the pack.
        </p>
        <Button
          size="sm"
          onClick={() => {
            if (shell === undefined) open.current?.();
            else
              void shell.choosePack().then(pack => {
                if (pack !== undefined)
                  verify({ name: pack.name, blob: new Blob([pack.bytes as Uint8Array<ArrayBuffer>]) });
              });
          }}
        >
          Choose a file
        </Button>
        {trust !== undefined && (
          <p role="status">
            {namesOf(trust)} {trust.size === 1 ? 'is' : 'are'} ready. Now the pack.
          </p>
        )}
      </Dropzone>
      <Section
        title="On another machine"
        lead="A pack carries README-VERIFY.txt with commands for sha256sum and openssl. With this app’s command line:"
      >
        <CodeBlock code="trailmix verify pack.zip --trust trust/" what="command" />
        <p>
          Without this app, the same verifier is one file:{' '}
          <a href="/api/verifier/trailmix-verify.html" download>
            trailmix-verify.html
          </a>{' '}
          opens in any current browser, from disk and without a network;{' '}
          <a href="/api/verifier/trailmix-verify.mjs" download>
            trailmix-verify.mjs
          </a>{' '}
          is run by plain Node.
        </p>
      </Section>
    </>
  );
}

function Running({ now }: { now: Extract<Verifying, { state: 'running' }> }) {
  const percent = now.total > 0 ? (now.done / now.total) * 100 : undefined;
  return (
    <div className="verify-running panel">
      <b>{now.pack.name}</b>
      <p className="mute" role="status">
        Recomputing every hash and signature
        {now.total > 0 ? `: ${formatBytes(now.done)} of ${formatBytes(now.total)}` : '…'}
      </p>
      <Progress value={percent ?? 100} animated={percent === undefined} aria-label="Progress of verifying" />
      <Button variant="default" onClick={forget}>
        Cancel
      </Button>
    </div>
  );
}

function NotAPack({ now }: { now: Extract<Verifying, { state: 'refused' }> }) {
  const { what, pack, since, message } = now;
  const words = {
    pack: [
      `${pack.name} cannot be read as an evidence pack`,
      'Check that it is the .zip as it was exported, not unpacked and zipped again.',
    ],
    trust: [
      'What to trust cannot be read',
      'Get the trust folder again from whoever runs the ledger; trust.json must be among its files. The pack was not checked.',
    ],
    since: [
      `${since?.name ?? 'The older pack'} cannot be read as an evidence pack`,
      'The pack was not checked. Choose the older .zip as it was exported.',
    ],
  }[what];
  return (
    <>
      <div className="error-panel" role="alert">
        <IconAlertTriangle size={18} aria-hidden />
        <div>
          <strong>{words[0]}</strong>
          <p>{message}</p>
          <p className="mute">{words[1]}</p>
        </div>
      </div>
      <Button variant="default" onClick={forget}>
        Choose another file
      </Button>
    </>
  );
}

function Done({ now }: { now: Extract<Verifying, { state: 'done' }> }) {
  const { report } = now;
  const conclusion = buildConclusion(
    report.verdicts,
    now.trust !== undefined && keysCompared(report.verdicts),
  );
  return (
    <>
      <div className={`callout verify-conclusion tone-${conclusion.tone}`} role="status">
        <strong>{conclusion.text}</strong>
        <p>
          {now.pack.name}, {formatBytes(now.pack.blob.size)}, checked on this computer, in this page, at{' '}
          <Time at={now.at} short /> in {formatDuration(now.ms * 1_000)}
          {now.trust === undefined ? '' : `, against ${namesOf(now.trust)}`}
          {now.since === undefined ? '' : `, as what continues ${now.since.name}`}.
        </p>
      </div>
      <div className="verdicts">
        {buildVerdicts(report.verdicts).map(verdict => (
          <Verdict key={verdict.id} verdict={verdict} />
        ))}
      </div>
      <div className="verify-actions">
        {now.trust?.has('org.pem') !== true && (
          <FileButton
            label="Compare with trust files"
            accept=".json,.pem,.crl,application/json"
            multiple
            take={takeFiles}
          />
        )}
        <FileButton
          label={now.since === undefined ? 'Compare with an older pack' : 'Compare with another older pack'}
          accept=".zip,application/zip"
          take={([older]) => older !== undefined && compareWith(older)}
        />
        <Button variant="default" onClick={forget}>
          Verify another pack
        </Button>
      </div>
      {report.since !== undefined && (
        <Section title="The older pack">
          <ul>
            {sinceSentences(report.since).map(sentence => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </Section>
      )}
      <FailingRecords report={report} />
      <Origin report={report} />
    </>
  );
}

function Verdict({ verdict }: { verdict: VerdictLook }) {
  const Sign = signs[verdict.result];
  return (
    <section
      className={`verdict tone-${verdict.tone}`}
      aria-label={verdict.name}
      data-result={verdict.result}
    >
      <div className="verdict-head">
        <Sign size={20} stroke={1.8} aria-hidden />
        <h2>{verdict.name}</h2>
        <span className="verdict-word">{verdict.word}</span>
      </div>
      <p className="verdict-asks mute">{verdict.asks}</p>
      <p>{verdict.sentence}</p>
      {verdict.findings.length > 0 && (
        <details open={verdict.result === 'fail'}>
          <summary>
            {verdict.findings.length === 1 ? '1 finding' : `${formatCount(verdict.findings.length)} findings`}
          </summary>
          <ul>
            {verdict.findings.map(finding => (
              <li key={`${finding.code} ${finding.where}`} data-level={finding.level}>
                <span className={`finding-level level-${finding.level}`}>{levelWords[finding.level]}</span>{' '}
                {finding.message}
                <span className="finding-where mono mute">
                  {finding.code} · {finding.where}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

/** The records that the first failures point at, among their neighbours. */
function FailingRecords({ report }: { report: PackReport }) {
  if (report.places.length === 0) return null;
  return (
    <Section
      title="Where it fails"
      lead="The records that the first failures point at, and those beside them."
    >
      {report.places.map(({ where, codes, records }) => (
        <div key={where} className="failing-place">
          <p className="mono">
            {where} · {codes.join(', ')}
          </p>
          <ul>
            {records.map(record => (
              <li key={record.where}>
                {record.failing ? <mark>{shownText(record)}</mark> : shownText(record)}
              </li>
            ))}
          </ul>
        </div>
      ))}
    </Section>
  );
}

function Origin({ report }: { report: PackReport }) {
  const { origin, counts, dated, policies, queries, stamps, witnesses } = report;
  return (
    <>
      {origin !== undefined && (
        <Section
          title="What it says it is"
          lead="As the pack says; the verdicts above say how far that holds."
        >
          <KeyValue
            wide
            rows={[
              { name: 'App', value: origin.app_id },
              {
                name: 'Window',
                value: (
                  <>
                    <Time at={origin.scope.from} /> to <Time at={origin.scope.to} />
                  </>
                ),
              },
              { name: 'Ledger', value: <Hash value={origin.ledger_id} what="ledger id" /> },
              {
                name: 'Checkpoint',
                value: (
                  <>
                    over {formatCount(origin.checkpoint.size)} records, root{' '}
                    <Hash value={origin.checkpoint.root} what="root" />
                  </>
                ),
              },
              { name: 'Pack', value: <Hash value={origin.pack_id} what="pack id" /> },
              origin.signed_by !== undefined && {
                name: 'Signed by',
                value: `${origin.signed_by.subject}${origin.signed_by.self_made ? ' (self-made: nobody vouches for this name)' : `, issued by ${origin.signed_by.issuer}`}`,
              },
              stamps.some(stamp => stamp.trusted) && {
                name: 'Dated',
                value: (
                  <ul className="verify-facts">
                    {stamps
                      .filter(stamp => stamp.trusted)
                      .map(stamp => (
                        <li key={`${stamp.over} ${stamp.size} ${stamp.serial}`}>
                          {stampedWords(stamp)} there by <Time at={stamp.time} />, says {stamp.authority}
                        </li>
                      ))}
                  </ul>
                ),
              },
              witnesses.length > 0 && {
                name: 'Witnessed',
                value: witnesses.map(({ name, size }) => `${name}: ${formatCount(size)} records`).join(', '),
              },
            ]}
          />
        </Section>
      )}
      <Section title="What it holds">
        <KeyValue wide rows={buildCounts(counts).map(row => ({ name: row.label, value: row.value }))} />
      </Section>
      {dated.length > 0 && (
        <Section title="When its records were there" lead={DATED_LEAVES_OPEN}>
          <ul>
            {dated.map(range => (
              <li key={range.first}>{datedText(range)}</li>
            ))}
          </ul>
        </Section>
      )}
      {policies.length > 0 && (
        <Section title="Policies in force">
          <ul>
            {policyLines(policies).map(line => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </Section>
      )}
      {queries.length > 0 && (
        <Section title="How whole the records are" lead="Facts about the records, not faults of the pack.">
          <ul>
            {factSentences(queries).map(sentence => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}
