/** A screen that threw, and an address that leads nowhere: the rail stays. */
import { Link } from '@tanstack/react-router';
import { EmptyState, ErrorPanel } from '../ui/States.tsx';

export function ScreenError({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <div className="page-body">
      <div className="page-column">
        <ErrorPanel error={error} retry={reset} />
      </div>
    </div>
  );
}

export function NotFound() {
  return (
    <EmptyState title="Nothing is at this address">
      <p>
        Go to <Link to="/overview">Overview</Link> or <Link to="/traces">Traces</Link>.
      </p>
    </EmptyState>
  );
}
