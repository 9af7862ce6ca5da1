/** Thread that makes one summary.pdf of the facts it is sent, and ends. Its code loads while they are gathered. */
import { parentPort } from 'node:worker_threads';
import type { ReportFacts } from './facts.ts';
import { reportPdf } from './pages.ts';

parentPort?.once('message', async (facts: ReportFacts) => parentPort?.postMessage(await reportPdf(facts)));
