import { join } from 'node:path';
import { run } from './command.mjs';
import { ProvisionError } from './main.mjs';
import { projectRoot, readJson } from './paths.mjs';

/** Runs `npm ci` unless node_modules already holds what package-lock.json asks for; resolves to whether it ran. */
export async function installPackages() {
  if (packagesAreCurrent()) return false;
  // Only this package has an install script, and the build runs it as a step of its own.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = await run('npm', args, { cwd: projectRoot });
  if (status === 0) return true;
  throw new ProvisionError(
    `npm ci failed (${status}); its own message is above. Check the network and run the command again.`,
  );
}

function packagesAreCurrent() {
  const wanted = readJson(join(projectRoot, 'package-lock.json'))?.packages;
  const installed = readJson(join(projectRoot, 'node_modules', '.package-lock.json'))?.packages;
  if (!wanted)
    throw new ProvisionError('package-lock.json is missing or damaged. Restore it (git checkout package-lock.json).');
  if (!installed) return false;
  // Packages of other platforms are optional and stay away.
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const found = installed[path];
    if (path === '' || (optional && !found)) return true;
    return found?.version === version && found.integrity === integrity;
  });
}
