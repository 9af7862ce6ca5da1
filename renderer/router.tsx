/**
 * The route table: one owner per screen, each in a chunk of its own. The URL is the UI's state: search members are
 * read by a pure `read*Search` function beside the feature, and unknown ones are dropped.
 */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { readApprovalsSearch } from './features/approvals/approvals_search.ts';
import { readEvidenceSearch } from './features/evidence/evidence_search.ts';
import { readOverviewSearch } from './features/overview/overview_search.ts';
import { readPoliciesSearch } from './features/policies/policies_search.ts';
import { readSettingsSearch } from './features/settings/settings_search.ts';
import { readTraceSearch } from './features/traces/trace_search.ts';
import { readTracesSearch } from './features/traces/traces_search.ts';
import { Gate } from './shell/Gate.tsx';
import { NotFound, ScreenError } from './shell/ScreenError.tsx';
import { Waiting } from './ui/States.tsx';

const root = createRootRoute({ component: Gate, notFoundComponent: NotFound });

const index = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/overview', replace: true });
  },
});
const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('./features/setup/SetupScreen.tsx'), 'SetupScreen'),
});
const overview = createRoute({
  getParentRoute: () => root,
  path: '/overview',
  validateSearch: readOverviewSearch,
  component: lazyRouteComponent(() => import('./features/overview/OverviewScreen.tsx'), 'OverviewScreen'),
});
const traces = createRoute({
  getParentRoute: () => root,
  path: '/traces',
  validateSearch: readTracesSearch,
  component: lazyRouteComponent(() => import('./features/traces/TracesScreen.tsx'), 'TracesScreen'),
});
const trace = createRoute({
  getParentRoute: () => root,
  path: '/traces/$run',
  validateSearch: readTraceSearch,
  component: lazyRouteComponent(() => import('./features/traces/TraceScreen.tsx'), 'TraceScreen'),
});
const event = createRoute({
  getParentRoute: () => root,
  path: '/events/$seq',
  component: lazyRouteComponent(() => import('./features/traces/EventScreen.tsx'), 'EventScreen'),
});
const approvals = createRoute({
  getParentRoute: () => root,
  path: '/approvals',
  validateSearch: readApprovalsSearch,
  component: lazyRouteComponent(() => import('./features/approvals/ApprovalsScreen.tsx'), 'ApprovalsScreen'),
});
const policies = createRoute({
  getParentRoute: () => root,
  path: '/policies',
  validateSearch: readPoliciesSearch,
  component: lazyRouteComponent(() => import('./features/policies/PoliciesScreen.tsx'), 'PoliciesScreen'),
});
const evidence = createRoute({
  getParentRoute: () => root,
  path: '/evidence',
  validateSearch: readEvidenceSearch,
  component: lazyRouteComponent(() => import('./features/evidence/EvidenceScreen.tsx'), 'EvidenceScreen'),
});
const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  validateSearch: readSettingsSearch,
  component: lazyRouteComponent(() => import('./features/settings/SettingsScreen.tsx'), 'SettingsScreen'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    index,
    setup,
    overview,
    traces,
    trace,
    event,
    approvals,
    policies,
    evidence,
    settings,
  ]),
  defaultPendingComponent: Waiting,
  defaultErrorComponent: ScreenError,
  defaultPreload: 'intent',
  scrollRestoration: false,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
