import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

/**
 * How many cores this process may use: those that its affinity leaves it (`taskset`, cpusets), as long as the CPU quota of its
 * cgroup and of those above it pays for them in full, and 1 at least. `root` is the folder that has `proc` and the mounts.
 */
export function availableCores(root = '/'): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(cpuQuota(root))));
}

interface Mount {
  type: string;
  options: string[];
  /** The cgroup that is mounted, and where. */
  top: string;
  point: string;
}

/** The smallest CPU quota of the cgroups that hold this process, in cores; Infinity without any. */
export function cpuQuota(root = '/'): number {
  const own = read(root, 'proc/self/cgroup')
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line) ?? []);
  const pathOf = (controller: string) => own.find(([, names]) => names?.split(',').includes(controller))?.[2];
  const quotas = mounts(root).flatMap((mount) => {
    // In version 2, one hierarchy is of all controllers, and names none.
    if (mount.type === 'cgroup2') return folders(mount, pathOf('')).map((folder) => quota(root, `${folder}/cpu.max`));
    if (mount.type !== 'cgroup' || !mount.options.includes('cpu')) return [];
    return folders(mount, pathOf('cpu')).map((folder) =>
      quota(root, `${folder}/cpu.cfs_quota_us`, `${folder}/cpu.cfs_period_us`),
    );
  });
  return Math.min(Infinity, ...quotas);
}

function mounts(root: string): Mount[] {
  return read(root, 'proc/self/mountinfo')
    .split('\n')
    .map((line) => {
      const [place = '', device = ''] = line.split(' - ');
      const [, , , top = '/', point = '/'] = place.split(' ');
      const [type = '', , options = ''] = device.split(' ');
      return { type, options: options.split(','), top: unescape(top), point: unescape(point) };
    });
}

/** Characters such as a space stand as `\040`. */
const unescape = (name: string): string =>
  name.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8)));

/** The folders of a cgroup and of those above it, as far as they are mounted. */
function folders({ top, point }: Mount, cgroup: string | undefined): string[] {
  if (cgroup === undefined) return [];
  const inside = path.posix.relative(top, cgroup);
  const names = inside === '' || inside.startsWith('..') ? [] : inside.split('/');
  return [...names.map((_, i) => path.posix.join(point, ...names.slice(0, i + 1))), point];
}

/** Time a period that files grant, as a share of the period; Infinity where they say `max` or -1, or are not there. */
function quota(root: string, ...files: string[]): number {
  const [time, period] = files.flatMap((file) => read(root, file).trim().split(' ')).map(Number);
  const cores = time! / period!;
  return cores > 0 ? cores : Infinity;
}

function read(root: string, file: string): string {
  try {
    return readFileSync(path.join(root, file), 'utf8');
  } catch {
    return '';
  }
}
