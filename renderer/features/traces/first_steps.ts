/** What a newcomer pastes to see a first run. Pure; the SDK part is the quickstart of the README. */
export function firstSteps(endpoint: string): { endpoint: string; typescript: string; otel: string } {
  return {
    endpoint,
    typescript: `import { tr, span } from '@trailmix/ts';

tr.init({ apiKey: process.env.TRAILMIX_API_KEY!, appId: 'my-app' });

await span('hello', { risk: 'low' }, async s => {
  s.recordInput({ prompt: 'Say hello.' });
  s.recordOutput({ model_output: 'Hello!' });
});`,
    otel: `OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`,
  };
}
