/** Who signs packs and who dates them, over HTTP (collector/keys/certificates.ts and collector/evidence/anchors.ts do the work). */
import { TrailmixError } from '../../../core/api/errors.ts';
import { tsMicros, validTs } from '../../../core/event/time.ts';
import { LEDGER_APP } from '../../../core/proof/record.ts';
import type { Handlers, OpenContext } from '../handler.ts';
import { who } from './evidence.ts';
import { actorOf, signedOf } from './policies.ts';

type Names =
  | 'certificate'
  | 'certificateCheck'
  | 'certificateRequest'
  | 'certificateImport'
  | 'certificateSelf'
  | 'timestampAuthorities'
  | 'changeTimestampAuthorities'
  | 'timestampRequest'
  | 'timestampImport'
  | 'timestampNow'
  | 'timestampAsk'
  | 'witnesses'
  | 'changeWitnesses'
  | 'witnessRequest'
  | 'witnessImport'
  | 'timestampAnchors'
  | 'clockState'
  | 'ownWitness'
  | 'nameWitness'
  | 'witnessSign'
  | 'erase'
  | 'prepareErasure'
  | 'previewErasure'
  | 'runRetention'
  | 'retention'
  | 'changeRetention';

const DAY_US = 86_400_000_000;
const bytes = (text: string): Uint8Array => Buffer.from(text, 'base64');
const text = (value: Uint8Array): string => Buffer.from(value).toString('base64');

/** Each change of the identity is a record. */
async function changed(
  { open, principal }: OpenContext,
  name: string,
  detail: { [member: string]: string },
): Promise<void> {
  await open.ledger.write.run('record', {
    appId: LEDGER_APP,
    eventType: 'key.identity',
    members: { name, key: { purpose: 'pack', ...detail }, by: who(principal) },
  });
}

/** A signed-in person, or while nobody is enrolled whoever is at the page or the terminal. */
function askingOf(context: OpenContext) {
  const { personId, ...actor } = actorOf(context);
  return personId === undefined ? { ...actor, by: who(context.principal) } : { ...actor, personId };
}

/** Throws input_invalid, ts_invalid. */
function meantBy({ app_id, before, seqs }: { app_id?: string; before?: string; seqs?: number[] }) {
  if (seqs !== undefined && app_id === undefined && before === undefined) return { seqs };
  if (seqs !== undefined || app_id === undefined || before === undefined)
    throw new TrailmixError('input_invalid', { where: '/seqs', message: 'Give seqs, or app_id and before' });
  if (!validTs(before)) throw new TrailmixError('ts_invalid', { where: '/before' });
  return { app: { appId: app_id, beforeUs: tsMicros(before) } };
}

export const certificateHandlers: Pick<Handlers, Names> = {
  certificate: async ({ open }) => (await open.identity()).show(),
  certificateCheck: async ({ open }, { input }) => (await open.identity()).show(input.crls),
  async certificateRequest(context, { input }) {
    const { key, ...subject } = input;
    const request = await (await context.open.identity()).request(subject, key);
    await changed(context, 'Certificate asked for', { common_name: subject.common_name });
    return { request };
  },
  async certificateImport(context, { input }) {
    const identity = await context.open.identity();
    const { pem, pkcs12, password } = input;
    if (pem === undefined && pkcs12 === undefined)
      throw new TrailmixError('input_invalid', { where: '/pem', message: 'pem or pkcs12 must be there' });
    const view =
      pkcs12 === undefined
        ? await identity.importChain(pem ?? '')
        : await identity.importPkcs12(bytes(pkcs12), password ?? '', pem);
    await changed(context, 'Certificate imported', {
      certificate_sha256: view.certificate_sha256,
      subject: view.subject,
    });
    return view;
  },
  async certificateSelf(context, { input }) {
    const view = await (await context.open.identity()).makeOwn(input.key, input.common_name);
    await changed(context, 'Certificate self-made', {
      certificate_sha256: view.certificate_sha256,
      subject: view.subject,
    });
    return view;
  },
  timestampAuthorities: ({ open }) => open.evidence.anchors.authorities(),
  changeTimestampAuthorities: ({ open, principal }, { input }) =>
    open.evidence.anchors.change(input, who(principal)),
  async timestampRequest({ open }) {
    const { size, request } = await open.evidence.anchors.request();
    return { size, request: text(request) };
  },
  timestampImport: ({ open, principal }, { input }) =>
    open.evidence.anchors.import(bytes(input.request), bytes(input.reply), who(principal)),
  timestampNow: ({ open, principal }) => open.evidence.anchors.now(who(principal)),
  async timestampAsk({ open }, { input }) {
    const { reply, url } = await open.evidence.anchors.ask(bytes(input.request));
    return { reply: text(reply), url };
  },
  erase(context, { input }) {
    const { signed, reason, ...meant } = input;
    const asked = { ...askingOf(context), reason };
    const { erasure } = context.open.evidence;
    if (signed === undefined) return erasure.erase({ ...asked, ...meantBy(meant) });
    if (Object.values(meant).some(one => one !== undefined))
      throw new TrailmixError('input_invalid', { where: '/signed', message: 'What is signed says it all' });
    return erasure.erase({ ...asked, signed });
  },
  prepareErasure: ({ open }, { input }) => open.evidence.erasure.prepare(meantBy(input)),
  timestampAnchors: ({ open }) => open.evidence.anchors.list(),
  clockState: ({ open }) => open.evidence.clock.state(),
  ownWitness: ({ open }) => open.evidence.ownWitness.view(),
  nameWitness: ({ open, principal }, { input }) =>
    open.evidence.ownWitness.rename(input.name, who(principal)),
  witnessSign: ({ open, principal }, { input }) =>
    open.evidence.ownWitness.sign(input.request, input.trust, who(principal)),
  async previewErasure({ host, open }, { input }) {
    const { app_id, before, days } = input;
    if ((before === undefined) === (days === undefined))
      throw new TrailmixError('input_invalid', { where: '/before', message: 'Give either before or days' });
    if (before !== undefined && !validTs(before)) throw new TrailmixError('ts_invalid', { where: '/before' });
    const beforeUs = before === undefined ? host.clock.now() * 1000 - (days ?? 0) * DAY_US : tsMicros(before);
    return open.evidence.erasure.preview(app_id, beforeUs);
  },
  runRetention: ({ open, principal, signal }) => open.evidence.erasure.run(who(principal), signal),
  retention: async ({ open }) => ({ days: await open.evidence.erasure.retention() }),
  changeRetention: async (context, { input: { days, ...signed } }) => ({
    days: await context.open.evidence.erasure.changeRetention(days, {
      ...askingOf(context),
      ...signedOf(signed),
    }),
  }),
  witnesses: ({ open }) => open.evidence.witnesses.view(),
  changeWitnesses: ({ open, principal }, { input }) =>
    open.evidence.witnesses.change(input.vkeys, who(principal)),
  witnessRequest: ({ open }, { input }) => open.evidence.witnesses.request(input),
  witnessImport: ({ open, principal }, { input }) =>
    open.evidence.witnesses.import(input.note, who(principal)),
};
