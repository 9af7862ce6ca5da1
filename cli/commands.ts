/** The table of commands. */
import type { Command } from './command.ts';

/** Loaded when asked for: verifying a pack needs no collector, and a wrong word needs nothing. */
export const commands: Record<string, () => Promise<Command>> = {
  start: async () => (await import('./start.ts')).startCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
  drill: async () => (await import('./drill.ts')).drillCommand,
  sample: async () => (await import('./sample.ts')).sampleCommand,
  keys: async () => (await import('./keys.ts')).keysCommand,
  export: async () => (await import('./export.ts')).exportCommand,
  convert: async () => (await import('./convert.ts')).convertCommand,
  timestamp: async () => (await import('./timestamp.ts')).timestampCommand,
  erase: async () => (await import('./erase.ts')).eraseCommand,
  witness: async () => (await import('./witness.ts')).witnessCommand,
  verify: async () => (await import('./verify.ts')).verifyCommand,
  tenants: async () => (await import('./tenants.ts')).tenantsCommand,
  backup: async () => (await import('./backup.ts')).backupCommand,
  restore: async () => (await import('./backup.ts')).restoreCommand,
  people: async () => (await import('./people.ts')).peopleCommand,
  approvals: async () => (await import('./approvals.ts')).approvalsCommand,
  policy: async () => (await import('./policy.ts')).policyCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
};

export const commandOf = async (name: string): Promise<Command | undefined> =>
  Object.hasOwn(commands, name) ? commands[name]!() : undefined;
