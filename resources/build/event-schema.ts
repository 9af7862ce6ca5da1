/** Writes docs/spec/event.schema.json and event-types.json from core/event. A test checks that they are current. */
import { writeFileSync } from 'node:fs';
import { EventSchema } from '../../core/event/schema.ts';
import { eventTypesDocument } from '../../core/event/types.ts';

/** The published files, by path from the project's root. */
export const publishedFiles: Readonly<Record<string, string>> = {
  'docs/spec/event.schema.json': `${JSON.stringify(EventSchema, null, 2)}\n`,
  'docs/spec/event-types.json': `${JSON.stringify(eventTypesDocument(), null, 2)}\n`,
};

if (import.meta.main) {
  for (const [path, text] of Object.entries(publishedFiles)) {
    writeFileSync(new URL(`../../${path}`, import.meta.url), text);
  }
}
