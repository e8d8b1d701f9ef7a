import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { run, which } from './command.mjs';
import { ProvisionError } from './main.mjs';
import { withLock } from './lock.mjs';
import {
  addonFile,
  addonFolder,
  addonRecord,
  fingerprint,
  listFiles,
  projectRoot,
  readJson,
  writeJson,
} from './paths.mjs';

const require = createRequire(import.meta.url);

/** Builds the addon against the given LibTorch unless it is up to date; resolves to whether it built. */
export async function buildAddon(libtorch) {
  if (isBuilt(libtorch)) return false;
  requireTools();
  await withLock(join(projectRoot, 'build', 'addon.lock'), async () => {
    if (!isBuilt(libtorch)) await configureAndCompile(libtorch);
  });
  return true;
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
  const headers = ['node-api-headers', 'node-addon-api'].map((name) => require(`${name}/package.json`).version);
  return {
    path,
    version,
    flavour,
    headers,
    compiler: process.env.CXX ?? '',
    platform: `${process.platform}-${process.arch}`,
  };
}

function requireTools() {
  const missing = [];
  if (process.env.CXX ? !which(process.env.CXX) : !which('g++') && !which('clang++'))
    missing.push(process.env.CXX || 'g++');
  if (!which('cmake')) missing.push('cmake');
  if (!which('ninja') && !which('make')) missing.push('make');
  if (missing.length === 0) return;
  throw new ProvisionError(
    `the native part cannot be compiled: ${missing.join(' and ')} not found on PATH. ` +
      `Install ${missing.length > 1 ? 'them' : 'it'} (on Debian: apt-get install ${missing.join(' ')}) and run the command again.`,
  );
}

async function configureAndCompile(libtorch) {
  const sources = sourcesOf(libtorch);
  const configuration = JSON.stringify(configurationOf(libtorch));
  const marker = join(addonFolder, 'configured.json');
  rmSync(addonRecord, { force: true });
  if (readJson(marker)?.configuration !== configuration) {
    // CMake would keep half of a cache made for another LibTorch, compiler or generator.
    for (const name of ['CMakeCache.txt', 'CMakeFiles'])
      rmSync(join(addonFolder, name), { recursive: true, force: true });
    await cmakeJs('configure', [`--CDAIFORGE_LIBTORCH=${libtorch.path}`, `--CDAIFORGE_FLAVOUR=${libtorch.flavour}`]);
    writeJson(marker, { configuration });
  }
  await cmakeJs('build', ['--parallel', String(availableParallelism())]);
  const { path, version, flavour } = libtorch;
  writeJson(addonRecord, { path, version, flavour, sources });
}

async function cmakeJs(command, args) {
  const bin = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  const options = [bin, command, '--directory', projectRoot, '--out', addonFolder, '--log-level', 'warn'];
  const { status, tail } = await run(process.execPath, [...options, ...args], {
    cwd: projectRoot,
    onLine: showProgress,
    env: { ...process.env, ...ccacheSettings },
  });
  if (status === 0) return;
  const last = command === 'configure' ? `\n${tail.join('\n')}` : ' The compiler says above why.';
  throw new ProvisionError(`the native part did not compile (cmake-js ${command}: ${status}).${last}`);
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
