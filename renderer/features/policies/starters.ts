/** What a new draft begins with. `decision` is the app's own decision.rego, which merges what all other files say. */
import type { PolicyFile } from '../../../core/api/policy_views.ts';

/** A name for a new file that is free: rules.rego, rules2.rego... */
export function freePath(files: readonly PolicyFile[], stem: string, end = '.rego'): string {
  for (let n = 1; ; n++) {
    const path = `${stem}${n === 1 ? '' : n}${end}`;
    if (!files.some(file => file.path === path)) return path;
  }
}

/** One rule that a newcomer can read, without a test: the workbench says so. */
export const firstRule = `# Read it aloud: approve contains this reason if the action is
# a refund, and its amount is a number above 500.
package trailmix

approve contains "refund > 500" if {
	input.action == "issue_refund"
	is_number(input.payload.amount)
	input.payload.amount > 500
}
`;

export const emptyDraft = (decision: string): PolicyFile[] => [
  { path: 'decision.rego', text: decision },
  { path: 'rules.rego', text: firstRule },
];

export const newRego = 'package trailmix\n';
export const newTest = `package trailmix_test

import data.trailmix

test_it_is_allowed if {
	trailmix.decision.result == "allow" with input as {"action": "read_file", "payload": {}, "context": {}}
}
`;
