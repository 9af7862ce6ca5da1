/** What the reader thread can be asked: the parts of ReadLedger, each by the module that knows it. */
import { TrailmixError } from '../../core/api/errors.ts';
import { approvalQueries } from '../approvals/view.ts';
import { evidenceQueries } from '../evidence/queries.ts';
import { keyQueries } from '../keys/view.ts';
import { peopleQueries } from '../people/view.ts';
import type { EventQuery, TraceQuery } from '../ports.ts';
import { approvalReader } from './approvals.ts';
import { attach, type Connection } from './database.ts';
import type { ReaderData } from './messages.ts';
import { packReadings } from './pack-readings.ts';
import { RecordReader } from './records.ts';
import { Search } from './search.ts';
import { sqlOfRooms } from './sql-file.ts';
import { Traces } from './traces.ts';

type Reading = (...input: readonly never[]) => unknown;

export function readings(db: Connection, data: ReaderData) {
  const records = new RecordReader(db, data);
  const lastRow = db.prepare<[], { seq: number; received_us: number }>(
    'SELECT seq, received_us FROM record ORDER BY seq DESC LIMIT 1',
  );

  if (data.indexed) attach(db, data.places.search, 's', data.secrets.search);
  const search = new Search(db, records, data.indexed);
  const traces = new Traces(db, search);
  const named: Record<string, string> = {
    ...sqlOfRooms(new URL('../', import.meta.url), ['ledger']),
    ...keyQueries,
    ...peopleQueries,
    ...approvalQueries,
    ...evidenceQueries,
  };

  const table = {
    ...approvalReader(db, data.tenantId),
    search: (query: EventQuery) => search.search(query),
    traces: (query: TraceQuery) => traces.traces(query),
    trace: (runId: string, q?: string) => traces.trace(runId, q),
    query(name: string, parameters?: Record<string, unknown>) {
      const sql = Object.hasOwn(named, name) ? named[name] : undefined;
      if (sql === undefined) throw new TrailmixError('internal', { message: `no query is named ${name}` });
      const statement = db.prepare(sql);
      return parameters === undefined ? statement.all() : statement.all(parameters);
    },
    head() {
      const row = lastRow.get();
      if (row === undefined) throw new TrailmixError('internal', { message: 'the ledger is empty' });
      return {
        seq: row.seq,
        size: row.seq + 1,
        receivedAt: records.rows(row.seq, row.seq)[0]!.head.received_at,
      };
    },
    record: (seq: number) => records.record(seq),
    ...packReadings(db, records, data.tenantId),
    uploadedBy: (tenantId: string, sha256: string, keyId: string) =>
      db
        .prepare('SELECT 1 FROM blob_upload WHERE tenant_id = ? AND sha256 = ? AND key_id = ?')
        .get(tenantId, sha256, keyId) !== undefined,
  };
  return table as unknown as Record<string, Reading>;
}
