/** Who signs packs: the identity in force in words, what it did, and the ways to another one. */
import { Button } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useMay, useMe } from '../../../api/me.ts';
import { useAsk, useCall } from '../../../api/queries.ts';
import { Hash } from '../../../ui/Copy.tsx';
import { KeyValue } from '../../../ui/KeyValue.tsx';
import { Section } from '../../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../../ui/States.tsx';
import { Time } from '../../../ui/Time.tsx';
import { ChooseFiles, saveRequest } from './files.tsx';
import { ImportDialog, RequestDialog, SelfMadeDialog } from './IdentityDialogs.tsx';
import { KeyUses } from './KeyUses.tsx';
import { type Identity, identitySentences, pemText, revocationWords } from './signing_view.ts';

export function IdentitySection() {
  const me = useMe().data;
  const identity = useAsk('certificate', {});
  const check = useCall('certificateCheck');
  const mayChange = useMay('certificateImport') && me?.tenant_id === 'default';
  const mayCheck = useMay('certificateCheck');
  const [dialog, setDialog] = useState<'self' | 'request' | 'import'>();
  const close = () => {
    setDialog(undefined);
    check.reset();
  };
  if (identity.isError) return <ErrorPanel error={identity.error} retry={() => void identity.refetch()} />;
  if (identity.data === undefined) return <Waiting label="Reading the certificate" />;
  const shown: Identity = check.data ?? identity.data;
  const { request } = identity.data;
  return (
    <>
      <Section
        title="Who signs packs"
        lead="Every evidence pack is signed with one certificate. Its private key was made or brought here and never leaves the vault."
      >
        {identitySentences(shown, Date.now()).map(({ tone, text }) => (
          <p key={text} className={tone === 'plain' ? 'signing-said' : `callout tone-${tone}`}>
            {text}
          </p>
        ))}
        <KeyValue
          wide
          rows={[
            {
              name: 'Name',
              value: (
                <>
                  <b>{shown.subject}</b>{' '}
                  {shown.kind === 'self-made' && <span className="signing-label">self-made</span>}
                </>
              ),
            },
            shown.kind === 'authority' && { name: 'Issued by', value: shown.chain.join(', under ') },
            { name: 'Key', value: shown.key },
            {
              name: 'Valid',
              value: (
                <>
                  <Time at={shown.valid_from} precision="minute" /> to{' '}
                  <Time at={shown.valid_until} precision="minute" />
                </>
              ),
            },
            shown.kind === 'authority' && {
              name: 'Revocation',
              value: (
                <>
                  {revocationWords[shown.revocation]}
                  {shown.revoked_at !== undefined && (
                    <>
                      {' '}
                      on <Time at={shown.revoked_at} precision="minute" />
                    </>
                  )}
                </>
              ),
            },
            { name: 'Certificate', value: <Hash value={shown.certificate_sha256} what="certificate hash" /> },
          ]}
        />
        <div className="signing-actions">
          {mayChange && (
            <>
              <Button onClick={() => setDialog('request')}>Ask an authority for one</Button>
              <Button variant="default" onClick={() => setDialog('import')}>
                Import a certificate
              </Button>
              <Button variant="default" onClick={() => setDialog('self')}>
                Make one here
              </Button>
            </>
          )}
          {mayCheck && shown.kind === 'authority' && (
            <ChooseFiles
              label="Check a revocation list"
              accept=".crl,.pem"
              multiple
              loading={check.isPending}
              take={files =>
                check.mutate({
                  input: { crls: files.map(({ bytes }) => pemText(bytes, 'X509 CRL')).join('') },
                })
              }
            />
          )}
        </div>
        {check.isError && <ErrorPanel error={check.error} />}
        {!mayChange && me !== undefined && (
          <p className="mute settings-note">
            {me.tenant_id === 'default'
              ? 'An admin changes the certificate.'
              : 'The certificate is common to all tenants: admins of the default tenant change it.'}
          </p>
        )}
        {request !== undefined && mayChange && (
          <div className="callout tone-ask" role="status">
            <strong>A request waits for its certificate</strong>
            <p>
              Carry it to the authority; import what comes back, with the authority’s chain and root. Until
              then packs are signed as above.
            </p>
            <div className="signing-actions">
              <Button
                size="compact-sm"
                variant="default"
                leftSection={<IconDownload size={14} aria-hidden />}
                onClick={() => saveRequest(request)}
              >
                Save the request again
              </Button>
              <Button size="compact-sm" onClick={() => setDialog('import')}>
                Import the answer
              </Button>
            </div>
          </div>
        )}
      </Section>
      <KeyUses />
      {dialog === 'self' && <SelfMadeDialog close={close} />}
      {dialog === 'request' && <RequestDialog close={close} />}
      {dialog === 'import' && <ImportDialog close={close} waits={request !== undefined} />}
    </>
  );
}
