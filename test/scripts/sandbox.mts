import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export interface Outcome {
  status: number | null;
  /** Standard output and standard error together. */
  output: string;
}

const folders: string[] = [];
process.on('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A fresh folder below the system's temporary one, removed when the tests end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'aiforge-test-'));
  folders.push(folder);
  return folder;
}

/** Writes files, given by their path within the folder, and returns the folder. */
export function writeFiles(folder: string, files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const settings = ['LIBTORCH', 'AIFORGE_FLAVOUR', 'AIFORGE_BUILD', 'AIFORGE_TORCH_INDEX', 'CXX'];

/** The test's environment without what the user may have set for provisioning, changed by `changes`. */
export function cleanEnvironment(changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !settings.includes(name));
  return { ...Object.fromEntries(inherited), ...changes };
}

/** Starts Node on a script; `finished` resolves when it has ended. */
export function startNode(args: string[], env: NodeJS.ProcessEnv, cwd = process.cwd()) {
  const child = spawn(process.execPath, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const finished = new Promise<Outcome>((resolve) => child.on('close', (status) => resolve({ status, output })));
  return { child, finished };
}

/** Runs Node on a script to its end. */
export function runNode(args: string[], env: NodeJS.ProcessEnv, cwd?: string): Promise<Outcome> {
  return startNode(args, env, cwd).finished;
}

/** A PATH on which only the named programs are found. */
export function pathWithOnly(...programs: string[]): string {
  const folder = temporaryFolder();
  for (const program of programs) {
    const { stdout } = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' });
    symlinkSync(stdout.trim(), join(folder, program));
  }
  return folder;
}

/** A copy of the package's build scripts with its own native sources, which shares this project's node_modules. */
export function copyOfPackage(nativeSources: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const name of ['package.json', 'CMakeLists.txt', 'binding.gyp', 'scripts']) {
    cpSync(resolve(name), join(folder, name), { recursive: true });
  }
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'native'));
  return writeFiles(folder, nativeSources);
}

const versionHeader = (version: string) => `#pragma once\n#define TORCH_VERSION \\\n  "${version}"\n`;

/** The files by which a folder is taken for LibTorch, with nothing in the libraries. */
export function outlineOfLibTorch(version: string, flavour: 'cpu' | 'cuda' = 'cpu'): Record<string, string> {
  return {
    'include/torch/headeronly/version.h': versionHeader(version),
    'lib/libtorch_cpu.so': '',
    ...(flavour === 'cuda' && { 'lib/libtorch_cuda.so': '' }),
  };
}

/** Puts a wheel with these files into a folder. */
function writeWheel(folder: string, name: string, version: string, contents: Record<string, string>): void {
  const info = `${name}-${version}.dist-info`;
  const files: Record<string, string> = {
    ...contents,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-any\n',
  };
  files[`${info}/RECORD`] = [...Object.keys(files), `${info}/RECORD`].map((name) => `${name},,\n`).join('');
  const content = writeFiles(temporaryFolder(), files);
  const zip =
    'import os, sys, zipfile\n' +
    'with zipfile.ZipFile(sys.argv[1], "w") as z:\n' +
    '  for d, _, names in os.walk(sys.argv[2]):\n' +
    '    for n in names: z.write(os.path.join(d, n), os.path.relpath(os.path.join(d, n), sys.argv[2]))\n';
  const wheel = join(folder, `${name}-${version}-py3-none-any.whl`);
  const { status, stderr } = spawnSync('python3', ['-c', zip, wheel, content], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the wheel could not be made: ${stderr}`);
}

/**
 * A folder with a small wheel that pip takes for torch 2.13.0, so that the real pip runs without a large download; beside the
 * CUDA one lie those of the headers that it needs.
 */
export function folderOfWheels(...flavours: ('cpu' | 'cuda')[]): string {
  const folder = temporaryFolder();
  for (const flavour of flavours) {
    const files: Record<string, string> = {
      'torch/version.py': "__version__ = '2.13.0'\n",
      'torch/nn/__init__.py': '',
      'torchgen/__init__.py': '',
    };
    for (const [name, text] of Object.entries(outlineOfLibTorch('2.13.0', flavour))) files[`torch/${name}`] = text;
    writeWheel(folder, 'torch', flavour === 'cpu' ? '2.13.0+cpu' : '2.13.0', files);
    if (flavour === 'cpu') continue;
    writeWheel(folder, 'nvidia_cuda_crt', '13.0.88', { 'nvidia/cu13/include/crt/host_defines.h': '' });
    writeWheel(folder, 'nvidia_cuda_cccl', '13.0.85', { 'nvidia/cu13/include/nv/target': '' });
  }
  return folder;
}

/** A copy of the package whose known CPU wheel is the one in a folder. */
export function copyThatKnows(wheels: string): string {
  const folder = copyOfPackage({});
  const known = join(folder, 'scripts', 'provision', 'wheels.json');
  const list = JSON.parse(readFileSync(known, 'utf8')) as Record<string, object>;
  const [wheel = ''] = readdirSync(wheels);
  const sha256 = createHash('sha256')
    .update(readFileSync(join(wheels, wheel)))
    .digest('hex');
  const platform = `${process.platform}-${process.arch}`;
  writeFileSync(known, JSON.stringify({ ...list, [platform]: { ...list[platform], sha256 } }));
  return folder;
}
