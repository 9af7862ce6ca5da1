/** `trailmix sample load`: the scripted sample runs, labelled as samples wherever they appear. */
import { TrailmixError } from '../core/api/errors.ts';
import { custodyOf, withCollector } from './collector_for.ts';
import type { Command } from './command.ts';

export const sampleCommand: Command = {
  summary: 'Loads the sample runs into the ledger. They are scripted, and labelled as samples for ever.',
  usage: 'load',
  examples: ['trailmix sample load'],
  options: { 'key-file': { type: 'string' } },
  help: { '--key-file F': "the vault's key file, where it is not in its usual place" },
  words: [1, 1],
  async run({ data, values, positionals, out }) {
    if (positionals[0] !== 'load')
      throw new TrailmixError('usage', { where: positionals[0]!, message: 'Say: sample load' });
    const loaded = await withCollector(data, custodyOf(values), ({ call }) => call('loadSamples'));
    out.json(loaded);
    out.say(
      loaded.already
        ? 'The samples were there already.'
        : `Loaded ${loaded.events} events in ${loaded.runs} runs.`,
    );
    return 0;
  },
};
