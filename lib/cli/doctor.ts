import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pc from 'picocolors';

const root = join(__dirname, '..', '..', '..');
const rebuild = `run: node ${join(root, 'scripts', 'install.mjs')}`;

/** One line of the report. `remedy` makes it a failure; `note` explains a thing that is absent and not needed. */
interface Finding {
  topic: string;
  found: string;
  remedy?: string | undefined;
  note?: string | undefined;
}

interface LibTorch {
  path: string;
  version: string;
  flavour: string;
}

/** Prints what aiforge found on this machine and what to do about what is missing; resolves to the exit status, 0 or 1. */
export async function doctor(): Promise<number> {
  const addon = await examineAddon();
  const works = addon.every((finding) => finding.remedy === undefined);
  const findings = [examineNode(), examinePackage(), ...examineTools(works), await examineLibTorch(), ...addon];
  for (const finding of findings) process.stdout.write(`${format(finding)}\n`);
  return findings.some((finding) => finding.remedy !== undefined) ? 1 : 0;
}

function format({ topic, found, remedy, note }: Finding): string {
  const mark = remedy === undefined ? (note === undefined ? pc.green('✓') : pc.dim('-')) : pc.red('✗');
  const explanation = remedy === undefined ? note : `\n    ${remedy}`;
  return `${mark} ${topic.padEnd(13)} ${found}${remedy === undefined && explanation ? ` (${explanation})` : (explanation ?? '')}`;
}

function examineNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const supported = major > 20 || (major === 20 && minor >= 17);
  const linux = process.platform === 'linux';
  const remedy = supported
    ? linux
      ? undefined
      : 'aiforge is built and tested on Linux only; use Linux, a container or WSL.'
    : 'aiforge needs Node.js 20.17 or newer.';
  return { topic: 'node', found: `${process.versions.node} on ${process.platform}-${process.arch}`, remedy };
}

function examinePackage(): Finding {
  const { version } = readJson(join(root, 'package.json')) as { version: string };
  return { topic: 'aiforge', found: `${version} in ${root}` };
}

/** The tools that only installing needs: a missing one is no failure as long as the addon works. */
function examineTools(addonWorks: boolean): Finding[] {
  const tools = [
    { topic: 'C++ compiler', command: process.env['CXX'] || 'g++', args: ['--version'], debian: 'g++' },
    { topic: 'cmake', command: 'cmake', args: ['--version'], debian: 'cmake' },
    { topic: 'pip', command: 'python3', args: ['-m', 'pip', '--version'], debian: 'python3 python3-pip' },
  ];
  return tools.map(({ topic, command, args, debian }) => {
    const version = firstLine(command, args);
    if (version !== null) return { topic, found: version };
    return addonWorks
      ? { topic, found: 'not found', note: 'needed only to install or to build again' }
      : { topic, found: 'not found', remedy: `install it (on Debian: apt-get install ${debian})` };
  });
}

async function examineLibTorch(): Promise<Finding> {
  const topic = 'LibTorch';
  const script = pathToFileURL(join(root, 'scripts', 'libtorch.mjs')).href;
  const { findLibTorch } = (await import(script)) as { findLibTorch: () => (LibTorch & { source: string }) | null };
  try {
    const libtorch = findLibTorch();
    if (libtorch === null) return { topic, found: 'not installed', remedy: `${rebuild}, or set LIBTORCH` };
    const { path, version, flavour, source } = libtorch;
    return { topic, found: `${version}, ${flavour}, in ${path} (${source === 'cache' ? 'installed by pip' : source})` };
  } catch (error) {
    return { topic, found: 'not usable', remedy: messageOf(error) };
  }
}

async function examineAddon(): Promise<Finding[]> {
  const topic = 'addon';
  const record = readJson(join(root, 'build', 'cmake', 'libtorch.json')) as LibTorch | null;
  if (record === null) return [{ topic, found: 'not built', remedy: rebuild }];
  const builtFor = `built for LibTorch ${record.version} (${record.flavour}) in ${record.path}`;
  try {
    const start = performance.now();
    const { native } = await import('../native.js');
    const { deviceCount } = await import('../cuda/index.js');
    const seconds = ((performance.now() - start) / 1000).toFixed(2);
    const threads = `${native.getNumThreads()} in an operator, ${availableParallelism()} cores`;
    return [
      { topic, found: `${builtFor}, loads in ${seconds} s` },
      { topic: 'threads', found: threads },
      examineCuda(record.flavour, deviceCount()),
    ];
  } catch (error) {
    return [{ topic, found: `${builtFor}, does not load`, remedy: `${messageOf(error)}\n    ${rebuild}` }];
  }
}

function examineCuda(flavour: string, devices: number): Finding {
  const topic = 'CUDA';
  if (flavour !== 'cuda') {
    return { topic, found: 'none', note: 'this is the CPU flavour; AIFORGE_FLAVOUR=cuda when installing gives CUDA' };
  }
  if (devices > 0) return { topic, found: `${devices} device${devices === 1 ? '' : 's'}` };
  return { topic, found: 'no device', remedy: "install NVIDIA's driver and check that nvidia-smi lists a GPU" };
}

function firstLine(command: string, args: string[]): string | null {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 ? (stdout.split('\n')[0] ?? '') : null;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
