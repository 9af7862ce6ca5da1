/**
 * Where drafts are kept: this browser's localStorage, by ledger and person, and this page's memory where storage is off or
 * full. Rules: nothing leaves this browser before it is checked or saved; a draft that could not be kept says so; a tab
 * never writes over what another tab wrote before it has shown that.
 */
import { useSyncExternalStore } from 'react';
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import { byPath, DRAFTS, type Draft, readDraft, textOf } from './drafts.ts';

const PREFIX = 'trailmix-draft/';
/** This tab, among those that write the same drafts. */
const TAB = crypto.randomUUID().slice(0, 8);
/** `elsewhere`: drafts that another tab has written while this one was open. */
type State = { owner: string; drafts: Draft[]; kept: boolean; elsewhere: ReadonlySet<string> };
const noOnes: ReadonlySet<string> = new Set();
let state: State = { owner: '', drafts: [], kept: true, elsewhere: noOnes };
const listeners = new Set<() => void>();

const keyOf = (owner: string, id: string): string => `${PREFIX}${owner}/${id}`;

function tell(next: Partial<State>): void {
  state = { ...state, ...next };
  for (const listener of listeners) listener();
}

const become = (drafts: Draft[], kept = state.kept): void => tell({ drafts, kept });

function load(owner: string): Draft[] {
  const found: Draft[] = [];
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(keyOf(owner, ''))) continue;
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
    localStorage.setItem(keyOf(state.owner, draft.id), JSON.stringify(draft));
    return true;
  } catch {
    return false;
  }
}

/** The draft as it is kept now, where another tab has written it since this one showed it; else undefined. */
function writtenElsewhere(shown: Draft): Draft | undefined {
  let kept: Draft | undefined;
  try {
    kept = readDraft(localStorage.getItem(keyOf(state.owner, shown.id)) ?? '');
  } catch {
    return undefined;
  }
  if (kept === undefined || kept.by === TAB || kept.changed < shown.changed) return undefined;
  return kept.changed === shown.changed && kept.by === shown.by ? undefined : kept;
}

/** What was written while nobody was enrolled becomes the drafts of who signs in first in this browser. */
function adopt(ledger: string, owner: string): void {
  for (const draft of load(ledger)) {
    try {
      localStorage.setItem(keyOf(owner, draft.id), JSON.stringify(draft));
      localStorage.removeItem(keyOf(ledger, draft.id));
    } catch {
      // It stays where it was.
    }
  }
}

addEventListener('storage', event => {
  const own = keyOf(state.owner, '');
  if (state.owner === '' || !event.key?.startsWith(own)) return;
  tell({ drafts: load(state.owner), elsewhere: new Set([...state.elsewhere, event.key.slice(own.length)]) });
});

export const draftStore = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  get: (): State => state,
  /** Whose drafts are shown: of a ledger, and of a person where people are enrolled. */
  open(ledger: string, person: string | undefined): void {
    const owner = person === undefined ? ledger : `${ledger}@${person}`;
    if (state.owner === owner) return;
    if (person !== undefined) adopt(ledger, owner);
    tell({ owner, drafts: load(owner), kept: true, elsewhere: noOnes });
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
      by: TAB,
    };
    become([draft, ...state.drafts], keep(draft));
    return draft;
  },
  change(id: string, change: (draft: Draft) => Partial<Draft>): void {
    const shown = state.drafts.find(draft => draft.id === id);
    if (shown === undefined) return;
    const newer = writtenElsewhere(shown);
    if (newer !== undefined) tell({ elsewhere: new Set([...state.elsewhere, id]) });
    const held = newer ?? shown;
    const next = { ...held, ...change(held), changed: Date.now(), by: TAB };
    const drafts = state.drafts.map(draft => (draft.id === id ? next : draft));
    become(drafts, keep(next));
  },
  /** Text that was written over what another tab has changed meanwhile is dropped: that other text is shown instead. */
  setText(id: string, path: string, text: string): void {
    const was = textOf(state.drafts.find(draft => draft.id === id)?.files ?? [], path);
    draftStore.change(id, ({ files }) => ({
      files: files.map(file => (file.path === path && file.text === was ? { path, text } : file)),
    }));
  },
  remove(id: string): void {
    try {
      localStorage.removeItem(keyOf(state.owner, id));
    } catch {
      // It was in memory only.
    }
    become(state.drafts.filter(draft => draft.id !== id));
  },
};

export function useDrafts(): State {
  return useSyncExternalStore(draftStore.subscribe, draftStore.get);
}
