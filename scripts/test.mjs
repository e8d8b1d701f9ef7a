// Sets up what is missing, then runs the tests. `--reference` also installs Python's torch, so that the tests that compare
// with it run; other arguments go to mocha, and a test's source path stands for its compiled file.
import { build } from './build.mjs';
import { mocha } from './mocha.mjs';
import { runToExit } from './provision/command.mjs';
import { runMain } from './provision/main.mjs';
import { listFiles, projectRoot } from './provision/paths.mjs';
import { installReference, referencePython } from './provision/reference.mjs';
import { runBeside } from './testsBeside.mjs';
import { join, relative } from 'node:path';

await runMain(async () => {
  const args = process.argv.slice(2).filter((arg) => arg !== '--reference');
  await build({ tests: true });
  if (process.argv.includes('--reference')) await installReference();
  const python = referencePython();
  console.log(
    python ? `reference: ${python}` : 'reference: none, so no live comparison with Python (npm test -- --reference)',
  );
  const env = { ...process.env, ...(python && { AIFORGE_REFERENCE_PYTHON: python }) };
  const options = { cwd: projectRoot, env };
  if (args.length > 0) return runToExit(process.execPath, mocha(args), options);
  const [waiting, computing] = halves();
  return runBeside(mocha(waiting), mocha(computing), options);
});

/** Tests that mostly wait for other processes, and those that compute: beside each other they take little longer than the first. */
function halves() {
  const all = listFiles(join(projectRoot, 'test'), /\.test\.mts$/)
    .map((file) => relative(projectRoot, file))
    .sort();
  const isWaiting = (file) => /^test\/(cli|config|core|data|distributed)\//.test(file);
  return [all.filter(isWaiting), all.filter((file) => !isWaiting(file))];
}
