/** One use of the signing key in words. Pure. Source: docs/spec/ledger.md, own records. */
import type { RecordView } from '../../../../core/api/views.ts';
import { countOf } from '../../../ui/numbers.ts';

type Members = { readonly [member: string]: unknown };

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What stands in the record; an erased or unknown one is named by its kind. */
export function wordsOfUse(record: RecordView): { what: string; by: string } {
  const members = record as Members;
  const made = (members.export ?? {}) as Members;
  if (record.event_type === 'export.completed') {
    const events = typeof made.events === 'number' ? `, ${countOf(made.events, 'event')}` : '';
    return { what: `Signed a pack of ${text(made.app_id) || 'an app'}${events}`, by: text(made.by) };
  }
  const key = (members.key ?? {}) as Members;
  const about = text(key.subject) || text(key.common_name);
  return {
    what: `${text(members.name) || record.event_type}${about === '' ? '' : `: ${about}`}`,
    by: text(members.by),
  };
}
