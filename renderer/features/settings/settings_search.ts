/** The URL of Settings: tab, the open person, the open dialog. Pure. */

export type SettingsSearch = {
  tab?: string;
  /** Sign-in name of the person whose details are open. */
  person?: string;
  /** The dialog that invites, or delegates, is open. */
  invite?: true;
  delegate?: true;
};

export function readSettingsSearch(search: Record<string, unknown>): SettingsSearch {
  const kept: SettingsSearch = {};
  for (const member of ['tab', 'person'] as const) {
    const value = search[member];
    if (typeof value === 'string' && value !== '') kept[member] = value;
  }
  for (const member of ['invite', 'delegate'] as const) if (search[member] === true) kept[member] = true;
  return kept;
}
