import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { cpus } from 'node:os';

/** Runs a script of test/reference with the Python that has torch; skips the test, with the reason, where there is none. */
export function reference(context: Mocha.Context, script: string, ...args: string[]): string {
  const python = process.env.AIFORGE_REFERENCE_PYTHON;
  if (python === undefined) return skip(context, 'AIFORGE_REFERENCE_PYTHON is not set; run `npm test -- --reference`');
  return execFileSync(python, [path.resolve('test/reference', script), ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  });
}

/** A fixture whose bits depend on the CPU's kernels; skips the test, with the reason, on another CPU. */
export function fixtureForThisCpu<T>(context: Mocha.Context, name: string): T {
  const fixture = JSON.parse(readFileSync(path.resolve('test/fixtures', name), 'utf8')) as T & { cpu: string };
  const cpu = cpus()[0]!.model;
  if (fixture.cpu === cpu) return fixture;
  return skip(
    context,
    `the fixture was recorded on '${fixture.cpu}', whose kernels round otherwise than those of '${cpu}'`,
  );
}

function skip(context: Mocha.Context, reason: string): never {
  console.log(`      skipped: ${reason}`);
  return context.skip();
}
