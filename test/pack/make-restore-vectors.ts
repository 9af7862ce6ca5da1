/**
 * Writes test/vectors/packs-restores: packs over one and two restores against an older pack of the first ledger, with packs.json. Keys
 * and times are fixed, so that the same code writes the same: `node test/pack/make-restore-vectors.ts`.
 */
import { publish } from './published.ts';
import { restoreCases } from './restore_cases.ts';

const packs = await publish('packs-restores', 'trailmix published packs, restores');
const { older, trust, cases } = await restoreCases();
const about = 'a pack of the ledger that is then restored';
await packs.write('older', about, null, older, trust);
const since = { file: 'older.zip', pack: older };
for (const one of cases) await packs.write(one.name, one.about, one.code, one.pack, one.trust, since);
await packs.close();
