// Sets up what is missing, then runs the main job. Arguments are passed on: npm start -- training.epochs=2
import { join } from 'node:path';
import { build } from './build.mjs';
import { runToExit } from './provision/command.mjs';
import { runMain } from './provision/main.mjs';
import { projectRoot } from './provision/paths.mjs';

await runMain(async () => {
  await build();
  const cli = join(projectRoot, 'dist', 'lib', 'cli', 'aiforge.js');
  const args = [cli, 'train', join('experiments', 'spam.yaml'), ...process.argv.slice(2)];
  return runToExit(process.execPath, args, { cwd: projectRoot });
});
