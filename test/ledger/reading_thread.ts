/** A thread for reading_thread.test.ts: opens the database that it is given (or `file` beside it), counts, and stays. */
import { parentPort, workerData } from 'node:worker_threads';
import { openReadable } from '../../collector/ledger/database.ts';

const { database, file } = workerData as { database: { file: string; key: Uint8Array }; file?: string };
const db = openReadable(file ?? database.file, database.key, 1024);
parentPort!.postMessage(db.prepare('SELECT count(*) AS records FROM record').get());
parentPort!.on('message', () => {});
