/** Settings. */
import { PageBody, PageHeader } from '../../ui/Page.tsx';

export function SettingsScreen() {
  return (
    <>
      <PageHeader title="Settings" />
      <PageBody>{null}</PageBody>
    </>
  );
}
