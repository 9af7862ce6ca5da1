/** Settings > About: version, words, diagnostics, licences. */
import { Button } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useContext, useState } from 'react';
import { call } from '../../api/client.ts';
import { useMay } from '../../api/me.ts';
import { useAsk, useStatus } from '../../api/queries.ts';
import { OpenGlossary } from '../../shell/Glossary.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { saveBlob } from './save_file.ts';

export function About() {
  const status = useStatus().data;
  const mayDiagnose = useMay('diagnostics');
  const openGlossary = useContext(OpenGlossary);
  const [shown, setShown] = useState(false);
  const licences = useAsk('licences', {}, { enabled: shown, fresh: Number.POSITIVE_INFINITY });
  return (
    <div className="settings-page">
      <Section
        title="Audit TrailMix"
        lead="Records what AI agents do, gates what they may do, and exports evidence that anyone can verify offline."
      >
        <KeyValue
          wide
          rows={[
            status !== undefined && { name: 'Version', value: status.version },
            { name: 'Licence', value: 'MIT' },
            status?.policy !== undefined && {
              name: 'Policy',
              value: status.policy.ready
                ? `version ${status.policy.version} in force`
                : 'none can be evaluated: gated calls are denied',
            },
            {
              name: 'Words',
              value: (
                <>
                  <Button variant="default" size="compact-sm" onClick={openGlossary}>
                    Open the glossary
                  </Button>{' '}
                  <span className="mute">
                    or press <kbd>?</kbd> anywhere
                  </span>
                </>
              ),
            },
          ]}
        />
      </Section>
      {mayDiagnose && <Diagnostics />}
      <Section title="Third-party licences" lead="What the app ships of others, with full texts.">
        {!shown && (
          <Button variant="default" onClick={() => setShown(true)}>
            Show the licences
          </Button>
        )}
        {shown && licences.isError && <ErrorPanel error={licences.error} />}
        {shown && licences.data === undefined && !licences.isError && <Waiting label="Loading" />}
        {licences.data !== undefined && shown && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
          <section className="licences" tabIndex={0} aria-label="Third-party licences">
            <pre className="mono">{licences.data.text}</pre>
          </section>
        )}
      </Section>
    </div>
  );
}

function Diagnostics() {
  const [state, setState] = useState<{ busy: boolean; error?: unknown; saved?: boolean }>({ busy: false });
  const save = async () => {
    setState({ busy: true });
    try {
      const answer = await call('diagnostics', {});
      const name = `trailmix-diagnostics-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.json`;
      saveBlob(new Blob([JSON.stringify(answer, null, 2)], { type: 'application/json' }), name);
      setState({ busy: false, saved: true });
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  return (
    <Section
      title="Diagnostics"
      lead="Versions, sizes, settings and the last log lines, for someone who helps you. No payloads and no secrets; read it before you send it."
    >
      <Button
        variant="default"
        leftSection={<IconDownload size={15} aria-hidden />}
        loading={state.busy}
        onClick={() => void save()}
      >
        Save diagnostics
      </Button>
      <span className="settings-status mute" role="status">
        {state.saved ? 'Saved.' : ''}
      </span>
      {state.error !== undefined && <ErrorPanel error={state.error} />}
    </Section>
  );
}
