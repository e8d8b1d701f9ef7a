// Packs the package, looks the tarball over, installs it into a fresh package and uses it from there.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { outputOf, run } from './provision/command.mjs';
import { ProvisionError, runMain } from './provision/main.mjs';
import { projectRoot } from './provision/paths.mjs';

const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
const entries = Object.entries(manifest.exports)
  .filter(([, file]) => file.endsWith('.js'))
  .map(([path]) => `${manifest.name}${path.slice(1)}`);

const tool = (...path) => join(projectRoot, 'node_modules', ...path);

await runMain(async () => {
  await build();
  const folder = mkdtempSync(join(tmpdir(), 'aiforge-package-'));
  try {
    const tarball = await pack(folder);
    await check(
      'publint',
      [process.execPath, tool('publint', 'src', 'cli.js'), 'run', tarball, '--strict'],
      projectRoot,
    );
    const attw = [tool('@arethetypeswrong', 'cli', 'dist', 'index.js'), tarball, '--profile', 'node16', '--no-emoji'];
    await check('are the types wrong', [process.execPath, ...attw], projectRoot);
    await checkConsumer(join(folder, 'consumer'), tarball);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function pack(folder) {
  const names = outputOf('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, projectRoot]);
  if (!names) throw new ProvisionError('npm pack failed. Run it by hand to see why.');
  return join(folder, names.split('\n').at(-1));
}

async function check(name, [command, ...args], cwd) {
  console.log(`- ${name}`);
  const { status } = await run(command, args, { cwd });
  if (status !== 0) throw new ProvisionError(`the package check "${name}" failed (${status}); its output is above.`);
}

async function checkConsumer(folder, tarball) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(consumerFiles())) writeFileSync(join(folder, name), text);
  const types = `@types/node@${manifest.devDependencies['@types/node']}`;
  const install = ['npm', 'install', '--no-audit', '--no-fund', '--foreground-scripts', tarball, types];
  await check('npm install of the tarball', install, folder);
  await check('import', [process.execPath, 'use.mjs'], folder);
  await check('require', [process.execPath, 'use.cjs'], folder);
  await check('types', [process.execPath, tool('typescript', 'bin', 'tsc'), '-p', '.'], folder);
  await check('aiforge doctor', [join(folder, 'node_modules', '.bin', 'aiforge'), 'doctor'], folder);
}

function consumerFiles() {
  const usage = `
const sum = tensor([1, 2, 3]).add(1).sum().item();
if (sum !== 9) throw new Error('the sum is ' + sum + ', not 9');
`;
  const typescript = `import { type Tensor, tensor } from 'aiforge';
import { Linear } from 'aiforge/nn';
const output: Tensor = new Linear(3, 2).forward(tensor([1, 2, 3]));
const shape: readonly number[] = output.shape;
// @ts-expect-error: a shape is no string, so types have come along and are not any
const wrong: string = output.shape;
console.log(shape, wrong);
`;
  const config = {
    module: 'node18',
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    strict: true,
    noEmit: true,
  };
  return {
    'package.json': JSON.stringify({ name: 'consumer', version: '1.0.0', private: true }),
    'tsconfig.json': JSON.stringify({ compilerOptions: { ...config, types: ['node'] }, include: ['use-types.*'] }),
    'use-types.mts': typescript,
    'use-types.cts': typescript,
    'use.cjs': `const { tensor } = require('aiforge');\n${usage}`,
    'use.mjs': `import { createRequire } from 'node:module';
import { tensor } from 'aiforge';
${usage}
const require = createRequire(import.meta.url);
for (const entry of ${JSON.stringify(entries)}) {
  const [imported, required] = [await import(entry), require(entry)];
  const missing = Object.keys(required).filter((name) => imported[name] !== required[name]);
  if (missing.length > 0) throw new Error(entry + ': import and require differ in ' + missing.join(', '));
}
`,
  };
}
