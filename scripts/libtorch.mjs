// Finds LibTorch, or installs it into the user's cache with pip. As a command: prints where it is.
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { outputOf, run } from './provision/command.mjs';
import { isAlive, withLock } from './provision/lock.mjs';
import { isMain, ProvisionError, runMain } from './provision/main.mjs';
import { cacheFolder, readJson, writeJson } from './provision/paths.mjs';

export const LIBTORCH_VERSION = '2.13.0';
const SUPPORTED_MINORS = [11, 14];
const FLAVOURS = ['cpu', 'cuda'];
const SPACE_NEEDED = { cpu: 2e9, cuda: 12e9 };
const KEPT = new Set(['lib', 'include', 'share', 'version.py']);

/**
 * The LibTorch to build against, as `{ path, version, flavour, source }`: the one LIBTORCH names, else the cached one of
 * AIFORGE_FLAVOUR (`cpu` by default), else one that pip installs into the cache. Throws ProvisionError.
 */
export async function findOrInstallLibTorch() {
  const found = findLibTorch();
  if (found) return found;
  const flavour = requestedFlavour();
  await withLock(`${cachedRoot(flavour)}.lock`, () => findLibTorch() ?? installWithPip(flavour));
  return findLibTorch();
}

/** The LibTorch that is already there, or null. Throws ProvisionError when LIBTORCH names something unusable. */
export function findLibTorch() {
  const named = process.env.LIBTORCH;
  if (named) return { ...inspectLibTorch(resolve(named)), source: 'LIBTORCH' };
  const flavour = requestedFlavour();
  const root = cachedRoot(flavour);
  const stamp = readJson(join(root, 'stamp.json'));
  if (stamp?.version !== LIBTORCH_VERSION || stamp.flavour !== flavour) return null;
  return { path: join(root, 'torch'), version: stamp.version, flavour, source: 'cache' };
}

/** Reads version and flavour of an unpacked LibTorch or of a `site-packages/torch`; throws ProvisionError if it is neither. */
export function inspectLibTorch(path) {
  const header = join(path, 'include/torch/headeronly/version.h');
  const library = join(path, 'lib', 'libtorch_cpu.so');
  if (!existsSync(header) || !existsSync(library)) {
    throw new ProvisionError(
      `LIBTORCH=${path} is not a usable LibTorch: ${existsSync(header) ? library : header} is missing. ` +
        `Set it to an unpacked LibTorch ${supportedRange()} or to a Python's site-packages/torch, or unset it.`,
    );
  }
  const version = readFileSync(header, 'utf8').match(/#define TORCH_VERSION\s*\\?\s*"([\d.]+)"/)?.[1] ?? 'unknown';
  const [major, minor] = version.split('.').map(Number);
  if (major !== 2 || !(minor >= SUPPORTED_MINORS[0] && minor <= SUPPORTED_MINORS[1])) {
    throw new ProvisionError(
      `${path} is LibTorch ${version}; aiforge builds against ${supportedRange()}. ` +
        `Set LIBTORCH to one of those, or unset it to have ${LIBTORCH_VERSION} installed.`,
    );
  }
  return { path, version, flavour: existsSync(join(path, 'lib', 'libtorch_cuda.so')) ? 'cuda' : 'cpu' };
}

function supportedRange() {
  return `2.${SUPPORTED_MINORS[0]} to 2.${SUPPORTED_MINORS[1]}`;
}

function requestedFlavour() {
  const flavour = process.env.AIFORGE_FLAVOUR || 'cpu';
  if (!FLAVOURS.includes(flavour)) {
    throw new ProvisionError(`AIFORGE_FLAVOUR=${flavour} is unknown. Set it to cpu or cuda, or unset it for cpu.`);
  }
  return flavour;
}

function cachedRoot(flavour) {
  return join(cacheFolder(), `libtorch-${LIBTORCH_VERSION}-${flavour}`);
}

async function installWithPip(flavour) {
  const cache = cacheFolder();
  mkdirSync(cache, { recursive: true });
  removeLeftovers(cache);
  requirePip();
  await requireSpace(cache, SPACE_NEEDED[flavour]);
  const temporary = join(cache, `tmp-${process.pid}-${hostname()}`);
  const remove = () => rmSync(temporary, { recursive: true, force: true });
  process.on('exit', remove);
  try {
    console.log(`  installing LibTorch ${LIBTORCH_VERSION} (${flavour}) into ${cachedRoot(flavour)}`);
    await pipInstall(temporary, flavour);
    keepOnlyLibTorch(temporary);
    requireFlavour(join(temporary, 'torch'), flavour);
    writeJson(join(temporary, 'stamp.json'), { version: LIBTORCH_VERSION, flavour });
    // Whatever is there has no valid stamp, or this would not run.
    rmSync(cachedRoot(flavour), { recursive: true, force: true });
    renameSync(temporary, cachedRoot(flavour));
  } finally {
    process.off('exit', remove);
    remove();
  }
}

// An install that was killed leaves its folder behind; a living process's is its own.
function removeLeftovers(cache) {
  for (const name of readdirSync(cache)) {
    const [, pid, host] = /^tmp-(\d+)-(.*)$/.exec(name) ?? [];
    if (pid && !isAlive(Number(pid), host)) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

function requirePip() {
  if (outputOf('python3', ['-m', 'pip', '--version'])) return;
  const missing = outputOf('python3', ['--version']) ? 'python3 has no pip' : 'there is no python3';
  throw new ProvisionError(
    `LibTorch ${LIBTORCH_VERSION} is not installed, and ${missing} to install it with. Either install python3 with pip ` +
      '(on Debian: apt-get install python3 python3-pip), or set LIBTORCH to an unpacked LibTorch or a site-packages/torch.',
  );
}

async function requireSpace(folder, needed) {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  const gigabytes = (bytes) => (bytes / 1e9).toFixed(1);
  throw new ProvisionError(
    `${folder} has ${gigabytes(bavail * bsize)} GB free; installing LibTorch needs ${gigabytes(needed)} GB. ` +
      'Free some space, or set XDG_CACHE_HOME to a folder on a larger disk.',
  );
}

// The CPU wheel needs no other package. The CUDA one loads the nvidia-* wheels that its dependencies bring, from the
// folder next to torch/. They lack two folders of CUDA's headers that torch's own need, which have wheels of their own.
const CUDA_PACKAGES = ['nvidia-cuda-crt==13.0.*', 'nvidia-cuda-cccl==13.0.*'];

async function pipInstall(target, flavour) {
  const args = ['-m', 'pip', 'install', '--no-compile', '--only-binary=:all:', '--target', target];
  // `==2.13.0` would take a wheel called 2.13.0+cpu before that of the registry; `===` takes the very name.
  if (flavour === 'cpu') args.push('--no-deps', `torch==${LIBTORCH_VERSION}`);
  else args.push(`torch===${LIBTORCH_VERSION}`, ...CUDA_PACKAGES);
  // pip unpacks into the temporary folder first: keep that on the disk whose space was checked, and easy to clear.
  const scratch = join(target, '.scratch');
  mkdirSync(scratch, { recursive: true });
  const { status, tail } = await run('python3', args, { onLine: () => {}, env: { ...process.env, TMPDIR: scratch } });
  rmSync(scratch, { recursive: true, force: true });
  if (status === 0) return;
  throw new ProvisionError(
    `pip could not install torch==${LIBTORCH_VERSION}:\n${tail
      .slice(-8)
      .map((line) => `    ${line}`)
      .join('\n')}\n` +
      'Check the network and that this Python has a wheel of it, then run the command again; or set LIBTORCH to an ' +
      'unpacked LibTorch or a site-packages/torch.',
  );
}

function keepOnlyLibTorch(root) {
  for (const name of readdirSync(root)) {
    if (name !== 'torch' && name !== 'nvidia') rmSync(join(root, name), { recursive: true, force: true });
  }
  for (const name of readdirSync(join(root, 'torch'))) {
    if (!KEPT.has(name)) rmSync(join(root, 'torch', name), { recursive: true, force: true });
  }
}

function requireFlavour(path, flavour) {
  const got = inspectLibTorch(path).flavour;
  if (got === flavour) return;
  throw new ProvisionError(
    flavour === 'cpu'
      ? 'pip gave the CUDA build of torch. Point pip at the CPU wheels (PIP_FIND_LINKS or PIP_INDEX_URL), set LIBTORCH to ' +
          'a CPU LibTorch, or set AIFORGE_FLAVOUR=cuda to use CUDA.'
      : 'pip gave the CPU build of torch. Point pip at the CUDA wheels (PIP_INDEX_URL), set LIBTORCH to a CUDA LibTorch, ' +
          'or unset AIFORGE_FLAVOUR.',
  );
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const { path, version, flavour } = await findOrInstallLibTorch();
    console.log(`LibTorch ${version} (${flavour}) in ${path}`);
  });
}
