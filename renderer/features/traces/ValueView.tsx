/** A recorded value to read: text as text, messages as a conversation, large payloads on demand, anything else as JSON. */
import { Button, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { JCS_BLOB_TYPE } from '../../../core/proof/blob.ts';
import { send } from '../../api/client.ts';
import type { Failure } from '../../api/problem.ts';
import { CopyButton } from '../../ui/Copy.tsx';
import { JsonView } from '../../ui/Json.tsx';
import { formatBytes } from '../../ui/numbers.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { buildConversation, type Message } from './conversation.ts';

type BlobRef = { sha256: string; bytes: number; type: string };

function blobOf(value: unknown): BlobRef | undefined {
  const ref = (value as { $blob?: BlobRef } | null | undefined)?.$blob;
  return typeof ref === 'object' && typeof ref?.sha256 === 'string' ? ref : undefined;
}

export function ValueView({ value, what }: { value: unknown; what: string }) {
  const blob = blobOf(value);
  if (blob !== undefined) return <BlobView blob={blob} what={what} />;
  return <Shown value={value} what={what} />;
}

function Shown({ value, what }: { value: unknown; what: string }) {
  const [form, setForm] = useState<'read' | 'json'>('read');
  if (typeof value === 'string') return <TextBlock text={value} what={what} />;
  const conversation = buildConversation(value);
  const single = conversation === undefined ? singleText(value) : undefined;
  if (conversation === undefined && single === undefined) return <JsonView value={value} what={what} />;
  return (
    <>
      <SegmentedControl
        size="xs"
        className="value-form"
        aria-label={`Form of the ${what}`}
        value={form}
        onChange={next => setForm(next === 'json' ? 'json' : 'read')}
        data={[
          { value: 'read', label: 'Read' },
          { value: 'json', label: 'JSON' },
        ]}
      />
      {form === 'json' ? (
        <JsonView value={value} what={what} />
      ) : conversation !== undefined ? (
        <Conversation messages={conversation} />
      ) : (
        <TextBlock text={single as string} what={what} />
      )}
    </>
  );
}

/** `{prompt: "..."}` and the like: one member that holds a text. */
function singleText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.values(value);
  return entries.length === 1 && typeof entries[0] === 'string' && entries[0].length > 24
    ? entries[0]
    : undefined;
}

function TextBlock({ text, what }: { text: string; what: string }) {
  return (
    <div className="code-block text-block">
      <p>{text}</p>
      <CopyButton text={text} what={what} />
    </div>
  );
}

function Conversation({ messages }: { messages: Message[] }) {
  return (
    <ol className="conversation">
      {messages.map((message, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: recorded messages do not move
        <li key={i} data-role={message.role}>
          <span className="message-role">{message.role}</span>
          {message.text !== '' && <p>{message.text}</p>}
          {message.calls.map((one, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: as above
            <div key={n} className="message-call">
              <span className="mono">{one.name}</span>
              {one.args !== undefined && <JsonView value={one.args} what={`arguments of ${one.name}`} />}
            </div>
          ))}
        </li>
      ))}
    </ol>
  );
}

function BlobView({ blob, what }: { blob: BlobRef; what: string }) {
  const [open, setOpen] = useState(false);
  const loaded = useQuery<{ json: unknown } | { file: Blob }, Failure>({
    queryKey: ['blob', blob.sha256],
    enabled: open,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    queryFn: async ({ signal }) => {
      const answer = await send('blob', { params: { sha256: blob.sha256 } }, { signal, accept: '*/*' });
      if (blob.type === JCS_BLOB_TYPE || blob.type === 'application/json')
        return { json: await answer.json() };
      if (blob.type.startsWith('text/')) return { json: await answer.text() };
      return { file: await answer.blob() };
    },
  });
  if (loaded.isError) return <ErrorPanel error={loaded.error} retry={() => void loaded.refetch()} />;
  if (loaded.data !== undefined && 'json' in loaded.data)
    return <Shown value={loaded.data.json} what={what} />;
  if (loaded.data !== undefined && 'file' in loaded.data) {
    const { file } = loaded.data;
    return (
      <Button variant="default" size="compact-sm" onClick={() => save(file, blob.sha256)}>
        Save {formatBytes(blob.bytes)} ({blob.type})
      </Button>
    );
  }
  return (
    <div className="blob">
      <p className="mute">
        {formatBytes(blob.bytes)}, kept beside the ledger under its hash.{' '}
        {blob.type !== JCS_BLOB_TYPE && blob.type}
      </p>
      <Button variant="default" size="compact-sm" loading={loaded.isFetching} onClick={() => setOpen(true)}>
        Show the {what}
      </Button>
    </div>
  );
}

function save(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
