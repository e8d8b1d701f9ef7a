import { join } from 'node:path';
import { glibcVersion } from '../locate/platform.cjs';
import { run } from './command.mjs';
import { ProvisionError } from './main.mjs';
import { projectRoot } from './paths.mjs';

/** Why a prebuilt addon cannot run on this system, or null. */
export function systemMisfit({ name, record }) {
  const glibc = glibcVersion();
  if (!isOlder(glibc, record.glibc)) return null;
  return `${name} needs glibc ${record.glibc}, and this system has ${glibc}`;
}

function isOlder(version, than) {
  const [[major, minor], [otherMajor, otherMinor]] = [version, than].map((text) => text.split('.').map(Number));
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

const load = `try { require(process.argv[1]) } catch (error) { console.error(error.code + ': ' + error.message); process.exit(1) }`;

/** Loads the library in a process of its own; throws ProvisionError with the reason when that fails. */
export async function requireLoads() {
  const library = join(projectRoot, 'dist', 'lib', 'native.js');
  const { status, tail } = await run(process.execPath, ['-e', load, library], { onLine: () => {} });
  if (status !== 0) throw new ProvisionError(tail.join('\n'));
}
