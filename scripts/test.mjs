// Sets up what is missing, then runs the tests. `--reference` also installs Python's torch, so that the tests that compare
// with it run; other arguments go to mocha, and a test's source path stands for its compiled file.
import { build } from './build.mjs';
import { mocha } from './mocha.mjs';
import { runToExit } from './provision/command.mjs';
import { runMain } from './provision/main.mjs';
import { projectRoot } from './provision/paths.mjs';
import { installReference, referencePython } from './provision/reference.mjs';

await runMain(async () => {
  const args = process.argv.slice(2).filter((arg) => arg !== '--reference');
  await build({ tests: true });
  if (process.argv.includes('--reference')) await installReference();
  const python = referencePython();
  console.log(
    python ? `reference: ${python}` : 'reference: none, so no live comparison with Python (npm test -- --reference)',
  );
  const env = { ...process.env, ...(python && { AIFORGE_REFERENCE_PYTHON: python }) };
  return runToExit(process.execPath, mocha(args), { cwd: projectRoot, env });
});
