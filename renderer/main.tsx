/** Entry of the page: signs in from the address, then renders. Order of styles: Mantine's in a layer, ours over it. */
import '@mantine/core/styles.layer.css';
import '@mantine/notifications/styles.layer.css';
import '@mantine/spotlight/styles.layer.css';
import '@mantine/charts/styles.layer.css';
import '@mantine/dropzone/styles.layer.css';
import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './ui/tokens.css';
import './ui/ui.css';
import './shell/shell.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { makeQueryClient } from './api/queries.ts';
import { session, signInFromAddress } from './api/session.ts';
import { router } from './router.tsx';
import { cssVariables, schemeManager, styleNonce, theme } from './shell/theme.ts';

const client = makeQueryClient();
let token = session.token();
session.subscribe(() => {
  // What one person has read is not there for the next.
  if (token !== undefined && session.token() === undefined) client.clear();
  token = session.token();
});
addEventListener('hashchange', () => void signInFromAddress().then(() => client.invalidateQueries()));
void signInFromAddress();

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={schemeManager}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
    >
      <QueryClientProvider client={client}>
        <Notifications position="top-right" limit={4} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
