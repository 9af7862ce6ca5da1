/** Overview. */
import { PageBody, PageHeader } from '../../ui/Page.tsx';

export function OverviewScreen() {
  return (
    <>
      <PageHeader title="Overview" />
      <PageBody>{null}</PageBody>
    </>
  );
}
