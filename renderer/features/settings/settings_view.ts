/** Settings in words: tabs and who sees them, keys, disk use. Pure. */
import type { KeyView, Scope, SessionView, StatusView } from '../../../core/api/views.ts';
import { mayDo } from '../../api/may.ts';
import { formatBytes } from '../../ui/numbers.ts';

const tabs = [
  'connect',
  'keys',
  'people',
  'tenants',
  'you',
  'reviews',
  'signing',
  'witnesses',
  'retention',
  'custody',
  'network',
  'data',
  'general',
  'about',
] as const;
export type SettingsTab = (typeof tabs)[number];

/** Those with something to see: API keys by permission, one's own sign-in where there is one. */
export function tabsFor(me: SessionView | undefined): SettingsTab[] {
  const hidden: Partial<Record<SettingsTab, boolean>> = {
    keys: !mayDo(me, 'keys'),
    tenants: me?.tenant_id !== 'default' || !mayDo(me, 'tenants'),
    you: me?.person === undefined,
    signing: !mayDo(me, 'timestampAnchors'),
    witnesses: !mayDo(me, 'witnesses'),
    retention: !mayDo(me, 'retention'),
  };
  return tabs.filter(tab => !hidden[tab]);
}

export const readTab = (tab: string | undefined): SettingsTab =>
  tabs.find(known => known === tab) ?? 'connect';

export const scopeWords: Record<Scope, { label: string; means: string }> = {
  ingest: { label: 'Record', means: 'send events' },
  decide: { label: 'Ask', means: 'ask the policy and use approvals' },
  read: { label: 'Read', means: 'search and read this ledger' },
  export: { label: 'Export', means: 'export evidence packs' },
};
export const DEFAULT_SCOPES: Scope[] = ['ingest', 'decide'];

/** Usable keys first, newest first; then revoked ones. */
export function buildKeys(items: readonly KeyView[]): { usable: KeyView[]; revoked: KeyView[] } {
  const newest = [...items].sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
  return {
    usable: newest.filter(key => key.revoked_at === undefined),
    revoked: newest.filter(key => key.revoked_at !== undefined),
  };
}

export type DiskRow = { name: string; bytes: number; text: string };

export function buildDisk(data: NonNullable<StatusView['data']>): DiskRow[] {
  const rows: [string, number][] = [
    ['Ledger and search', data.ledger_bytes],
    ['Large values', data.blob_bytes],
    ['Logs', data.log_bytes],
    ['Free on this disk', data.free_bytes],
  ];
  return rows.map(([name, bytes]) => ({ name, bytes, text: formatBytes(bytes) }));
}
