// Finds the addon: the one that was compiled in this folder, else the prebuilt one that npm chose for this platform.
'use strict';
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { ProvisionError } = require('./failure.cjs');
const { LIBTORCH_VERSION, askedFlavour, findLibTorch, requestedFlavour } = require('./libtorch.cjs');
const { addonPackage, recordOf } = require('./packages.cjs');
const { addonFile, addonRecord, isBundled, isCheckout, manifest, projectRoot, readJson } = require('./paths.cjs');
const { glibcVersion, platform, requirePlatform } = require('./platform.cjs');

/** The command that sets up what is missing. */
const setUp = isCheckout ? `node ${join(projectRoot, 'scripts', 'build.mjs')}` : 'npx aiforge setup';

/**
 * The addon to load, as `{ origin, file, libraries, record, libtorch }`. `origin` is `source` or the name of a package;
 * `libraries` are the files of LibTorch to load before it, since a prebuilt addon does not know where they are.
 * Throws ProvisionError.
 */
function findAddon() {
  if (!isBundled && existsSync(addonFile)) {
    const record = readJson(addonRecord);
    requireAsked(record?.flavour);
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

function requireAsked(flavour) {
  const asked = askedFlavour();
  if (asked === null || asked === flavour) return;
  throw new ProvisionError(
    `the addon that was compiled here is of the ${flavour} flavour, and AIFORGE_FLAVOUR=${asked} asks for the other. ` +
      `Run: AIFORGE_FLAVOUR=${asked} ${setUp} (or unset AIFORGE_FLAVOUR)`,
    'ADDON_NOT_LOADED',
  );
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
  const name = addonPackage(flavour);
  const recordFile = recordOf(name);
  if (recordFile === null) {
    if (isBundled) throw notBeside(name);
    const remedy = glibcVersion() === null ? null : remedyOf(manifest, name);
    if (remedy === null) return { name, misfit: `there is none for ${platform}, ${flavour}` };
    throw new ProvisionError(
      `the package ${name} ${manifest.version}, which has the addon for this platform, is not installed${remedy}, ` +
        `or, to compile the addon: AIFORGE_BUILD=source ${setUp}`,
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

function notBeside(name) {
  return new ProvisionError(
    `the library is in a bundle in ${__dirname}, and the addon is not beside it. Have the bundler leave aiforge out ` +
      `(esbuild --external:aiforge), install ${name} where the bundle is, or copy aiforge.node and addon.json of ${name} beside it`,
    'ADDON_NOT_LOADED',
  );
}

/** How to get a package of the release that is not installed; null where the release has none of that name. */
function remedyOf({ version, optionalDependencies, peerDependencies }, name) {
  if (optionalDependencies?.[name]) return ': optional dependencies were left out. Run: npm install --include=optional';
  if (peerDependencies?.[name]) return `. Run: npm install ${name}@${version}`;
  return null;
}

module.exports = { findAddon, findPrebuilt, setUp, wantedLibTorch };
