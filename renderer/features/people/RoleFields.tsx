/** Which roles a person has: the five with what each may do, and others that approvals can ask for. */
import { Checkbox, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { SystemRole } from '../../../core/api/views.ts';
import { isSystemRole, readCustomRoles, rolesFault, sortedRoles, systemRoles } from './people_view.ts';

export function RoleFields({
  value,
  onChange,
  tried,
}: {
  value: readonly string[];
  onChange: (roles: string[]) => void;
  tried: boolean;
}) {
  const known = value.filter(isSystemRole);
  // The text as typed: a comma that was just typed is not yet a role.
  const [text, setText] = useState(() => value.filter(role => !isSystemRole(role)).join(', '));
  const fault = rolesFault(value);
  return (
    <div className="people-passphrase">
      <Checkbox.Group
        label="Roles"
        value={known}
        onChange={chosen => onChange(sortedRoles([...chosen, ...readCustomRoles(text)]))}
        error={tried && fault}
      >
        <div className="people-roles">
          {(Object.keys(systemRoles) as SystemRole[]).map(role => (
            <Checkbox
              key={role}
              size="xs"
              value={role}
              label={`${systemRoles[role].label}: ${systemRoles[role].may}`}
            />
          ))}
        </div>
      </Checkbox.Group>
      <TextInput
        label="Other roles that approvals may ask for"
        description="For example treasurer: a policy can ask for it by name. It gives nothing else."
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={event => {
          setText(event.currentTarget.value);
          onChange(sortedRoles([...known, ...readCustomRoles(event.currentTarget.value)]));
        }}
      />
    </div>
  );
}
