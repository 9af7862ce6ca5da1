/** The search field of a list: `/` goes to it, Esc and Enter leave it to the single keys; what is typed is told once it settles, by Enter at once. */
import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useKeys } from '../shell/shortcuts.ts';

export function SearchBox({
  label,
  placeholder,
  value,
  onChange,
  className,
}: {
  label: string;
  placeholder: string;
  value: string;
  /** Without spaces around it; empty where nothing is searched. */
  onChange: (text: string) => void;
  className?: string;
}) {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const settle = useDebouncedCallback(onChange, 250);
  useKeys({ '/': () => input.current?.focus() });
  // Changed from elsewhere (back, palette): the box follows, but never while it is being typed in.
  useEffect(() => {
    if (document.activeElement !== input.current) setText(value);
  }, [value]);
  const type = (next: string) => {
    setText(next);
    settle(next.trim());
  };
  return (
    <TextInput
      ref={input}
      className={className}
      aria-label={label}
      placeholder={placeholder}
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSection={
        text !== '' && (
          <button
            type="button"
            className="icon-button"
            aria-label="Clear the search"
            onClick={() => type('')}
          >
            <IconX size={14} />
          </button>
        )
      }
      value={text}
      onChange={event => type(event.currentTarget.value)}
      onKeyDown={event => {
        if (event.key === 'Enter') onChange(text.trim());
        if (event.key === 'Enter' || event.key === 'Escape') input.current?.blur();
      }}
      spellCheck={false}
    />
  );
}
