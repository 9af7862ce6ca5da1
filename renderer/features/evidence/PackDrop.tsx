/** Drop any pack anywhere on the window, or open one with the desktop app: it is verified in this page. */
import { Dropzone } from '@mantine/dropzone';
import { IconFileCertificate } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { desktop } from './desktop.ts';
import { MOST_FILES } from './given_files.ts';
import { filesOf, takeFiles, verify } from './verify_store.ts';
import './evidence.css';

export function PackDrop() {
  const navigate = useNavigate();
  useEffect(
    () =>
      desktop()?.onOpenPack(({ name, bytes }) => {
        verify({ name, blob: new Blob([bytes as Uint8Array<ArrayBuffer>]) });
        void navigate({ to: '/evidence', search: { tab: 'verify' } });
      }),
    [navigate],
  );
  return (
    <Dropzone.FullScreen
      onDrop={files => {
        if (takeFiles(files)) void navigate({ to: '/evidence', search: { tab: 'verify' } });
      }}
      maxFiles={MOST_FILES}
      getFilesFromEvent={filesOf}
      className="drop-all"
      inputProps={{ 'aria-label': 'Evidence pack to verify' }}
    >
      <div className="drop-all-inner">
        <IconFileCertificate size={44} stroke={1.3} aria-hidden />
        <strong>Drop an evidence pack to verify it</strong>
        <span>It is read in this page and sent nowhere. The files of its trust folder may come with it.</span>
      </div>
    </Dropzone.FullScreen>
  );
}
