// Sets up everything that is missing or out of date. `--tests` compiles the tests too.
import { install } from './install.mjs';
import { generateOperators } from './provision/generated.mjs';
import { isMain, runMain } from './provision/main.mjs';
import { installPackages } from './provision/packages.mjs';
import { compileLibrary, compileTests } from './provision/typescript.mjs';

/** Runs the steps of the set-up in order, one line each; throws ProvisionError at the first that fails. */
export async function build({ tests = false } = {}) {
  await step('npm packages', installPackages);
  await step('LibTorch and addon', install);
  await step('operators', generateOperators);
  await step('library', compileLibrary);
  if (tests) await step('tests', compileTests);
}

async function step(name, work) {
  const start = performance.now();
  const worked = await work();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`✓ ${name.padEnd(18)} ${worked ? `done in ${seconds} s` : 'up to date'}`);
}

if (isMain(import.meta.url)) await runMain(() => build({ tests: process.argv.includes('--tests') }));
