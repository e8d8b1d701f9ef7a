// Brings LibTorch, and the addon where npm did not bring a prebuilt one that fits. Run by npm when the package is
// installed, by `aiforge setup`, and by every build.
import { existsSync, rmSync } from 'node:fs';
import { findAddon, findPrebuilt, wantedLibTorch } from './locate/addon.cjs';
import { findLibTorch } from './locate/libtorch.cjs';
import { requirePlatform } from './locate/platform.cjs';
import { findOrInstallLibTorch } from './libtorch.mjs';
import { buildAddon, requireTools } from './provision/addon.mjs';
import { isMain, ProvisionError, runMain } from './provision/main.mjs';
import { addonFile, addonFolder, isCheckout } from './provision/paths.mjs';
import { requireLoads, systemMisfit } from './provision/prebuilt.mjs';

/** Makes LibTorch and the addon up to date; resolves to whether anything was compiled. Throws ProvisionError. */
export async function install() {
  requirePlatform();
  const why = isCheckout ? 'this is a checkout' : reasonToCompile();
  if (why) {
    // Said before LibTorch is downloaded.
    if (!existsSync(addonFile)) requireTools(why);
    return buildAddon(await findOrInstallLibTorch(), why);
  }
  // One that was compiled here earlier would come before the prebuilt one.
  rmSync(addonFolder, { recursive: true, force: true });
  await findOrInstallLibTorch();
  await requireLoads();
  return false;
}

/** Why the prebuilt addon is not used; null when it is. */
function reasonToCompile() {
  const wanted = process.env.AIFORGE_BUILD;
  if (wanted === 'source') return 'AIFORGE_BUILD=source';
  if (wanted) {
    throw new ProvisionError(
      `AIFORGE_BUILD=${wanted} is unknown. Set it to source to compile the addon, or unset it for a prebuilt one.`,
      'CONFIG_INVALID',
    );
  }
  const prebuilt = findPrebuilt(findLibTorch() ?? wantedLibTorch());
  return prebuilt.misfit ?? systemMisfit(prebuilt);
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const built = await install();
    console.log(`${built ? 'built' : 'up to date'}: ${findAddon().file}`);
  });
}
