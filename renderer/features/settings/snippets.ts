/** What a newcomer pastes: SDK, OpenTelemetry and plain HTTP, for this collector's address. Pure. Source: SDK README. */

export type Snippet = { title: string; what: string; code: string };
export type SnippetTab = { id: 'typescript' | 'otel' | 'curl'; label: string; steps: Snippet[] };

/** `apiKey` stands in the snippets only where it was just made; otherwise a placeholder that says where it goes. */
export function buildSnippets(given: {
  endpoint: string;
  appId: string;
  apiKey?: string | undefined;
}): SnippetTab[] {
  const { endpoint, appId } = given;
  const key = given.apiKey ?? 'PASTE_YOUR_KEY';
  const custom = endpoint !== 'http://127.0.0.1:4318';
  const bearer = given.apiKey === undefined ? key : presentedKey(given.apiKey);
  return [
    {
      id: 'typescript',
      label: 'TypeScript',
      steps: [
        {
          title: 'Install the SDK, served by this app',
          what: 'command',
          code: `npm install ${endpoint}/api/sdk/trailmix-ts.tgz`,
        },
        {
          title: 'Give your program its key',
          what: 'command',
          code: `export TRAILMIX_API_KEY=${key}${custom ? `\nexport TRAILMIX_ENDPOINT=${endpoint}` : ''}`,
        },
        {
          title: 'Record a step, and gate a call that a person may have to approve',
          what: 'program',
          code: `import { tr, span, policyCheck } from '@trailmix/ts';

tr.init({ apiKey: process.env.TRAILMIX_API_KEY!, appId: '${appId}' });

await span('draft_reply', { risk: 'low' }, async s => {
  s.recordInput({ prompt: 'Say hello.' });
  s.recordOutput({ model_output: 'Hello!' });
});

const wire = policyCheck(async (w: { amount: number }) => \`sent \${w.amount}\`, {
  action: 'send_wire',
  risk: 'high',
});
console.log(await wire({ amount: 12000 })); // waits in Approvals`,
        },
      ],
    },
    {
      id: 'otel',
      label: 'OpenTelemetry',
      steps: [
        {
          title: custom
            ? 'Point any OTLP/HTTP exporter here'
            : 'An OTLP/HTTP exporter at its default settings already sends here. To vouch for who sent it, add the key',
          what: 'settings',
          code: `export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20${bearer}"`,
        },
      ],
    },
    {
      id: 'curl',
      label: 'curl',
      steps: [
        {
          title: 'Send one event from a shell',
          what: 'command',
          code: `curl ${endpoint}/api/events \\
  -H 'Authorization: Bearer ${bearer}' \\
  -H 'Content-Type: application/json' \\
  -d '{"event_id":"'"hello-$(date +%s)"'","session_id":"first-steps","ts":"'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'",
       "actor_type":"agent","app_id":"${appId}","name":"hello","input":{"prompt":"Say hello."}}'`,
        },
      ],
    },
  ];
}

/** What a program sends as its bearer: `tm1.<id>.<auth>`. The last part of a key never needs to travel. */
export function presentedKey(apiKey: string): string {
  const parts = apiKey.split('.');
  return parts.length === 4 ? parts.slice(0, 3).join('.') : apiKey;
}

/** Why an app's name cannot be used; undefined where it can. Form: docs/spec/event.md, app_id. */
export function appIdFault(appId: string): string | undefined {
  if (appId === '') return 'Give the app a short name.';
  if (!/^[a-z0-9]/.test(appId)) return 'Start with a small letter or a digit.';
  if (!/^[a-z0-9._-]*$/.test(appId)) return 'Use small letters, digits, dots, dashes and underscores.';
  return appId.length > 64 ? 'Use at most 64 characters.' : undefined;
}
