// The packages with prebuilt addons, one a platform and flavour.
'use strict';
const { join } = require('node:path');
const { readJson } = require('./paths.cjs');
const { platform } = require('./platform.cjs');

/** The name of the package with the prebuilt addon of a flavour for this platform. */
function addonPackage(flavour) {
  return `@aiforge/${platform}${flavour === 'cpu' ? '' : `-${flavour}`}`;
}

/** The file that records what the package's addon is for, or null where the package is neither installed nor beside a bundle. */
function recordOf(name) {
  const beside = join(__dirname, 'addon.json');
  const flavour = readJson(beside)?.flavour;
  if (flavour !== undefined && addonPackage(flavour) === name) return beside;
  try {
    return require.resolve(`${name}/addon.json`);
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

module.exports = { addonPackage, recordOf };
