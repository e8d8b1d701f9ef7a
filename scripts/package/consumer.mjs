// A project that installs the packed packages and uses them.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, run, which } from '../provision/command.mjs';
import { ProvisionError } from '../provision/main.mjs';
import { consumerFiles } from './consumerFiles.mjs';

/** What a user's machine has: no compiler, no cmake. */
const PROGRAMS = ['sh', 'node', 'npm', 'npx', 'python3'];

/**
 * Installs the tarballs into an empty project in `folder`, with an empty cache and a PATH without compilers, and runs programs
 * of every kind. Throws ProvisionError at the first that does not do what it should.
 */
export async function checkConsumer(folder, tarballs, { name, flavour, version, entries, tools }) {
  const consumer = makeConsumer(folder);
  writeFiles(folder, consumerFiles(entries));
  const install = ['npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', '--foreground-scripts'];
  const start = performance.now();
  await consumer.passes('npm install of the tarballs', [...install, ...tarballs, ...tools]);
  report(folder, (performance.now() - start) / 1000);

  const tsc = join('node_modules', '.bin', 'tsc');
  const uses = [
    ['import', ['node', 'use.mjs']],
    ['require', ['node', 'use.cjs']],
    ['a worker', ['node', 'worker.mjs']],
    ['types', ['node', tsc, '-p', '.']],
    ['TypeScript, compiled and run', ['node', 'use-types.mjs']],
    ['a new plugin', ['npx', 'aiforge', 'new', 'plugin', 'begun']],
    ['the test of the new plugin', ['node', '--test', join('test', 'begun.test.mjs')]],
  ];
  for (const [what, command] of uses) await consumer.passes(what, command);
  const doctor = ['npx', 'aiforge', 'doctor'];
  if (flavour === 'cpu' || which('nvidia-smi')) await consumer.passes('aiforge doctor', doctor);
  else
    await consumer.fails('aiforge doctor, without a GPU', doctor, [`prebuilt, of ${name}`, 'no device', 'nvidia-smi']);
  await checkRemedies(consumer, { name, flavour, version });
}

/** Takes away what a user may be without: each time an error says what to do, and doing it mends the matter. */
async function checkRemedies(consumer, { name, flavour, version }) {
  const { folder } = consumer;
  const use = ['node', 'use.mjs'];
  const withoutLibTorch = { XDG_CACHE_HOME: join(folder, 'other-cache') };
  await consumer.fails('import without LibTorch', use, ['LIBTORCH_NOT_FOUND', 'npx aiforge setup'], withoutLibTorch);
  await consumer.passes('aiforge setup', ['npx', 'aiforge', 'setup'], withoutLibTorch);
  await consumer.passes('import after it', use, withoutLibTorch);
  const offline = {
    XDG_CACHE_HOME: join(folder, 'no-cache'),
    PIP_NO_INDEX: '1',
    PIP_FIND_LINKS: '',
    PIP_CONFIG_FILE: '/dev/null',
  };
  const setup = ['npx', 'aiforge', 'setup'];
  await consumer.fails('aiforge setup, offline', setup, ['LIBTORCH_NOT_FOUND', 'linux-x64', 'LIBTORCH to'], offline);
  const source = { AIFORGE_BUILD: 'source' };
  await consumer.fails(
    'aiforge setup from source, without compilers',
    setup,
    ['ADDON_NOT_LOADED', 'g++ and cmake and make'],
    source,
  );
  rmSync(join(folder, 'node_modules', name), { recursive: true });
  const install = flavour === 'cpu' ? '--include=optional' : `npm install ${name}@${version}`;
  const missing = ['ADDON_NOT_LOADED', `${name} ${version}`, install, 'AIFORGE_BUILD=source'];
  const asked = { AIFORGE_FLAVOUR: flavour };
  await consumer.fails(`import without ${name}`, use, missing, asked);
  await consumer.fails(`npm rebuild without ${name}`, ['npm', 'rebuild', 'aiforge'], missing, asked);
}

function makeConsumer(folder) {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const program of PROGRAMS) symlinkSync(realProgram(program), join(bin, program));
  const {
    LIBTORCH: _libtorch,
    AIFORGE_FLAVOUR: _flavour,
    AIFORGE_BUILD: _build,
    CXX: _compiler,
    ...inherited
  } = process.env;
  const base = { ...inherited, PATH: bin, XDG_CACHE_HOME: join(folder, 'cache') };
  const start = async (what, command, changes, onLine) => {
    console.log(`- ${what}`);
    return run(command[0], command.slice(1), { cwd: folder, env: { ...base, ...changes }, onLine });
  };
  return {
    folder,
    async passes(what, command, changes) {
      const { status } = await start(what, command, changes);
      if (status !== 0)
        throw new ProvisionError(`the package check "${what}" failed (${status}); its output is above.`);
    },
    async fails(what, command, parts, changes) {
      const { status, tail } = await start(what, command, changes, () => {});
      const missing = parts.filter((part) => !tail.some((line) => line.includes(part)));
      if (status !== 0 && missing.length === 0) return;
      const wrong = status === 0 ? 'it succeeded' : `its error does not say ${missing.join(' nor ')}`;
      throw new ProvisionError(`the package check "${what}" failed: ${wrong}:\n${tail.join('\n')}`);
    },
  };
}

// Python may be a shim that needs a shell's tools.
function realProgram(program) {
  if (program === 'python3') return outputOf('python3', ['-c', 'import sys; print(sys.executable)']);
  return which(program);
}

function writeFiles(folder, files) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

function report(folder, seconds) {
  const size = (...path) => outputOf('du', ['-sk', join(folder, ...path)]).split('\t')[0] / 1000;
  const modules = ['aiforge', '@aiforge'].map((name) => `${name} ${size('node_modules', name).toFixed(1)} MB`);
  const sizes = [...modules, `LibTorch ${size('cache').toFixed(0)} MB in the user's cache`];
  console.log(`  ${seconds.toFixed(1)} s; ${sizes.join(', ')}`);
}
