import { execFileSync } from 'node:child_process';

/** `attn_mask` as an option is called here. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Options of Python under their names here; lists of options stay as they are. */
export const camelKeys = (options: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [camelCase(name), value]));

export const python = process.env.AIFORGE_REFERENCE_PYTHON;

/** What a Python program prints as JSON, run by the Python of AIFORGE_REFERENCE_PYTHON. */
export function runPython<T>(program: string, input = ''): T {
  return JSON.parse(execFileSync(python!, ['-c', program], { encoding: 'utf8', input, maxBuffer: 1 << 28 })) as T;
}

/** What a section of a reference script prints now; undefined, with the reason printed, where there is no Python for it. */
export function section<T>(script: string, name: string): T | undefined {
  if (python === undefined) {
    console.log('    skipped: AIFORGE_REFERENCE_PYTHON is not set');
    return undefined;
  }
  const output = execFileSync(python, [`test/reference/${script}.py`, name], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return JSON.parse(output) as T;
}
