import { expect } from 'chai';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment, outlineOfLibTorch, pathWithOnly, runNode, temporaryFolder, writeFiles } from './sandbox.mjs';

const platform = `${process.platform}-${process.arch}`;
const prebuilt = `@aiforge/${platform}`;
const withCuda = `${prebuilt}-cuda`;
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

const record = { aiforge: version, libtorch: '2.13.0', flavour: 'cpu', glibc: '2.34', libraries: ['libtorch_cpu.so'] };

/**
 * A project that has installed aiforge, with a prebuilt addon of the given record and nothing in its files, and a cache that
 * has a LibTorch with nothing in its libraries. `import` and `install` run what npm and the user's program run.
 */
function installed(addon: object | null = record) {
  const folder = temporaryFolder();
  const root = join(folder, 'node_modules', 'aiforge');
  mkdirSync(join(root, 'dist', 'lib'), { recursive: true });
  for (const name of ['native', 'locate', 'errors', 'brand', 'realms', 'hints', 'stack', 'threads', 'cores']) {
    cpSync(join('dist', 'lib', `${name}.js`), join(root, 'dist', 'lib', `${name}.js`));
  }
  cpSync('scripts', join(root, 'scripts'), { recursive: true });
  const [optional, peer] = [{ [prebuilt]: version }, { [withCuda]: version }];
  writeFiles(root, {
    'package.json': JSON.stringify({
      name: 'aiforge',
      version,
      optionalDependencies: optional,
      peerDependencies: peer,
    }),
  });
  const add = (name: string, addon: object) =>
    writeFiles(join(folder, 'node_modules', name), { 'addon.json': JSON.stringify(addon), 'aiforge.node': '' });
  if (addon !== null) add(prebuilt, addon);
  const cacheOf = (flavour: 'cpu' | 'cuda') => {
    const root = join(folder, 'aiforge', `libtorch-2.13.0-${flavour}`);
    writeFiles(join(root, 'torch'), outlineOfLibTorch('2.13.0', flavour));
    writeFileSync(join(root, 'stamp.json'), JSON.stringify({ version: '2.13.0', flavour }));
    return root;
  };
  const cache = cacheOf('cpu');

  const start = (args: string[], changes: NodeJS.ProcessEnv) =>
    runNode(args, cleanEnvironment({ XDG_CACHE_HOME: folder, PATH: pathWithOnly('node'), ...changes }), folder);
  return {
    folder,
    cache,
    /** What whoever wants CUDA adds; its LibTorch. */
    addCuda: () => {
      add(withCuda, { ...record, flavour: 'cuda', libraries: ['libtorch_cuda.so'] });
      return cacheOf('cuda');
    },
    import: (changes: NodeJS.ProcessEnv = {}, options: string[] = []) =>
      start([...options, join(root, 'dist', 'lib', 'native.js')], changes),
    install: (changes: NodeJS.ProcessEnv = {}, options: string[] = []) =>
      start([...options, join(root, 'scripts', 'install.mjs')], changes),
  };
}

type Run = ReturnType<typeof installed>['import'];

async function expectError(run: Run, code: string, parts: string[], ...args: Parameters<Run>): Promise<void> {
  const { status, output } = await run(...args);
  expect(status, output).to.equal(1);
  for (const part of [code, ...parts]) expect(output).to.include(part);
  // A failed import or install is one message, not a stack; Node shows that of the error underneath.
  expect(output.split('[cause]')[0]).not.to.match(/^\s+at /m);
}

/** Options that make a process believe it runs on another system. */
function elsewhere(change: string): string[] {
  return ['--require', join(writeFiles(temporaryFolder(), { 'elsewhere.cjs': change }), 'elsewhere.cjs')];
}

const pretend = (platform: string, arch: string) =>
  elsewhere(`for (const [name, value] of Object.entries(${JSON.stringify({ platform, arch })}))
  Object.defineProperty(process, name, { value });`);

const musl = () =>
  elsewhere(`const { header: { glibcVersionRuntime: _, ...header }, ...rest } = process.report.getReport();
process.report.getReport = () => ({ ...rest, header });`);

describe('an installed aiforge', () => {
  for (const [system, options] of [
    ['win32-x64', () => pretend('win32', 'x64')],
    ['darwin-arm64', () => pretend('darwin', 'arm64')],
    ['musl', musl],
  ] as const) {
    it(`names ${system} and where to run instead`, async () => {
      const parts = [system, system === 'musl' ? 'node:22-bookworm-slim' : 'WSL 2'];
      const project = installed(null);
      await expectError(project.import, 'PLATFORM_UNSUPPORTED', parts, {}, options());
      await expectError(project.install, 'PLATFORM_UNSUPPORTED', parts, {}, options());
    });
  }

  it('is compiled where the release has no prebuilt addon', async () => {
    const project = installed();
    const options = pretend('linux', 'riscv64');
    await expectError(
      project.import,
      'ADDON_NOT_LOADED',
      ['none for linux-riscv64, cpu', 'npx aiforge setup'],
      {},
      options,
    );
    await expectError(project.install, 'ADDON_NOT_LOADED', ['none for linux-riscv64, cpu', 'g++'], {}, options);
  });

  it('has CUDA where its package was added, unless the other flavour is asked for', async () => {
    const project = installed();
    const asked = [`${withCuda} ${version}`, `npm install ${withCuda}@${version}`, 'AIFORGE_BUILD=source'];
    await expectError(project.import, 'ADDON_NOT_LOADED', asked, { AIFORGE_FLAVOUR: 'cuda' });
    await expectError(project.install, 'ADDON_NOT_LOADED', asked, { AIFORGE_FLAVOUR: 'cuda' });
    const withGpu = [join(project.addCuda(), 'torch', 'lib', 'libtorch_cuda.so'), 'file too short'];
    await expectError(project.import, 'ADDON_NOT_LOADED', withGpu);
    await expectError(project.install, 'ADDON_NOT_LOADED', withGpu);
    const without = [join(project.cache, 'torch', 'lib', 'libtorch_cpu.so')];
    await expectError(project.import, 'ADDON_NOT_LOADED', without, { AIFORGE_FLAVOUR: 'cpu' });
  });

  it('is compiled for another LibTorch than the prebuilt addon is for', async () => {
    const project = installed();
    const LIBTORCH = writeFiles(temporaryFolder(), outlineOfLibTorch('2.12.0'));
    const parts = [`${prebuilt} is for LibTorch 2.13.0, and this is 2.12.0`];
    await expectError(project.import, 'ADDON_NOT_LOADED', [...parts, 'npx aiforge setup'], { LIBTORCH });
    await expectError(project.install, 'ADDON_NOT_LOADED', [...parts, 'g++'], { LIBTORCH });
  });

  it('is compiled where the C library is too old for the prebuilt addon', async () => {
    const parts = [`${prebuilt} needs glibc 2.999, and this system has 2.`, 'g++'];
    await expectError(installed({ ...record, glibc: '2.999' }).install, 'ADDON_NOT_LOADED', parts);
  });

  it('is compiled on demand', async () => {
    const project = installed();
    await expectError(project.install, 'ADDON_NOT_LOADED', ['since AIFORGE_BUILD=source', 'g++'], {
      AIFORGE_BUILD: 'source',
    });
    await expectError(project.install, 'CONFIG_INVALID', ['AIFORGE_BUILD=fast', 'source'], { AIFORGE_BUILD: 'fast' });
  });

  it('says how to get a prebuilt addon that was left out', async () => {
    const project = installed(null);
    const parts = [`${prebuilt} ${version}`, 'npm install --include=optional', 'AIFORGE_BUILD=source'];
    await expectError(project.import, 'ADDON_NOT_LOADED', parts);
    await expectError(project.install, 'ADDON_NOT_LOADED', parts);
  });

  it('refuses a prebuilt addon of another version', async () => {
    const project = installed({ ...record, aiforge: '0.0.9' });
    const parts = [`${prebuilt} is of version 0.0.9`, `npm install aiforge@${version}`];
    await expectError(project.import, 'ADDON_NOT_LOADED', parts);
    await expectError(project.install, 'ADDON_NOT_LOADED', parts);
  });

  it('says how to get LibTorch', async () => {
    const project = installed();
    rmSync(project.cache, { recursive: true });
    await expectError(project.import, 'LIBTORCH_NOT_FOUND', ['2.13.0 (cpu)', 'npx aiforge setup', 'LIBTORCH']);
    await expectError(project.install, 'LIBTORCH_NOT_FOUND', ['there is no python3', 'LIBTORCH']);
    await expectError(project.import, 'LIBTORCH_NOT_FOUND', ['/nowhere'], { LIBTORCH: '/nowhere' });
  });

  it('says why the addon does not load, and does not count as installed', async () => {
    const project = installed();
    const parts = [join(project.cache, 'torch', 'lib', 'libtorch_cpu.so'), 'file too short', 'AIFORGE_BUILD=source'];
    await expectError(project.import, 'ADDON_NOT_LOADED', parts);
    await expectError(project.install, 'ADDON_NOT_LOADED', parts);
  });
});
