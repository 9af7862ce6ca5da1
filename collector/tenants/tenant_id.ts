/** Ids of tenants: they name folders, origins and keys, so few characters and no name that a system keeps for itself. */
import { TrailmixError } from '../../core/api/errors.ts';

/** docs/spec/ledger.md gives records `[a-z0-9-]{1,64}`; an option of the command line must not begin like one. */
const FORM = /^[a-z0-9][a-z0-9-]{0,63}$/;
/** Windows has no folder of such a name. */
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])$/;

/** Throws input_invalid. */
export function checkTenantId(id: string): void {
  if (FORM.test(id) && !DEVICE.test(id)) return;
  throw new TrailmixError('input_invalid', {
    where: '/tenant_id',
    message: 'tenant_id must match [a-z0-9][a-z0-9-]{0,63} and be no name of a device',
  });
}
