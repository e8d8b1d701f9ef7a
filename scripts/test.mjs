// Sets up what is missing, then runs the tests. `--reference` also installs Python's torch, so that the tests that compare
// with it run; other arguments go to mocha, and a test's source path stands for its compiled file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
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
  const mocha = join(projectRoot, 'node_modules', 'mocha', 'bin', 'mocha.js');
  return runToExit(process.execPath, [mocha, ...mochaArguments(args)], { cwd: projectRoot, env });
});

// mocha adds the files it is given to those of its configuration, so naming files means leaving the configuration out.
function mochaArguments(args) {
  const named = args.map((arg) => arg.replace(/^(?:\.\/)?test\/(.*)\.test\.mts$/, 'build/test/$1.test.mjs'));
  if (!named.some((arg) => arg.endsWith('.test.mjs'))) return named;
  const { spec: _all, ...settings } = JSON.parse(readFileSync(join(projectRoot, '.mocharc.json'), 'utf8'));
  return [
    '--no-config',
    ...Object.entries(settings).map(([name, value]) => `--${name}${value === true ? '' : `=${value}`}`),
    ...named,
  ];
}
