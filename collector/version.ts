/** The version of this build: package.json's, above the rooms in a clone and above build/app in the packaged app. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

function read(): string {
  for (const up of ['..', '../..', '../../..']) {
    try {
      const text = readFileSync(join(import.meta.dirname, up, 'package.json'), 'utf8');
      const { name, version } = JSON.parse(text) as { name?: string; version?: string };
      if (name === 'audit-trailmix' && version !== undefined) return version;
    } catch {
      // Not here: look further up.
    }
  }
  return '0.0.0';
}

export const VERSION = read();
