'use strict';
const { existsSync, readFileSync } = require('node:fs');
const { homedir } = require('node:os');
const { isAbsolute, join, resolve } = require('node:path');

/** The folder of package.json, wherever the package is installed. */
const projectRoot = resolve(__dirname, '..', '..');

/** Whether this is the project's own checkout: no package has a lock file. */
const isCheckout = existsSync(join(projectRoot, 'package-lock.json'));

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

module.exports = { projectRoot, isCheckout, addonFolder, addonFile, addonRecord, cacheFolder, readJson };
