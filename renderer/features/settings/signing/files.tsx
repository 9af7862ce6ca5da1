/** Small files that people choose and save: certificates, lists, requests, replies, notes. */
import { IconUpload } from '@tabler/icons-react';
import type { ComponentProps } from 'react';
import { fromBase64 } from '../../../../core/proof/bytes.ts';
import { FileButton } from '../../../ui/FileButton.tsx';
import { saveBlob } from '../save_file.ts';
import type { Chosen } from './signing_view.ts';
import './signing.css';

/** More than any of them; of a larger file the beginning is read, which is then refused for what it is. */
const MOST_BYTES = 512 * 1024;

const readFiles = (files: readonly File[]): Promise<Chosen[]> =>
  Promise.all(
    files.map(async file => ({
      name: file.name,
      bytes: new Uint8Array(await file.slice(0, MOST_BYTES).arrayBuffer()),
    })),
  );

export const saveBytes = (base64: string, name: string, type: string): void =>
  saveBlob(new Blob([fromBase64(base64) as Uint8Array<ArrayBuffer>], { type }), name);

export const saveRequest = (pem: string): void =>
  saveBlob(new Blob([pem], { type: 'application/pkcs10' }), 'signing-request.csr.pem');

/** A file button that reads what was chosen. */
export function ChooseFiles({
  take,
  ...button
}: Omit<ComponentProps<typeof FileButton>, 'take' | 'icon'> & { take: (files: Chosen[]) => void }) {
  return (
    <FileButton
      {...button}
      icon={<IconUpload size={14} aria-hidden />}
      take={files => void readFiles(files).then(take)}
    />
  );
}
