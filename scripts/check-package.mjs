// Packs the packages, looks the tarballs over, installs them into a fresh project and uses them from there.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { makePackages } from './package.mjs';
import { checkConsumer } from './package/consumer.mjs';
import { checkRunners } from './package/runners.mjs';
import { run } from './provision/command.mjs';
import { ProvisionError, runMain } from './provision/main.mjs';
import { listFiles, projectRoot, readJson } from './provision/paths.mjs';

const manifest = readJson(join(projectRoot, 'package.json'));
const entries = Object.entries(manifest.exports)
  .filter(([, file]) => file.endsWith('.js'))
  .map(([path]) => `${manifest.name}${path.slice(1)}`);

const tool = (...path) => join(projectRoot, 'node_modules', ...path);

await runMain(async () => {
  process.env.AIFORGE_REPOSITORY ??= 'https://example.org/owner/aiforge';
  const { library, addon } = await makePackages();
  for (const { name, stage } of [library, addon]) checkManifest(name, stage);
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
    await checkConsumer(project, [library.tarball, addon.tarball], { ...addon, version, entries, tools });
    const runners = join(folder, 'runners');
    mkdirSync(runners);
    await checkRunners(runners, [library.tarball, addon.tarball], addon);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function check(name, args) {
  console.log(`- ${name}`);
  const { status } = await run(process.execPath, args, { cwd: projectRoot });
  if (status !== 0) throw new ProvisionError(`the package check "${name}" failed (${status}); its output is above.`);
}

/** Throws unless the package says where its sources are and has nothing that only the checkout needs. */
function checkManifest(name, stage) {
  const { repository, homepage, bugs, ...packed } = readJson(join(stage, 'package.json'));
  const url = process.env.AIFORGE_REPOSITORY;
  const told = [repository?.url, homepage, bugs?.url].filter((address) => address?.includes(url)).length === 3;
  const extra = ['private', 'devDependencies'].filter((field) => field in packed);
  if (told && extra.length === 0) return;
  throw new ProvisionError(
    `package.json of ${name} ${told ? `has ${extra.join(' and ')}` : `does not name ${url} as repository, homepage and bugs`}.`,
  );
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
