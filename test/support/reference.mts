import { execFileSync } from 'node:child_process';
import path from 'node:path';

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

function skip(context: Mocha.Context, reason: string): never {
  console.log(`      skipped: ${reason}`);
  return context.skip();
}
