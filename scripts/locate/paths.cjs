'use strict';
const { existsSync, readFileSync } = require('node:fs');
const { homedir } = require('node:os');
const { isAbsolute, join, resolve } = require('node:path');

/** The folder of package.json, wherever the package is installed. */
const projectRoot = resolve(__dirname, '..', '..');

/** The package's own manifest, which a bundle has in it. */
const manifest = require('../../package.json');

/** Whether a bundler has put this code into a file that lies elsewhere, so that its paths lead nowhere. */
const isBundled = readJson(join(projectRoot, 'package.json'))?.name !== manifest.name;

/** Whether this is the project's own checkout: no package has a lock file. */
const isCheckout = !isBundled && existsSync(join(projectRoot, 'package-lock.json'));

/** Where the addon is built, and the record of what it was built for. */
const addonFolder = join(projectRoot, 'build', 'cmake');
const addonFile = join(addonFolder, 'Release', 'aiforge.node');
const addonRecord = join(addonFolder, 'libtorch.json');

/** The folder in the user's cache that the project's installs share. */
function cacheFolder() {
  const base = process.env.XDG_CACHE_HOME;
  return join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'aiforge');
}

/** The parsed JSON file, or null when it is missing or cut off. */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

module.exports = {
  projectRoot,
  manifest,
  isBundled,
  isCheckout,
  addonFolder,
  addonFile,
  addonRecord,
  cacheFolder,
  readJson,
};
