/** The tenant that the reader chose in the shell, for the sign-in form that follows. Held by this page alone. */
let wished: string | undefined;

export const wishedTenant = {
  set(tenant: string): void {
    wished = tenant;
  },
  /** The wish if it is one of those, else the first. */
  take(tenants: readonly string[]): string {
    const chosen = tenants.find(one => one === wished) ?? tenants[0] ?? '';
    wished = undefined;
    return chosen;
  },
};
