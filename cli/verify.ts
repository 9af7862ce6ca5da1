/**
 * `trailmix verify PACK`: four verdicts about an evidence pack; needs no ledger and no network. `--ledger`: the same
 * four over the whole live ledger.
 */
import { TrailmixError } from '../core/api/errors.ts';
import { exitCode } from '../core/pack/findings.ts';
import type { PackReport } from '../core/pack/verify.ts';
import { custodyOf, withCollector } from './collector_for.ts';
import type { Command } from './command.ts';
import { checkAndShow, packHelp, packOptions, showPlaces, showVerdicts } from './verify_show.ts';

export const verifyCommand: Command = {
  summary:
    'Four verdicts about an evidence pack: integrity, completeness, time, identity. Needs no ledger and no network.',
  usage: 'PACK [--trust DIR] [--since OLD] | --ledger',
  examples: ['trailmix verify november.zip --trust ./trust', 'trailmix verify --ledger'],
  options: { ...packOptions, ledger: { type: 'boolean' }, 'key-file': { type: 'string' } },
  help: { ...packHelp, '--ledger': 'verify the whole live ledger instead of a pack' },
  words: [0, 1],
  async run({ data, values, positionals, out }) {
    const [path] = positionals;
    if (values.ledger === true) {
      if (path !== undefined)
        throw new TrailmixError('usage', { where: path, message: 'Name a pack, or say --ledger' });
      const report = (await withCollector(data, custodyOf(values), ({ call }) =>
        call('verifyLedger'),
      )) as Pick<PackReport, 'verdicts' | 'places'>;
      out.json(report);
      showVerdicts(out, report.verdicts);
      showPlaces(out, report);
      return exitCode(report.verdicts);
    }
    if (path === undefined)
      throw new TrailmixError('usage', { message: 'Name the pack to verify, or say --ledger' });
    return checkAndShow(path, values, out, 'threads');
  },
};
