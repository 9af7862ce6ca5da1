/** A button that opens the file dialog. The same file may be chosen again. */
import { Button } from '@mantine/core';
import { type ReactNode, useRef } from 'react';

/** `label` names what is chosen; `accept` as of an input: ".pem,.crt". */
export function FileButton({
  label,
  accept,
  multiple = false,
  loading = false,
  icon,
  take,
}: {
  label: string;
  accept: string;
  multiple?: boolean;
  loading?: boolean;
  icon?: ReactNode;
  take: (files: File[]) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button variant="default" loading={loading} leftSection={icon} onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        accept={accept}
        multiple={multiple}
        hidden
        onChange={event => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = '';
          if (files.length > 0) take(files);
        }}
      />
    </>
  );
}
