/** `trailmix backup OUT` and `trailmix restore IN --accept-head`. */
import { createWriteStream } from 'node:fs';
import { access, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CustodyChoice } from '../collector/keys/custody.ts';
import { restore } from '../collector/keys/restore.ts';
import { TrailmixError } from '../core/api/errors.ts';
import { openCall } from './client.ts';
import { custodyOf, withCollector } from './collector_for.ts';
import { type Command, textOf } from './command.ts';
import { secretFrom } from './secret_prompt.ts';

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

export const backupCommand: Command = {
  summary:
    'Writes an encrypted backup, of all tenants, which only the recovery phrase opens. Recording goes on meanwhile.',
  usage: 'OUT',
  examples: ['trailmix backup ~/trailmix-2026-11-22.backup'],
  options: { 'key-file': { type: 'string' } },
  help: { '--key-file F': "the vault's key file, where it is not in its usual place" },
  words: [1, 1],
  async run({ data, values, positionals, out }) {
    const file = resolve(positionals[0]!);
    if (await exists(file)) {
      throw new TrailmixError('usage', {
        where: file,
        message: `${file} is there already; choose a new name`,
      });
    }
    const part = `${file}.part`;
    let leftOut = '';
    try {
      await withCollector(data, custodyOf(values), async ({ socket }) => {
        const answer = await openCall(socket, 'backup');
        leftOut = String(answer.headers['x-trailmix-left-out'] ?? '');
        await pipeline(answer, createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true }));
      });
      await rename(part, file);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
    const { size } = await stat(file);
    const tenants = leftOut === '' ? [] : leftOut.split(' ');
    out.json({ backup: file, bytes: size, ...(leftOut === '' ? {} : { left_out: tenants }) });
    for (const tenant of tenants) out.note(`Not in it: tenant ${tenant}, whose ledger is refused.`);
    out.say(`Wrote ${file} (${size} bytes). Only the recovery phrase opens it.`);
    return 0;
  },
};

export const restoreCommand: Command = {
  summary:
    'Begins a new ledger from a backup, in an empty data folder. The restore is recorded and every later pack shows it.',
  usage: 'IN --accept-head [--key-file F]',
  examples: [
    'TRAILMIX_RECOVERY_PHRASE="..." trailmix restore ./trailmix.backup --accept-head --data ./restored',
  ],
  options: { 'accept-head': { type: 'boolean' }, 'key-file': { type: 'string' } },
  help: {
    '--accept-head': 'accept that whatever was recorded after the backup is lost',
    '--key-file F': 'where the new vault keeps its key (or set TRAILMIX_PASSPHRASE for a passphrase)',
  },
  words: [1, 1],
  async run({ data, values, positionals, out }) {
    const phrase = await secretFrom('TRAILMIX_RECOVERY_PHRASE', 'Recovery phrase');
    const keyFile = textOf(values, 'key-file');
    const passphrase = process.env.TRAILMIX_PASSPHRASE;
    const custody: CustodyChoice =
      keyFile === undefined && passphrase !== undefined
        ? { kind: 'passphrase', passphrase }
        : { kind: 'key_file', ...(keyFile === undefined ? {} : { file: resolve(keyFile) }) };
    const restored = await restore({
      file: resolve(positionals[0]!),
      phrase,
      folder: resolve(data),
      custody,
      acceptHead: values['accept-head'] === true,
    });
    out.json({
      data: resolve(data),
      ledger_id: restored.ledgerId,
      restored_from: restored.from,
      ...(restored.tenants.length === 0
        ? {}
        : { tenants: restored.tenants.map(one => ({ tenant_id: one.tenantId, restored_from: one.from })) }),
      ...(restored.leftOut.length === 0 ? {} : { left_out: restored.leftOut }),
      ...(restored.keyFile === undefined ? {} : { key_file: restored.keyFile }),
    });
    out.say(`Restored into ${resolve(data)} as ledger ${restored.ledgerId}.`);
    for (const { tenantId, from } of restored.tenants)
      out.say(`Tenant ${tenantId} continues after record ${from.head.seq}.`);
    for (const tenant of restored.leftOut) out.note(`Not in the backup: tenant ${tenant}.`);
    out.say(`It continues ledger ${restored.oldLedgerId} after record ${restored.from.head.seq}.`);
    if (restored.keyFile !== undefined) out.say(`Its key file is ${restored.keyFile}.`);
    return 0;
  },
};
