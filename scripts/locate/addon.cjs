// Finds the addon: the one that was compiled in this folder, else the prebuilt one that npm chose for this platform.
'use strict';
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { ProvisionError } = require('./failure.cjs');
const { LIBTORCH_VERSION, findLibTorch, requestedFlavour } = require('./libtorch.cjs');
const { addonFile, addonRecord, isCheckout, projectRoot, readJson } = require('./paths.cjs');
const { glibcVersion, platform, requirePlatform } = require('./platform.cjs');

/** The command that sets up what is missing. */
const setUp = isCheckout ? `node ${join(projectRoot, 'scripts', 'build.mjs')}` : 'npx aiforge setup';

/**
 * The addon to load, as `{ origin, file, libraries, record, libtorch }`. `origin` is `source` or the name of a package;
 * `libraries` are the files of LibTorch to load before it, since a prebuilt addon does not know where they are.
 * Throws ProvisionError.
 */
function findAddon() {
  if (existsSync(addonFile)) {
    const record = readJson(addonRecord);
    return { origin: 'source', file: addonFile, libraries: [], record, libtorch: record };
  }
  const libtorch = findLibTorch();
  const prebuilt = findPrebuilt(libtorch ?? wantedLibTorch());
  if (prebuilt.misfit) {
    requirePlatform();
    throw new ProvisionError(
      `the addon is not compiled, and no prebuilt one fits: ${prebuilt.misfit}. Run: ${setUp}`,
      'ADDON_NOT_LOADED',
    );
  }
  if (libtorch === null) {
    throw new ProvisionError(
      `LibTorch ${LIBTORCH_VERSION} (${requestedFlavour()}) is not installed. Run: ${setUp} ` +
        '(or set LIBTORCH to an unpacked LibTorch or a site-packages/torch)',
      'LIBTORCH_NOT_FOUND',
    );
  }
  const { name, file, record } = prebuilt;
  const libraries = record.libraries.map((library) => join(libtorch.path, 'lib', library));
  return { origin: name, file, libraries, record, libtorch };
}

/** The LibTorch that an install will bring: its version and flavour. */
function wantedLibTorch() {
  return { version: LIBTORCH_VERSION, flavour: requestedFlavour() };
}

/**
 * The prebuilt addon for a LibTorch, as `{ name, file, record }`, or `{ name, misfit }` with the reason why none fits.
 * Throws ProvisionError when there is one that was not installed, or one of another version.
 */
function findPrebuilt({ version, flavour }) {
  const name = `@aiforge/${platform}${flavour === 'cpu' ? '' : `-${flavour}`}`;
  const manifest = readJson(join(projectRoot, 'package.json'));
  const recordFile = resolveOrNull(`${name}/addon.json`);
  if (recordFile === null) {
    if (manifest.optionalDependencies?.[name] === undefined || glibcVersion() === null) {
      return { name, misfit: `there is none for ${platform}, ${flavour}` };
    }
    throw new ProvisionError(
      `the package ${name} ${manifest.version}, which has the addon for this platform, is not installed: optional ` +
        `dependencies were left out. Run: npm install --include=optional, or, to compile the addon: AIFORGE_BUILD=source ${setUp}`,
      'ADDON_NOT_LOADED',
    );
  }
  const record = readJson(recordFile);
  if (record?.aiforge !== manifest.version) {
    throw new ProvisionError(
      `${name} is of version ${record?.aiforge}, and aiforge of ${manifest.version}. ` +
        `Install them anew: npm install aiforge@${manifest.version}`,
      'ADDON_NOT_LOADED',
    );
  }
  if (record.libtorch !== version) {
    return { name, misfit: `${name} is for LibTorch ${record.libtorch}, and this is ${version}` };
  }
  return { name, file: join(dirname(recordFile), 'aiforge.node'), record };
}

function resolveOrNull(request) {
  try {
    return require.resolve(request);
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

module.exports = { findAddon, findPrebuilt, setUp, wantedLibTorch };
