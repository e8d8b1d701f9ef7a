// What this machine is, and whether there is a LibTorch for it.
'use strict';
const { ProvisionError } = require('./failure.cjs');

/** The name of the platform in names of packages, such as `linux-x64`. */
const platform = `${process.platform}-${process.arch}`;

/** The version of glibc that this process runs with, or null where there is none, as on Alpine. */
function glibcVersion() {
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime ?? null;
}

/** Throws ProvisionError on a system for which PyTorch has no LibTorch and none was given. */
function requirePlatform() {
  if (process.platform !== 'linux') {
    throw new ProvisionError(
      `aiforge does not run on ${platform}: it is built and tested on Linux only. Use Linux, a container or WSL 2.`,
      'PLATFORM_UNSUPPORTED',
    );
  }
  if (glibcVersion() === null && !process.env.LIBTORCH) {
    throw new ProvisionError(
      `aiforge does not run on ${platform} with musl (Alpine): PyTorch has LibTorch for glibc only. ` +
        'Use an image with glibc, such as node:22-bookworm-slim, or set LIBTORCH to a LibTorch that was built for musl.',
      'PLATFORM_UNSUPPORTED',
    );
  }
}

module.exports = { platform, glibcVersion, requirePlatform };
