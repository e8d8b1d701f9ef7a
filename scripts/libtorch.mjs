// Finds LibTorch, or installs it into the user's cache with pip. As a command: prints where it is.
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { LIBTORCH_VERSION, cachedRoot, findLibTorch, inspectLibTorch, requestedFlavour } from './locate/libtorch.cjs';
import { isAlive, withLock } from './provision/lock.mjs';
import { isMain, ProvisionError, runMain } from './provision/main.mjs';
import { cacheFolder, writeJson } from './provision/paths.mjs';
import { requireSpace } from './provision/space.mjs';
import { requirePip, unpackWheel } from './provision/wheel.mjs';

const SPACE_NEEDED = { cpu: 2e9, cuda: 12e9 };
const KEPT = new Set(['lib', 'include', 'share', 'version.py']);

/**
 * The LibTorch to use, as `{ path, version, flavour, source }`: the one LIBTORCH names, else the cached one of
 * AIFORGE_FLAVOUR (`cpu` by default), else one that pip installs into the cache. Throws ProvisionError.
 */
export async function findOrInstallLibTorch() {
  const found = findLibTorch();
  if (found) return found;
  const flavour = requestedFlavour();
  await withLock(`${cachedRoot(flavour)}.lock`, () => findLibTorch() ?? installWithPip(flavour));
  return findLibTorch();
}

async function installWithPip(flavour) {
  const cache = cacheFolder();
  mkdirSync(cache, { recursive: true });
  removeLeftovers(cache);
  requirePip();
  await requireSpace(cache, SPACE_NEEDED[flavour], 'LibTorch');
  const temporary = join(cache, `tmp-${process.pid}-${hostname()}`);
  const remove = () => rmSync(temporary, { recursive: true, force: true });
  process.on('exit', remove);
  try {
    console.log(`  installing LibTorch ${LIBTORCH_VERSION} (${flavour}) into ${cachedRoot(flavour)}`);
    await unpackWheel(temporary, flavour);
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
    `pip gave the ${got} build of torch, and the ${flavour} build is asked for. Set AIFORGE_TORCH_INDEX to an index that ` +
      `has it, set LIBTORCH to a LibTorch of that kind, or set AIFORGE_FLAVOUR=${got}.`,
    'LIBTORCH_NOT_FOUND',
  );
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const { path, version, flavour } = await findOrInstallLibTorch();
    console.log(`LibTorch ${version} (${flavour}) in ${path}`);
  });
}
