import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What to say where a file in that folder, which imports zod, gets one that is not of version 4; else an empty string. */
export function foreignZodHint(directory: string): string {
  const load = createRequire(join(directory, '_'));
  let file: string;
  try {
    file = load.resolve('zod/package.json');
  } catch {
    return ''; // There is none: loadModule lends it ours.
  }
  const { version } = load(file) as { version: string };
  if (version.startsWith('4.')) return '';
  return ` Files here import zod ${version}, from ${dirname(file)}, and aiforge works with zod 4: npm install zod@4.`;
}

/** Whether a value is a schema of zod 4. */
export function isZod4(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '_zod' in value;
}
