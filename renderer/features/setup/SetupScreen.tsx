/** Setup. */
import { PageBody, PageHeader } from '../../ui/Page.tsx';

export function SetupScreen() {
  return (
    <>
      <PageHeader title="Setup" />
      <PageBody>{null}</PageBody>
    </>
  );
}
