/** A collector in a process of its own, to be killed. Run by killed.test.ts with {folder, keyFile, policies} as JSON. */
import { startCollector } from '../../collector/compose.ts';

const { folder, keyFile, policies } = JSON.parse(process.argv[2]!) as Record<
  'folder' | 'keyFile' | 'policies',
  string
>;
const collector = await startCollector({ folder, port: 0, policies });
if (collector.phase() === 'setup') await collector.initialise({ kind: 'key_file', file: keyFile }, 'Ada');
const { url, socket } = collector;
process.stdout.write(`${JSON.stringify({ url, socket, phase: collector.phase() })}\n`);
