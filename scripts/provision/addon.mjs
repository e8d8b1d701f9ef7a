import { existsSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { TOO_LATE, limited, run, which } from './command.mjs';
import { ProvisionError } from './main.mjs';
import { withLock } from './lock.mjs';
import {
  addonFile,
  addonFolder,
  addonRecord,
  fingerprint,
  isCheckout,
  listFiles,
  projectRoot,
  readJson,
  writeJson,
} from './paths.mjs';

const require = createRequire(import.meta.url);

const HEADERS = ['node-api-headers', 'node-addon-api'];

/** Builds the addon against the given LibTorch unless it is up to date; resolves to whether it built. `why` is shown. */
export async function buildAddon(libtorch, why) {
  if (isBuilt(libtorch)) return false;
  requireTools(why);
  await withLock(join(projectRoot, 'build', 'addon.lock'), async () => {
    if (isBuilt(libtorch)) return;
    console.log(`  compiling the addon for LibTorch ${libtorch.version} (${libtorch.flavour}), since ${why}`);
    await configureAndCompile(libtorch);
    if (!isCheckout) removeObjects();
  });
  return true;
}

/** Links the built addon anew for the package of a prebuilt one; resolves to its file. */
export async function buildPrebuilt() {
  // An addon may have been copied here without what it was built from.
  if (!existsSync(join(addonFolder, 'CMakeCache.txt'))) await configureAndCompile(readJson(addonRecord));
  await cmakeJs('build', ['--target', 'prebuilt', ...inParallel]);
  return join(addonFolder, 'prebuilt', 'aiforge.node');
}

/**
 * Compiles the sources in another folder, without linking them; resolves to whether that was done within so many seconds.
 * Throws ProvisionError where the compiler refuses them.
 */
export async function compileOnly(libtorch, folder, seconds) {
  await configure(libtorch, folder);
  return cmakeJs('build', ['--target', 'objects', ...inParallel], { folder, seconds });
}

// Only a checkout is compiled again bit by bit.
function removeObjects() {
  for (const name of readdirSync(addonFolder)) {
    const path = join(addonFolder, name);
    if (path !== dirname(addonFile) && path !== addonRecord) rmSync(path, { recursive: true, force: true });
  }
}

function isBuilt(libtorch) {
  const record = readJson(addonRecord);
  return record?.sources === sourcesOf(libtorch) && existsSync(addonFile);
}

function sourcesOf(libtorch) {
  const files = [join(projectRoot, 'CMakeLists.txt'), ...listFiles(join(projectRoot, 'native'), /\.(cc|h|hpp)$/)];
  return fingerprint(files, configurationOf(libtorch));
}

function configurationOf({ path, version, flavour }) {
  const headers = HEADERS.map((name) => require(`${name}/package.json`).version);
  return {
    path,
    version,
    flavour,
    headers,
    compiler: process.env.CXX ?? '',
    platform: `${process.platform}-${process.arch}`,
  };
}

/** Throws ProvisionError that names every missing tool, and `why` they are needed. */
export function requireTools(why) {
  const missing = [];
  if (process.env.CXX ? !which(process.env.CXX) : !which('g++') && !which('clang++'))
    missing.push(process.env.CXX || 'g++');
  if (!which('cmake')) missing.push('cmake');
  if (!which('ninja') && !which('make')) missing.push('make');
  if (missing.length === 0) return requireCmakeJs(why);
  throw new ProvisionError(
    `the addon is to be compiled, since ${why}, and ${missing.join(' and ')} not found on PATH. ` +
      `Install ${missing.length > 1 ? 'them' : 'it'} (on Debian: apt-get install ${missing.join(' ')}) and run the command again.`,
    'ADDON_NOT_LOADED',
  );
}

/** A package that is installed has it only where somebody wants to compile. */
function requireCmakeJs(why) {
  try {
    require.resolve('cmake-js/package.json');
  } catch {
    throw new ProvisionError(
      `the addon is to be compiled, since ${why}, and the package cmake-js is not installed. ` +
        'Install it (npm install cmake-js) and run the command again.',
      'ADDON_NOT_LOADED',
    );
  }
}

async function configureAndCompile(libtorch) {
  const sources = sourcesOf(libtorch);
  const configuration = configurationOf(libtorch);
  const marker = join(addonFolder, 'configured.json');
  rmSync(addonRecord, { force: true });
  if (JSON.stringify(readJson(marker)) !== JSON.stringify(configuration)) {
    // CMake would keep half of a cache made for another LibTorch, compiler or generator.
    for (const name of ['CMakeCache.txt', 'CMakeFiles'])
      rmSync(join(addonFolder, name), { recursive: true, force: true });
    await configure(configuration, addonFolder);
    writeJson(marker, configuration);
  }
  await cmakeJs('build', inParallel);
  const { path, version, flavour } = libtorch;
  writeJson(addonRecord, { path, version, flavour, sources });
}

function configure({ path, flavour }, folder) {
  const variables = {
    AIFORGE_LIBTORCH: path,
    AIFORGE_FLAVOUR: flavour,
    AIFORGE_HEADERS: HEADERS.map((name) => resolve(require(name).include_dir)).join(';'),
  };
  return cmakeJs(
    'configure',
    Object.entries(variables).map(([name, value]) => `--CD${name}=${value}`),
    { folder },
  );
}

const inParallel = ['--parallel', String(availableParallelism())];

async function cmakeJs(command, args, { folder = addonFolder, seconds = Infinity } = {}) {
  const bin = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  const options = [bin, command, '--directory', projectRoot, '--out', folder, '--log-level', 'warn'];
  const whole = [process.execPath, [...options, ...args]];
  const { status, tail } = await run(...(seconds === Infinity ? whole : limited(seconds, ...whole)), {
    cwd: projectRoot,
    onLine: showProgress,
    env: { ...process.env, ...ccacheSettings },
  });
  if (status === 0) return true;
  if (status === TOO_LATE && seconds !== Infinity) return false;
  const reason = command === 'configure' ? `\n${tail.join('\n')}` : ' The compiler says above why.';
  throw new ProvisionError(
    `the native part did not compile (cmake-js ${command}: ${status}).${reason}`,
    'ADDON_NOT_LOADED',
  );
}

// The same sources hit the cache from any checkout or install, precompiled headers included.
const ccacheSettings = {
  CCACHE_BASEDIR: projectRoot,
  CCACHE_NOHASHDIR: '1',
  CCACHE_SLOPPINESS: 'pch_defines,time_macros,include_file_mtime,include_file_ctime',
};

const NOISE =
  /^(-- |\[\s*[\d/%]+\] |ninja: |g?make\b|Consolidate|Scanning|Not searching|ERROR OMG|FAILED: |\S*\bccache |\S+\+\+ -D|\s*$)/;

// One short line a compiled unit; the compiler's own words in full; nothing of CMake's.
function showProgress(line) {
  const [, place, unit] = /^\[\s*([\d/%]+)\] (?:Building|Linking) CXX .*?([^/\s]+)$/.exec(line) ?? [];
  if (unit) console.log(`  [${place}] ${basename(unit, '.o')}`);
  else if (!NOISE.test(line)) console.log(line);
}
