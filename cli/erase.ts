/** `trailmix erase`: bodies go, heads and proofs stay; on command, or by a rule per app. */
import { TrailmixError } from '../core/api/errors.ts';
import { custodyOf, withCollector } from './collector_for.ts';
import { type Command, need, textOf } from './command.ts';

const DATE = /^\d{4}-\d\d-\d\d$/;

export const eraseCommand: Command = {
  summary:
    'Erases the bodies of records for good. Their place in the chain stays proved, and the erasure is recorded.',
  usage: '--app APP --before T --reason TEXT | --seq N[,N] --reason TEXT | --app APP --keep-days N',
  examples: [
    'trailmix erase --app support-bot --before 2026-05-01 --reason "End of retention"',
    'trailmix erase --seq 4711 --reason "Request of the person concerned, case 17"',
    'trailmix erase --app support-bot --keep-days 180',
  ],
  options: {
    app: { type: 'string' },
    before: { type: 'string' },
    seq: { type: 'string' },
    reason: { type: 'string' },
    'keep-days': { type: 'string' },
    'key-file': { type: 'string' },
  },
  help: {
    '--app APP': 'whose records',
    '--before T': 'all that it received before: 2026-05-01 or 2026-05-01T08:30:00Z',
    '--seq N,N': 'these records',
    '--reason TEXT': 'why; recorded for good, so name no personal data',
    '--keep-days N': 'a rule instead: bodies older than N days are erased from now on (0: none are)',
    '--key-file F': "the vault's key file, where it is not in its usual place",
  },
  async run({ data, values, out }) {
    const custody = custodyOf(values);
    const days = textOf(values, 'keep-days');
    if (days !== undefined) {
      if (!/^\d{1,5}$/.test(days))
        throw new TrailmixError('usage', { where: '--keep-days', message: `${days} is no number of days` });
      const app = need(values, 'app');
      const set = await withCollector(data, custody, async ({ call }) => {
        const now = await call('retention');
        return call('changeRetention', { input: { days: { ...now.days, [app]: Number(days) } } });
      });
      out.json(set);
      out.say(
        days === '0'
          ? `Bodies of ${app} are kept.`
          : `Bodies of ${app} are erased after ${days} days, from now on.`,
      );
      return 0;
    }
    const reason = need(values, 'reason');
    const seqs = textOf(values, 'seq');
    if (seqs !== undefined && !/^\d{1,15}(?:,\d{1,15})*$/.test(seqs))
      throw new TrailmixError('usage', { where: '--seq', message: `${seqs} is no list of seqs` });
    const before = seqs === undefined ? need(values, 'before') : '';
    const input =
      seqs === undefined
        ? { app_id: need(values, 'app'), before: DATE.test(before) ? `${before}T00:00:00Z` : before, reason }
        : { seqs: seqs.split(',').map(Number), reason };
    const done = await withCollector(data, custody, ({ call }) => call('erase', { input }));
    out.json(done);
    out.say(`Erased the bodies of ${done.erased} records and ${done.blobs} large values.`);
    if (done.records.length > 0) out.say(`  recorded as ${done.records.join(', ')}`);
    out.say('Backups and packs made before still hold them: they are yours to find.');
    return 0;
  },
};
