/**
 * Settings: held in memory, kept in the ledger; each change is an event before it holds. Unknown names in the ledger
 * (of another version) are left alone.
 */
import { TrailmixError } from '../core/api/errors.ts';
import type { JsonValue } from '../core/proof/jcs.ts';
import type { Settings, SettingsDesk } from './http/services.ts';
import type { Ledger } from './ports.ts';

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

const checks: { [N in keyof Settings]: (value: unknown) => string | undefined } = {
  otlp_unkeyed: value => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  time_zone: value =>
    typeof value === 'string' && isTimeZone(value)
      ? undefined
      : 'must be a time zone, e.g. Europe/Paris or UTC',
  person: value =>
    typeof value === 'string' && value.trim() !== '' && value.length <= 256
      ? undefined
      : 'must be a name of at most 256 characters',
};

export async function openSettings(
  ledger: Pick<Ledger, 'read' | 'write'>,
  defaults: Settings,
): Promise<SettingsDesk> {
  const take = (values: Record<string, JsonValue>): Settings => {
    const found: Record<string, unknown> = { ...defaults };
    for (const name of Object.keys(checks) as (keyof Settings)[]) {
      const value = values[name];
      if (value !== undefined && checks[name](value) === undefined) found[name] = value;
    }
    return found as Settings;
  };
  const rows = await ledger.read.query<{ name: string; value: string }>('settings.all');
  let now = take(Object.fromEntries(rows.map(row => [row.name, JSON.parse(row.value) as JsonValue])));

  return {
    read: () => now,
    async change(changes, by) {
      for (const [name, value] of Object.entries(changes)) {
        const fault = checks[name as keyof Settings]?.(value);
        if (fault !== undefined) {
          throw new TrailmixError('input_invalid', { where: `/${name}`, message: `${name} ${fault}` });
        }
      }
      now = take(
        await ledger.write.run('changeSettings', { changes: changes as Record<string, JsonValue>, by }),
      );
      return now;
    },
  };
}
