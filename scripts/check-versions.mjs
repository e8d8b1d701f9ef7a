// Compiles the addon, without linking it, against the headers of the other releases of LibTorch that it is written for, in
// the flavour that has all sources. Where they cannot be had, or not compiled in time, it says why and passes.
import { join } from 'node:path';
import { compileOnly } from './provision/addon.mjs';
import { ProvisionError, runMain } from './provision/main.mjs';
import { projectRoot } from './provision/paths.mjs';
import { headersOf } from './versions/headers.mjs';

const VERSIONS = ['2.11.0', '2.12.0', '2.14.1'];
const FLAVOUR = 'cuda';
const PATIENCE_S = 7 * 60;
// Of which downloads may have so much.
const DOWNLOADS_S = 5 * 60;

await runMain(async () => {
  const start = performance.now();
  const end = start + PATIENCE_S * 1000;
  const found = [];
  for (const version of VERSIONS) {
    const isLate = performance.now() - start > DOWNLOADS_S * 1000;
    if (isLate) console.log(`- not compiled for LibTorch ${version}: its headers were not there in ${DOWNLOADS_S} s`);
    const path = isLate ? null : await headersOrReason(version);
    if (path !== null) found.push({ version, path });
  }
  for (const headers of found) await check({ ...headers, flavour: FLAVOUR }, end);
});

async function check(libtorch, end) {
  const start = performance.now();
  const { version, flavour } = libtorch;
  const what = `LibTorch ${version} (${flavour})`;
  const folder = join(projectRoot, 'build', 'versions', `${version}-${flavour}`);
  if (start < end && (await compileOnly(libtorch, folder, (end - start) / 1000))) {
    console.log(`- compiles for ${what}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  } else {
    console.log(`- not compiled for ${what}: ${PATIENCE_S} s are over`);
  }
}

async function headersOrReason(version) {
  try {
    return await headersOf(version);
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    console.log(`- not compiled for LibTorch ${version}: ${error.message}`);
    return null;
  }
}
