/**
 * Where drafts are kept: this browser's localStorage, by ledger, and this page's memory where storage is off or full.
 * Rules: nothing leaves this browser before it is checked or saved; a draft that could not be kept says so.
 */
import { useSyncExternalStore } from 'react';
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import { byPath, DRAFTS, type Draft, readDraft } from './drafts.ts';

const PREFIX = 'trailmix-draft/';
type State = { ledger: string; drafts: Draft[]; kept: boolean };
let state: State = { ledger: '', drafts: [], kept: true };
const listeners = new Set<() => void>();

const keyOf = (ledger: string, id: string): string => `${PREFIX}${ledger}/${id}`;

function become(drafts: Draft[], kept = state.kept): void {
  state = { ...state, drafts, kept };
  for (const listener of listeners) listener();
}

function load(ledger: string): Draft[] {
  const found: Draft[] = [];
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(keyOf(ledger, ''))) continue;
      const draft = readDraft(localStorage.getItem(key) ?? '');
      if (draft !== undefined) found.push(draft);
    }
  } catch {
    // Storage can be off: drafts then live as long as this page.
  }
  return found.sort((a, b) => b.changed - a.changed);
}

function keep(draft: Draft): boolean {
  try {
    localStorage.setItem(keyOf(state.ledger, draft.id), JSON.stringify(draft));
    return true;
  } catch {
    return false;
  }
}

addEventListener('storage', event => {
  // Another tab changed a draft: what was written last counts.
  if (event.key?.startsWith(keyOf(state.ledger, ''))) become(load(state.ledger));
});

export const draftStore = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  get: (): State => state,
  /** Whose drafts are shown. */
  open(ledger: string): void {
    if (state.ledger === ledger) return;
    state = { ledger, drafts: load(ledger), kept: true };
    for (const listener of listeners) listener();
  },
  /** Undefined when there are as many as are kept. */
  create(name: string, files: readonly PolicyFile[], base?: string): Draft | undefined {
    if (state.drafts.length >= DRAFTS) return undefined;
    const draft: Draft = {
      id: crypto.randomUUID().slice(0, 8),
      name,
      files: byPath(files),
      ...(base === undefined ? {} : { base }),
      changed: Date.now(),
    };
    become([draft, ...state.drafts], keep(draft));
    return draft;
  },
  change(id: string, change: (draft: Draft) => Partial<Draft>): void {
    const held = state.drafts.find(draft => draft.id === id);
    if (held === undefined) return;
    const next = { ...held, ...change(held), changed: Date.now() };
    const drafts = state.drafts.map(draft => (draft.id === id ? next : draft));
    become(drafts, keep(next));
  },
  setText(id: string, path: string, text: string): void {
    draftStore.change(id, ({ files }) => ({
      files: files.map(file => (file.path === path ? { path, text } : file)),
    }));
  },
  remove(id: string): void {
    try {
      localStorage.removeItem(keyOf(state.ledger, id));
    } catch {
      // It was in memory only.
    }
    become(state.drafts.filter(draft => draft.id !== id));
  },
};

export function useDrafts(): State {
  return useSyncExternalStore(draftStore.subscribe, draftStore.get);
}
