// Packs the packages, looks the tarballs over, installs them into a fresh project and uses them from there.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { makePackages } from './package.mjs';
import { checkConsumer } from './package/consumer.mjs';
import { run } from './provision/command.mjs';
import { ProvisionError, runMain } from './provision/main.mjs';
import { listFiles, projectRoot, readJson } from './provision/paths.mjs';

const manifest = readJson(join(projectRoot, 'package.json'));
const entries = Object.entries(manifest.exports)
  .filter(([, file]) => file.endsWith('.js'))
  .map(([path]) => `${manifest.name}${path.slice(1)}`);

const tool = (...path) => join(projectRoot, 'node_modules', ...path);

await runMain(async () => {
  const { library, addon } = await makePackages();
  await check('publint', [tool('publint', 'src', 'cli.js'), 'run', library.tarball, '--strict']);
  const attw = [tool('@arethetypeswrong', 'cli', 'dist', 'index.js'), library.tarball, '--profile', 'node16'];
  await check('are the types wrong', [...attw, '--no-emoji']);
  checkLinks(library.stage);
  const folder = mkdtempSync(join(tmpdir(), 'aiforge-package-'));
  try {
    const tools = ['@types/node', 'typescript'].map((name) => `${name}@${manifest.devDependencies[name]}`);
    const project = join(folder, 'consumer');
    mkdirSync(project);
    const { version } = manifest;
    await checkConsumer(project, [library.tarball, addon.tarball], { name: addon.name, version, entries, tools });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function check(name, args) {
  console.log(`- ${name}`);
  const { status } = await run(process.execPath, args, { cwd: projectRoot });
  if (status !== 0) throw new ProvisionError(`the package check "${name}" failed (${status}); its output is above.`);
}

/** Throws unless every link between the package's documents leads to a file of the package. */
function checkLinks(folder) {
  console.log('- links');
  const dead = listFiles(folder, /\.md$/).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map(([, link]) => ({ file, link }))
      .filter(({ link }) => !existsSync(resolve(dirname(file), link))),
  );
  if (dead.length === 0) return;
  const list = dead.map(({ file, link }) => `  ${file}: ${link}`).join('\n');
  throw new ProvisionError(`documents of the package link to what is not in it:\n${list}`);
}
