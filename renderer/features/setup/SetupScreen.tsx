/** First start, in four calm steps: names and custody, the recovery phrase, a sign-in of one's own, the first event. */
import { useQueryClient } from '@tanstack/react-query';
import { Navigate, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { OutputOf } from '../../../core/api/operations.ts';
import { useStatus } from '../../api/queries.ts';
import { Waiting } from '../../ui/States.tsx';
import { ConnectStep } from './ConnectStep.tsx';
import { CustodyStep } from './CustodyStep.tsx';
import { PhraseStep } from './PhraseStep.tsx';
import { SignInStep } from './SignInStep.tsx';
import './setup.css';

type Made = OutputOf<'setup'> & { person: string };
const steps = ['Protect', 'Recovery phrase', 'Your sign-in', 'Connect'] as const;

export function SetupScreen() {
  const status = useStatus().data;
  const client = useQueryClient();
  const navigate = useNavigate();
  // Secrets of the first start live in this component alone: a reload forgets them.
  const [made, setMade] = useState<Made>();
  const [written, setWritten] = useState(false);
  const [signInDone, setSignInDone] = useState(false);
  // From the request on this page stays, whatever the status says: its answer is the only place of the phrase.
  const [asked, setAsked] = useState(false);
  const step = made === undefined ? 0 : !written ? 1 : signInDone ? 3 : 2;
  useEffect(() => {
    document.title = `${steps[step]} · Audit TrailMix`;
  }, [step]);
  useEffect(() => {
    if ((made === undefined && !asked) || signInDone) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [made, asked, signInDone]);

  if (status === undefined) return <Waiting label="Opening" />;
  if (made === undefined && !asked && status.phase !== 'setup') return <Navigate to="/overview" replace />;
  const leave = (to: '/overview' | '/traces') => {
    void client.invalidateQueries();
    void navigate({ to, replace: true });
  };
  return (
    <main className="setup">
      <div className={`setup-card${step === 3 ? ' wide' : ''}`}>
        <header className="setup-head">
          <img src="/favicon.svg" width={32} height={32} alt="" />
          <span className="setup-name">Audit TrailMix</span>
          <ol className="setup-steps" aria-label="Steps">
            {steps.map((label, i) => (
              <li
                key={label}
                aria-current={i === step ? 'step' : undefined}
                data-done={i < step || undefined}
              >
                <span aria-hidden>{i < step ? '✓' : i + 1}</span>
                {label}
                {i < step && <span className="visually-hidden"> done</span>}
              </li>
            ))}
          </ol>
        </header>
        {made === undefined && <CustodyStep onAsk={setAsked} onMade={setMade} />}
        {made !== undefined && !written && (
          <PhraseStep
            phrase={made.recovery_phrase}
            person={made.person}
            url={status.address.url}
            onWritten={() => setWritten(true)}
          />
        )}
        {made !== undefined && step === 2 && (
          <SignInStep
            person={made.person}
            onDone={() => {
              void client.invalidateQueries();
              setSignInDone(true);
            }}
          />
        )}
        {made !== undefined && step === 3 && (
          <ConnectStep
            apiKey={made.api_key}
            appId={made.app_id}
            keyFile={made.key_file}
            person={made.person}
            leave={leave}
          />
        )}
      </div>
    </main>
  );
}
