/** Copying: a button that says that it copied, a hash, and a command to paste. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { shortHash } from './numbers.ts';

/** `what` names the thing for readers: "Copy event id". */
export function CopyButton({ text, what, size = 22 }: { text: string; what: string; size?: number }) {
  const { copied, copy } = useClipboard({ timeout: 1_500 });
  const label = copied ? 'Copied' : `Copy ${what}`;
  return (
    <Tooltip label={label} openDelay={300}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={size}
        aria-label={label}
        onClick={() => copy(text)}
        className="copy"
      >
        {copied ? <IconCheck size={14} className="ink-allow" /> : <IconCopy size={14} />}
      </ActionIcon>
    </Tooltip>
  );
}

/** A hash, shortened for reading, whole in the title and for copying. `whole` shows all of it. */
export function Hash({ value, what = 'hash', whole }: { value: string; what?: string; whole?: boolean }) {
  return (
    <span className="hash">
      <code title={value} className={whole ? 'mono wrap' : 'mono'}>
        {whole ? value : shortHash(value)}
      </code>
      <CopyButton text={value} what={what} size={18} />
    </span>
  );
}

/** Text to copy and run or paste elsewhere. `what` names it: "command", "snippet". */
export function CodeBlock({ code, what = 'code' }: { code: string; what?: string }) {
  return (
    <div className="code-block">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section tabIndex={0} aria-label={what} className="code-scroll">
        <pre className="mono">{code}</pre>
      </section>
      <CopyButton text={code} what={what} />
    </div>
  );
}
