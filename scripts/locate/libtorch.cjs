// Finds the LibTorch of this machine. It installs nothing: scripts/libtorch.mjs does.
'use strict';
const { existsSync, readFileSync } = require('node:fs');
const { join, resolve } = require('node:path');
const { ProvisionError } = require('./failure.cjs');
const { addonPackage, recordOf } = require('./packages.cjs');
const { cacheFolder, readJson } = require('./paths.cjs');

const LIBTORCH_VERSION = '2.13.0';
const SUPPORTED_MINORS = [11, 14];
const FLAVOURS = ['cpu', 'cuda'];

/**
 * The LibTorch that is there, as `{ path, version, flavour, source }`: the one LIBTORCH names, else the cached one of the
 * requested flavour, else null. Throws ProvisionError when LIBTORCH names something unusable.
 */
function findLibTorch() {
  const named = process.env.LIBTORCH;
  if (named) return { ...requireAsked(inspectLibTorch(resolve(named))), source: 'LIBTORCH' };
  const flavour = requestedFlavour();
  const root = cachedRoot(flavour);
  const stamp = readJson(join(root, 'stamp.json'));
  if (stamp?.version !== LIBTORCH_VERSION || stamp.flavour !== flavour) return null;
  return { path: join(root, 'torch'), version: stamp.version, flavour, source: 'cache' };
}

/** Reads version and flavour of an unpacked LibTorch or of a `site-packages/torch`; throws ProvisionError if it is neither. */
function inspectLibTorch(path) {
  const header = join(path, 'include/torch/headeronly/version.h');
  const library = join(path, 'lib', 'libtorch_cpu.so');
  if (!existsSync(header) || !existsSync(library)) {
    throw new ProvisionError(
      `LIBTORCH=${path} is not a usable LibTorch: ${existsSync(header) ? library : header} is missing. ` +
        `Set it to an unpacked LibTorch ${supportedRange()} or to a Python's site-packages/torch, or unset it.`,
      'LIBTORCH_NOT_FOUND',
    );
  }
  const version = readFileSync(header, 'utf8').match(/#define TORCH_VERSION\s*\\?\s*"([\d.]+)"/)?.[1] ?? 'unknown';
  const [major, minor] = version.split('.').map(Number);
  if (major !== 2 || !(minor >= SUPPORTED_MINORS[0] && minor <= SUPPORTED_MINORS[1])) {
    throw new ProvisionError(
      `${path} is LibTorch ${version}; aiforge builds against ${supportedRange()}. ` +
        `Set LIBTORCH to one of those, or unset it to have ${LIBTORCH_VERSION} installed.`,
      'LIBTORCH_NOT_FOUND',
    );
  }
  return { path, version, flavour: existsSync(join(path, 'lib', 'libtorch_cuda.so')) ? 'cuda' : 'cpu' };
}

function requireAsked(libtorch) {
  const asked = askedFlavour();
  if (asked === null || asked === libtorch.flavour) return libtorch;
  throw new ProvisionError(
    `LIBTORCH=${libtorch.path} is the ${libtorch.flavour} build of LibTorch, and AIFORGE_FLAVOUR=${asked} asks for the other. ` +
      `Set LIBTORCH to one of that kind, or unset one of the two.`,
    'CONFIG_INVALID',
  );
}

function supportedRange() {
  return `2.${SUPPORTED_MINORS[0]} to 2.${SUPPORTED_MINORS[1]}`;
}

/** The flavour that AIFORGE_FLAVOUR asks for, or null. */
function askedFlavour() {
  const flavour = process.env.AIFORGE_FLAVOUR || null;
  if (flavour === null || FLAVOURS.includes(flavour)) return flavour;
  throw new ProvisionError(
    `AIFORGE_FLAVOUR=${flavour} is unknown. Set it to cpu or cuda, or unset it.`,
    'CONFIG_INVALID',
  );
}

/** The flavour to use: that of AIFORGE_FLAVOUR, else `cuda` where its package was added, which npm does not by itself, else `cpu`. */
function requestedFlavour() {
  return askedFlavour() ?? (recordOf(addonPackage('cuda')) === null ? 'cpu' : 'cuda');
}

/** Where the cache keeps LibTorch of a flavour. */
function cachedRoot(flavour) {
  return join(cacheFolder(), `libtorch-${LIBTORCH_VERSION}-${flavour}`);
}

module.exports = { LIBTORCH_VERSION, cachedRoot, askedFlavour, findLibTorch, inspectLibTorch, requestedFlavour };
