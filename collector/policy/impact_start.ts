/**
 * Where a thread of an impact job starts: at the lowest priority before anything else is loaded, so that appends go first.
 * On Linux this is the thread's own priority; elsewhere it may be refused.
 */
import { setPriority } from 'node:os';

try {
  setPriority(0, 19);
} catch {}
await import('./impact_thread.ts');
