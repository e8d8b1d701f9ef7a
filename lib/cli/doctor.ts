import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pc from 'picocolors';
import { availableCores } from '../cores.js';
import { cudaRemedy } from '../hints.js';
import { findAddon, findLibTorch, hasPrebuilt, setUp, type Addon, type LibTorch } from '../locate.js';
import { packageRoot } from '../stack.js';
import { showThrown } from '../show.js';

/** One line of the report. `remedy` makes it a failure; `note` explains a thing that is absent and not needed. */
interface Finding {
  topic: string;
  found: string;
  remedy?: string | undefined;
  note?: string | undefined;
}

/** Prints what aiforge found on this machine and what to do about what is missing; resolves to the exit status, 0 or 1. */
export async function doctor(): Promise<number> {
  const findings = [examineNode(), examinePackage(), ...examineTools(), examineLibTorch(), ...(await examineAddon())];
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
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return { topic: 'aiforge', found: `${version} in ${packageRoot}` };
}

/** The tools that only setting up needs: a missing one is no failure where what it brings is there. */
function examineTools(): Finding[] {
  const hasAddon = attempt(findAddon).value !== undefined;
  const compiler = hasAddon || hasPrebuilt() ? 'needed only to compile the addon' : undefined;
  const pip = hasAddon || attempt(findLibTorch).value ? 'needed only to install LibTorch' : undefined;
  const tools = [
    {
      topic: 'C++ compiler',
      command: process.env['CXX'] || 'g++',
      args: ['--version'],
      debian: 'g++',
      spare: compiler,
    },
    { topic: 'cmake', command: 'cmake', args: ['--version'], debian: 'cmake', spare: compiler },
    { topic: 'pip', command: 'python3', args: ['-m', 'pip', '--version'], debian: 'python3 python3-pip', spare: pip },
  ];
  return tools.map(({ topic, command, args, debian, spare }) => {
    const version = firstLine(command, args);
    if (version !== null) return { topic, found: version };
    if (spare !== undefined) return { topic, found: 'not found', note: spare };
    return { topic, found: 'not found', remedy: `install it (on Debian: apt-get install ${debian})` };
  });
}

function examineLibTorch(): Finding {
  const topic = 'LibTorch';
  const { value: libtorch, problem } = attempt(findLibTorch);
  if (problem !== undefined) return { topic, found: 'not usable', remedy: problem };
  const addon = attempt(findAddon).value;
  if (addon?.origin === 'source' && addon.libtorch) return examineOwnLibTorch(topic, addon.libtorch);
  if (!libtorch) return { topic, found: 'not installed', remedy: `run: ${setUp} (or set LIBTORCH)` };
  const { path, version, flavour, source } = libtorch;
  return { topic, found: `${version}, ${flavour}, in ${path} (${source === 'cache' ? 'installed by pip' : source})` };
}

/** A compiled addon uses the LibTorch that it was compiled for, whichever is asked for now. */
function examineOwnLibTorch(topic: string, { path, version, flavour }: LibTorch): Finding {
  const found = `${version}, ${flavour}, in ${path} (the addon was compiled for it)`;
  return { topic, found, remedy: existsSync(path) ? undefined : `it is gone; run: ${setUp}` };
}

async function examineAddon(): Promise<Finding[]> {
  const topic = 'addon';
  const { value: addon, problem } = attempt(findAddon);
  if (addon === undefined) return [{ topic, found: 'none', remedy: problem }];
  try {
    const start = performance.now();
    const { native } = await import('../native.js');
    const { deviceCount } = await import('../cuda/index.js');
    const seconds = ((performance.now() - start) / 1000).toFixed(2);
    const threads = `${native.getNumThreads()} in an operator, ${availableCores()} cores`;
    return [
      { topic, found: `${describe(addon)}, loads in ${seconds} s` },
      { topic: 'threads', found: threads },
      examineCuda(addon.libtorch?.flavour, deviceCount()),
    ];
  } catch (error) {
    return [{ topic, found: `${describe(addon)}, does not load`, remedy: messageOf(error) }];
  }
}

function describe({ origin, libtorch }: Addon): string {
  const { version, flavour, path }: LibTorch = libtorch ?? { version: '?', flavour: '?', path: '?' };
  const how = origin === 'source' ? 'compiled here' : `prebuilt, of ${origin}`;
  return `${how}, for LibTorch ${version} (${flavour}) in ${path}`;
}

function examineCuda(flavour: string | undefined, devices: number): Finding {
  const topic = 'CUDA';
  if (flavour !== 'cuda') {
    return { topic, found: 'none', note: `this is the CPU flavour; for CUDA: ${cudaRemedy}` };
  }
  if (devices > 0) return { topic, found: `${devices} device${devices === 1 ? '' : 's'}` };
  return { topic, found: 'no device', remedy: "install NVIDIA's driver and check that nvidia-smi lists a GPU" };
}

function firstLine(command: string, args: string[]): string | null {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 ? (stdout.split('\n')[0] ?? '') : null;
}

/** What a function gives, or its error's message. */
function attempt<Result>(find: () => Result): { value?: Result; problem?: string } {
  try {
    return { value: find() };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return showThrown(error);
}
