/** Evidence. */
import { PageBody, PageHeader } from '../../ui/Page.tsx';

export function EvidenceScreen() {
  return (
    <>
      <PageHeader title="Evidence" />
      <PageBody>{null}</PageBody>
    </>
  );
}
