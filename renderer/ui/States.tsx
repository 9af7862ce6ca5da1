/** What a screen shows when it has nothing, is waiting, or was refused. */
import { Button, Loader } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { asFailure } from '../api/problem.ts';

/** An empty place that teaches the next step. */
export function EmptyState({
  icon,
  title,
  children,
  actions,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="empty">
      {icon !== undefined && (
        <div className="empty-icon" aria-hidden>
          {icon}
        </div>
      )}
      <h2>{title}</h2>
      <div className="empty-text">{children}</div>
      {actions !== undefined && <div className="empty-actions">{actions}</div>}
    </div>
  );
}

/** An error: what happened, what to do, and its code for support. */
export function ErrorPanel({ error, retry }: { error: unknown; retry?: () => void }) {
  const failure = asFailure(error);
  return (
    <div className="error-panel" role="alert">
      <IconAlertTriangle size={18} aria-hidden />
      <div>
        <strong>{failure.title}</strong>
        {failure.message !== failure.title && <p>{failure.message}</p>}
        {failure.errors.length > 0 && (
          <ul>
            {failure.errors.slice(0, 20).map(problem => (
              <li key={`${problem.where}${problem.code}`}>
                <code className="mono">{problem.where || '/'}</code> {problem.message}
              </li>
            ))}
            {failure.errors.length > 20 && <li>and {failure.errors.length - 20} more</li>}
          </ul>
        )}
        <p className="mute">
          <Backticks text={failure.next} />
        </p>
        <p className="error-code mono">{failure.code}</p>
        {retry !== undefined && (
          <Button size="compact-sm" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

/** Sentences of the error table mark commands with backticks: shown as code. */
export function Backticks({ text }: { text: string }) {
  return text.split('`').map((part, i) =>
    i % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one sentence do not move
      <code className="mono" key={i}>
        {part}
      </code>
    ) : (
      part
    ),
  );
}

/** Shows itself only when waiting has become noticeable. */
export function Waiting({ label = 'Loading' }: { label?: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 250);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="waiting" aria-busy="true">
      {late && (
        <>
          <Loader size="sm" aria-hidden />
          <span role="status">{label}…</span>
        </>
      )}
    </div>
  );
}
