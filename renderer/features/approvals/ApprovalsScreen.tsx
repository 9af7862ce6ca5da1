/** Approvals. */
import { PageBody, PageHeader } from '../../ui/Page.tsx';

export function ApprovalsScreen() {
  return (
    <>
      <PageHeader title="Approvals" />
      <PageBody>{null}</PageBody>
    </>
  );
}
