/** `trailmix tenants list|create`: the tenants of this installation. Its people are enrolled with `people add NAME --tenant ID`. */
import { TrailmixError } from '../core/api/errors.ts';
import { custodyOf, withCollector } from './collector_for.ts';
import { type Command, need } from './command.ts';

export const tenantsCommand: Command = {
  summary: 'Tenants of this installation: a chain of records, people, keys and policies each.',
  usage: 'list | create ID --name NAME',
  examples: [
    'trailmix tenants create acme --name "Acme Ltd"',
    'trailmix keys create --app support-bot --tenant acme',
    'trailmix tenants list',
  ],
  options: { name: { type: 'string' }, 'key-file': { type: 'string' } },
  help: {
    '--name NAME': '`create`: what people read',
    '--key-file F': "the vault's key file, where it is not in its usual place",
  },
  words: [1, 2],
  async run({ data, values, positionals, out }) {
    const [verb, id] = positionals;
    const custody = custodyOf(values);
    if (verb === 'list' && id === undefined) {
      const { items } = await withCollector(data, custody, ({ call }) => call('tenants'));
      out.json({ tenants: items });
      for (const one of items) {
        const why = one.refused === undefined ? '' : `: ${one.refused.message}`;
        out.say(`${one.tenant_id.padEnd(24)}  ${one.state}${why}  ${one.name}`);
      }
      return 0;
    }
    if (verb === 'create' && id !== undefined) {
      const input = { tenant_id: id, name: need(values, 'name') };
      const made = await withCollector(data, custody, ({ call }) => call('createTenant', { input }));
      out.json(made);
      out.say(
        `Made the tenant ${made.tenant_id} (${made.name}). Its first admin: trailmix people add NAME --tenant ${id}`,
      );
      return 0;
    }
    throw new TrailmixError('usage', {
      where: verb ?? '',
      message: 'tenants: list, or create ID --name NAME',
    });
  },
};
