/**
 * The one table of permissions: which roles may call an operation from a page or the trailmix command. The collector refuses by
 * it (`role_missing`), the page shows by it. While nobody is enrolled, the opener of the one-time link may do everything;
 * then none but `everyone` rows. `local` = the operating system's user over the 0700 socket, without a person's sign-in, once somebody
 * is enrolled; before, it may do everything that its `callers` column allows. Source: docs/spec/people.md, "A person".
 */
import type { OperationName, Operations } from './operations.ts';
import type { SystemRole } from './views.ts';

/** Operations that a person or the socket may call at all. */
export type PersonOperation = {
  [N in OperationName]: Extract<Operations[N]['callers'][number], 'person' | 'local'> extends never
    ? never
    : N;
}[OperationName];

/** `person`: whoever signed in, also with no role of the five. */
type Who = SystemRole | 'local' | 'person';

const all = ['admin', 'policy_author', 'approver', 'analyst', 'auditor'] as const;
const reading = [...all, 'local'] as const;
const authoring = ['policy_author'] as const;
/** The toolchain runs what it is sent: for those who write or judge policies. */
const trying = ['admin', 'policy_author', 'analyst', 'auditor', 'local'] as const;
const exporting = ['admin', 'analyst', 'auditor', 'local'] as const;

export const permissions = {
  // Reading
  approval: reading,
  approvals: reading,
  approvalDetail: reading,
  events: reading,
  event: reading,
  eventProof: reading,
  blob: reading,
  traces: reading,
  trace: reading,
  overview: reading,
  policies: reading,
  status: reading,
  licences: reading,
  settings: reading,
  reviewSettings: reading,
  trust: reading,
  verifyLedger: reading,
  whoAmI: ['person', 'local'],
  people: reading,
  delegations: reading,
  /** One's own; of others as `signInsOfOthers` says. */
  signIns: ['person', 'local'],
  reviewReport: ['admin', 'analyst', 'auditor', 'local'],
  diagnostics: ['admin', 'local'],
  // Evidence
  exportEvidence: exporting,
  previewEvidence: exporting,
  startExport: exporting,
  exportJobs: exporting,
  exportJob: exporting,
  cancelExport: exporting,
  downloadExport: exporting,
  // Policies
  checkPolicy: trying,
  formatPolicy: trying,
  testPolicy: trying,
  evaluatePolicy: trying,
  explainPolicy: trying,
  repairPolicy: trying,
  preparePolicySet: trying,
  policySets: reading,
  policySet: reading,
  savePolicySet: authoring,
  preparePolicyBundle: trying,
  importPolicyBundle: authoring,
  policyEnvironments: reading,
  activatePolicySet: authoring,
  withdrawActivation: ['admin', 'policy_author'],
  setCandidate: authoring,
  clearCandidate: authoring,
  shadowDifferences: reading,
  changePolicySettings: ['admin'],
  policyVersions: reading,
  policyAt: reading,
  policyDecisions: reading,
  policyDecisionInput: reading,
  policyInputPaths: reading,
  startImpact: trying,
  impacts: reading,
  impact: reading,
  cancelImpact: trying,
  impactDecisions: reading,
  explainImpact: trying,
  saveImpact: authoring,
  // Who signs packs, who dates them
  certificate: ['admin', 'analyst', 'auditor', 'local'],
  certificateCheck: ['admin', 'analyst', 'auditor', 'local'],
  certificateRequest: ['admin', 'local'],
  certificateImport: ['admin', 'local'],
  certificateSelf: ['admin', 'local'],
  timestampAuthorities: ['admin', 'analyst', 'auditor', 'local'],
  changeTimestampAuthorities: ['admin', 'local'],
  timestampRequest: exporting,
  timestampImport: exporting,
  timestampNow: exporting,
  timestampAsk: exporting,
  timestampAnchors: reading,
  clockState: reading,
  bringPack: exporting,
  packTimestampRequest: exporting,
  packTimestampImport: exporting,
  packTimestampNow: exporting,
  erase: ['admin'],
  prepareErasure: ['admin', 'local'],
  retention: ['admin', 'analyst', 'auditor', 'local'],
  changeRetention: ['admin'],
  previewErasure: ['admin', 'analyst', 'auditor', 'local'],
  runRetention: ['admin', 'local'],
  witnesses: ['admin', 'analyst', 'auditor', 'local'],
  changeWitnesses: ['admin', 'local'],
  witnessRequest: exporting,
  witnessImport: exporting,
  ownWitness: ['admin', 'analyst', 'auditor', 'local'],
  nameWitness: ['admin', 'local'],
  witnessSign: ['admin', 'local'],
  // Approvals
  openApproval: ['approver'],
  answerApproval: ['approver'],
  commentApproval: ['admin', 'policy_author', 'approver', 'analyst'],
  changeReviewSettings: ['admin'],
  // One's own sign-in
  signOut: ['person'],
  myKey: ['person'],
  changeSecret: ['person'],
  // People
  enrolFirst: ['local'],
  invitePerson: ['admin'],
  withdrawInvite: ['admin'],
  signPerson: ['admin'],
  recoverPerson: ['local'],
  delegate: ['approver'],
  endDelegation: ['admin', 'approver'],
  // The installation
  keys: ['admin', 'analyst', 'auditor', 'local'],
  createKey: ['admin', 'local'],
  revokeKey: ['admin', 'local'],
  changeSettings: ['admin', 'local'],
  changePassphrase: ['admin', 'local'],
  backup: ['admin', 'local'],
  loadSamples: ['admin', 'local'],
  newTicket: ['local'],
  tenants: ['admin', 'local'],
  createTenant: ['admin', 'local'],
  enterTenant: ['admin'],
  setup: ['local'],
  unlock: ['admin', 'local'],
} as const satisfies Record<PersonOperation, readonly Who[]>;

/** What concerns all tenants at once: done in the default tenant alone, by its people or the socket. */
export const ofInstallation: ReadonlySet<OperationName> = new Set([
  'tenants',
  'createTenant',
  'enterTenant',
  'backup',
  'changePassphrase',
  'diagnostics',
  'certificateRequest',
  'certificateImport',
  'certificateSelf',
]);
/** Whose roles see the sign-ins of others too. */
const signInsOfOthers: readonly string[] = ['admin', 'analyst', 'auditor'];

export const maySeeSignIns = (roles: readonly string[], reader: string | undefined, of: string): boolean =>
  reader === of || roles.some(role => signInsOfOthers.includes(role));

/** Whether one of the roles may call the operation. Roles that are not of the five give nothing. */
export function mayCall(name: PersonOperation, roles: readonly string[]): boolean {
  return permissions[name].some(who => who === 'person' || (who !== 'local' && roles.includes(who)));
}

/** Whether the socket may, once somebody is enrolled. */
export function localMayCall(name: PersonOperation): boolean {
  return (permissions[name] as readonly Who[]).includes('local');
}
