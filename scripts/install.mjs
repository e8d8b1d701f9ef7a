// Finds or installs LibTorch and builds the addon against it. Run by npm when the package is installed, and by every build.
import { findOrInstallLibTorch } from './libtorch.mjs';
import { buildAddon } from './provision/addon.mjs';
import { isMain, runMain } from './provision/main.mjs';
import { addonFile } from './provision/paths.mjs';

/** Makes LibTorch and the addon up to date; resolves to whether anything was built. */
export async function install() {
  return buildAddon(await findOrInstallLibTorch());
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    console.log(`${(await install()) ? 'built' : 'up to date'}: ${addonFile}`);
  });
}
