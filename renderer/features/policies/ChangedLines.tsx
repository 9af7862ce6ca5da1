/** Two texts as the list of the lines that differ, for who reads a difference so. */
import { lineChanges } from './line_diff.ts';

export function ChangedLines({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = lineChanges(before, after);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section className="policy-diff-lines" tabIndex={0} aria-label={label}>
      {lines === undefined ? (
        <p className="mute policy-note">The two texts have too little in common for a list.</p>
      ) : (
        <ol>
          {lines.map(line => (
            <li
              key={`${line.kind}${line.row}`}
              className={line.kind === 'added' ? 'tone-allow' : 'tone-deny'}
            >
              <span className="policy-diff-word">
                {line.kind === 'added' ? '+' : '−'} {line.row}
                <span className="visually-hidden"> {line.kind}</span>
              </span>
              <code className="mono">{line.text}</code>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
