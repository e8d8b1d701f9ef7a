// Checks (`--check`, the default) or rewrites (`--write`) the layout of the C++ sources.
import { join } from 'node:path';
import { run, which } from './provision/command.mjs';
import { ProvisionError, runMain } from './provision/main.mjs';
import { listFiles, projectRoot } from './provision/paths.mjs';

await runMain(async () => {
  const write = process.argv.includes('--write');
  const files = listFiles(join(projectRoot, 'native'), /\.(cc|h|hpp)$/);
  if (!which('clang-format')) {
    const reason = `clang-format is not on PATH, so ${files.length} C++ files were not looked at. Install it (on Debian: apt-get install clang-format)`;
    if (!write) throw new ProvisionError(`${reason}.`);
    console.log(`${reason}.`);
    return 0;
  }
  const { status } = await run('clang-format', [...(write ? ['-i'] : ['--dry-run', '--Werror']), ...files]);
  if (status !== 0)
    throw new ProvisionError('the C++ files above are not formatted. Run: node scripts/clang-format.mjs --write');
  console.log(`${files.length} C++ files are formatted`);
});
