// A project that tests code on aiforge with jest, vitest and node:test, and bundles it.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../provision/command.mjs';
import { ProvisionError } from '../provision/main.mjs';
import { projectRoot } from '../provision/paths.mjs';
import { POOLS, runnerFiles } from './runnerFiles.mjs';

const here = join(projectRoot, 'scripts', 'package', 'runners');

// The paths that a module of Node's has and one in a bundle of ES modules has not.
const banner =
  "import { createRequire } from 'node:module'; import { fileURLToPath } from 'node:url'; " +
  'const require = createRequire(import.meta.url), __filename = fileURLToPath(import.meta.url), ' +
  "__dirname = fileURLToPath(new URL('.', import.meta.url));";

/** Installs the tarballs beside the test runners and runs their tests. Throws ProvisionError at the first that fails. */
export async function checkRunners(folder, tarballs, { name }) {
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(here, file), join(folder, file));
  for (const [file, text] of Object.entries(runnerFiles)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const passes = async (what, ...command) => {
    const { status, tail } = await start(folder, what, command);
    if (status !== 0) throw new ProvisionError(`the package check "${what}" failed (${status}):\n${tail.join('\n')}`);
    return tail.join('\n');
  };
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline'];
  await passes('npm ci of the test runners', 'npm', 'ci', ...quiet);
  await passes('npm install of the tarballs beside them', 'npm', 'install', '--no-save', ...quiet, ...tarballs);
  const jest = ['node', join('node_modules', 'jest', 'bin', 'jest.js'), '--ci=false'];
  for (const how of ['--runInBand', '--maxWorkers=2']) {
    const told = await passes(`jest ${how}`, ...jest, how);
    if (/did not exit|failed to exit/.test(told))
      throw new ProvisionError(`jest could not end what it started:\n${told}`);
  }
  const vitest = ['node', join('node_modules', 'vitest', 'vitest.mjs'), 'run', '--update'];
  for (const pool of POOLS) await passes(`vitest, ${pool}`, ...vitest, '--pool', pool);
  await passes('node:test', 'node', '--test', join('node', 'a.test.mjs'));
  await passes(
    'types of the matchers',
    'node',
    join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    '.',
  );
  await checkBundles(folder, passes, name);
}

async function checkBundles(folder, passes, name) {
  const bundle = async (what, file, ...options) => {
    const esbuild = [join('node_modules', '.bin', 'esbuild'), 'bundle/use.mjs', '--bundle', '--platform=node'];
    await passes(`esbuild, ${what}`, ...esbuild, `--outfile=${file}`, '--log-level=error', ...options);
  };
  const runs = async (what, file) => {
    const printed = await passes(what, 'node', file);
    if (printed.trim() !== '3,3 1')
      throw new ProvisionError(`the package check "${what}" failed: it printed ${printed}`);
  };
  await bundle('aiforge left out', 'bundle/out/external.cjs', '--external:aiforge');
  await runs('the bundle', 'bundle/out/external.cjs');
  await passes('webpack', 'node', '-e', "require('webpack')(require('./webpack.config.cjs'), (e, s) => { if (e || s.hasErrors()) process.exit(1); })"); // prettier-ignore
  await runs('the bundle', 'bundle/out/webpack.cjs');
  await bundle('aiforge in the bundle', 'bundle/out/whole.cjs', '--minify');
  await runs('the bundle beside node_modules', 'bundle/out/whole.cjs');
  await checkAway(folder, bundle, runs, name);
}

/** Bundles where no `node_modules` is found from. */
async function checkAway(folder, bundle, runs, name) {
  const away = join(folder, '..', 'away');
  await bundle('aiforge in a bundle elsewhere', join(away, 'whole.cjs'));
  const { status, tail } = await start(folder, 'the bundle without its addon', ['node', join(away, 'whole.cjs')]);
  const told = tail.join('\n');
  for (const part of ['ADDON_NOT_LOADED', away, '--external:aiforge', name, 'aiforge.node and addon.json']) {
    if (status !== 0 && told.includes(part)) continue;
    throw new ProvisionError(`a bundle without its addon does not say ${part}:\n${told}`);
  }
  for (const file of ['aiforge.node', 'addon.json']) {
    copyFileSync(join(folder, 'node_modules', name, file), join(away, file));
  }
  await runs('the bundle with the addon beside it', join(away, 'whole.cjs'));
  await bundle('as an ES module', join(away, 'whole.mjs'), '--format=esm', `--banner:js=${banner}`);
  await runs('the ES module', join(away, 'whole.mjs'));
}

async function start(folder, what, command) {
  console.log(`- ${what}`);
  return run(command[0], command.slice(1), { cwd: folder, onLine: () => {} });
}
