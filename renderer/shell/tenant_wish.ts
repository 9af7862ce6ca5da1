/** The tenant that the reader chose in the shell, for the sign-in form that follows. Held by this page alone. */
let wished: string | undefined;

export const wishedTenant = {
  set(tenant: string): void {
    wished = tenant;
  },
  /** The wish, once; else the given one. Whether there is such a tenant, the form is not told before one signs in. */
  take(otherwise: string): string {
    const chosen = wished ?? otherwise;
    wished = undefined;
    return chosen;
  },
};
