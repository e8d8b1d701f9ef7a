import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

/** The test's environment without what the user may have set for provisioning, changed by `changes`. */
export function cleanEnvironment(changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { LIBTORCH: _libtorch, AIFORGE_FLAVOUR: _flavour, CXX: _compiler, ...rest } = process.env;
  return { ...rest, ...changes };
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

/** Puts a wheel into a folder, so that the real pip runs without a large download. */
function addWheel(folder: string, name: string, version: string, files: Record<string, string>): void {
  const stem = `${name}-${version}`;
  const info = `${stem}.dist-info`;
  const all: Record<string, string> = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-any\n',
  };
  all[`${info}/RECORD`] = [...Object.keys(all), `${info}/RECORD`].map((file) => `${file},,\n`).join('');
  const content = writeFiles(join(temporaryFolder(), 'content'), all);
  const zip =
    'import os, sys, zipfile\n' +
    'with zipfile.ZipFile(sys.argv[1], "w") as z:\n' +
    '  for d, _, names in os.walk(sys.argv[2]):\n' +
    '    for n in names: z.write(os.path.join(d, n), os.path.relpath(os.path.join(d, n), sys.argv[2]))\n';
  const wheel = join(folder, `${stem}-py3-none-any.whl`);
  const { status, stderr } = spawnSync('python3', ['-c', zip, wheel, content], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the wheel could not be made: ${stderr}`);
}

function addTorch(folder: string, flavour: 'cpu' | 'cuda', version: string): void {
  const files: Record<string, string> = {
    'torch/version.py': `__version__ = '${version}'\n`,
    'torch/nn/__init__.py': '',
    'torchgen/__init__.py': '',
  };
  for (const [name, text] of Object.entries(outlineOfLibTorch('2.13.0', flavour))) files[`torch/${name}`] = text;
  addWheel(folder, 'torch', version, files);
}

/** A folder with a small wheel that pip installs as torch 2.13.0. */
export function folderOfWheels(flavour: 'cpu' | 'cuda'): string {
  const folder = temporaryFolder();
  addTorch(folder, flavour, '2.13.0');
  return folder;
}

/** The same with both flavours, named as they are published, and what the CUDA one needs. */
export function folderOfBothFlavours(): string {
  const folder = folderOfWheels('cuda');
  addTorch(folder, 'cpu', '2.13.0+cpu');
  addWheel(folder, 'nvidia_cuda_crt', '13.0.88', { 'nvidia/cu13/include/crt/host_defines.h': '' });
  addWheel(folder, 'nvidia_cuda_cccl', '13.0.85', { 'nvidia/cu13/include/nv/target': '' });
  return folder;
}
