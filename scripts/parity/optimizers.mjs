// `npm run test:parity:optim`: runs the samples of PyTorch's optimizer database (optim_db) and random combinations of
// options in Python and here, and compares parameters and state after each of 32 steps, bit by bit, what is printed and
// the options; then goes on from Python's state dict of step 10. `--optimizer name` (repeatable) runs only that one.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../build.mjs';
import { ProvisionError, runMain } from '../provision/main.mjs';
import { projectRoot } from '../provision/paths.mjs';
import { installReference, referencePython } from '../provision/reference.mjs';
import { readFrames } from './frames.mjs';
import { differentOptimizers } from './optimizerLists.mjs';

await runMain(async () => {
  const { values } = parseArgs({ options: { optimizer: { type: 'string', multiple: true, default: [] } } });
  await build();
  if (process.env.AIFORGE_REFERENCE_PYTHON === undefined) await installReference();
  const python = process.env.AIFORGE_REFERENCE_PYTHON ?? referencePython();
  // Only now: before the build there may be no library.
  const { check } = await import('./optimizerCases.mjs');
  const results = [];
  for await (const frame of casesOf(python, values.optimizer)) {
    const { name } = frame.header;
    const result = { name, refused: frame.header.refused, ...check(frame) };
    results.push(result);
    if (result.problem !== null && !differentOptimizers.has(name)) {
      console.log(`  ${name} ${JSON.stringify(frame.header.options.items)}: ${result.problem}`);
    }
  }
  const names = new Set(results.map(({ name }) => name));
  const isWhole = values.optimizer.length === 0;
  const stale = [...differentOptimizers.keys()].filter((name) =>
    names.has(name) ? results.some((result) => result.name === name && result.problem === null) : isWhole,
  );
  for (const name of stale)
    console.log(`  ${name}: is listed as different, but is equal or no case: take it off the list`);
  console.log(summary(results));
  const surprises = results.filter(({ name, problem }) => problem !== null && !differentOptimizers.has(name));
  return surprises.length + stale.length === 0 ? 0 : 1;
});

async function* casesOf(python, optimizers) {
  const script = path.join(projectRoot, 'scripts/parity/optimizers.py');
  const env = { ...process.env, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };
  const child = spawn(python, [script, '1', ...optimizers], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], env });
  const ended = new Promise((resolve) => child.on('close', resolve));
  yield* readFrames(child.stdio[3]);
  const status = await ended;
  if (status !== 0) throw new ProvisionError(`Python ended with status ${status}: see above.`);
}

function summary(results) {
  const equal = results.filter(({ problem }) => problem === null);
  const refused = equal.filter((result) => result.refused !== null);
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  return [
    `${equal.length} of ${results.length} cases are equal (${results.length - equal.length} listed or above),`,
    `${refused.length} of them refused as in Python; ${sum('tensors')} tensors bit-identical,`,
    `${equal.length - refused.length} went on from Python's state dict to the same bits.`,
  ].join(' ');
}
