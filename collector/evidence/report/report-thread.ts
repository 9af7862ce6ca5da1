/** Thread that makes one summary.pdf from its workerData and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ReportFacts } from './facts.ts';
import { reportPdf } from './pages.ts';

parentPort?.postMessage(await reportPdf(workerData as ReportFacts));
