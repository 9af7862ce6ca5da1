/**
 * 1,000 hot reloads of the policy while agents ask: no decision may fail, be mixed or be dropped, and the records must say the
 * same. `node test/fault/reload.ts [reloads]`; exit 1 where one did.
 */
import { startTestCollector } from '../http/collector.ts';
import { reloadUnderLoad } from '../policy/reloads.ts';

const tm = await startTestCollector();
try {
  const report = await reloadUnderLoad(tm, Number(process.argv[2] ?? 1000));
  console.log(JSON.stringify(report, null, 1));
  const { failed, mixed, refused, integrity } = report;
  process.exitCode = failed + mixed + refused === 0 && integrity === 'pass' ? 0 : 1;
} finally {
  await tm.stop();
}
