/** What a newcomer pastes to see a first run. Pure; the SDK part is the quickstart of the README. */

/** OpenTelemetry's default for OTLP over HTTP, and ours: at this address nothing needs to be configured. */
const DEFAULT_ENDPOINT = /^http:\/\/(?:127\.0\.0\.1|localhost):4318$/;

export type FirstSteps = {
  endpoint: string;
  typescript: string;
  otel: { says: string; setting?: string };
};

export function firstSteps(endpoint: string, unkeyed: boolean): FirstSteps {
  const usual = DEFAULT_ENDPOINT.test(endpoint);
  const place = usual ? '' : `, endpoint: '${endpoint}'`;
  return {
    endpoint,
    typescript: `import { tr, span } from '@trailmix/ts';

tr.init({ apiKey: process.env.TRAILMIX_API_KEY!, appId: 'my-app'${place} });

await span('hello', { risk: 'low' }, async s => {
  s.recordInput({ prompt: 'Say hello.' });
  s.recordOutput({ model_output: 'Hello!' });
});`,
    otel: {
      says: `${
        usual
          ? 'Any OpenTelemetry exporter at its default settings already sends to this address'
          : 'Any OpenTelemetry exporter sends here with one setting'
      }${unkeyed ? ', without a key.' : '; it needs a key here: Settings says how.'}`,
      ...(usual ? {} : { setting: `OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}` }),
    },
  };
}
