/**
 * Where a thread of an impact job starts: at the lowest priority before anything else is loaded, so that appends go first.
 * Linux alone has priorities of threads; elsewhere this would be that of the whole process. Where it is refused, it stays.
 */
import { constants, setPriority } from 'node:os';

if (process.platform === 'linux') {
  try {
    setPriority(0, constants.priority.PRIORITY_LOW);
  } catch {}
}
await import('./impact_thread.ts');
