import { anything, boolean, optional } from '../kinds.js';
import { signature } from '../signature.js';
import { indexOf, type CudaDevice } from './device.js';
import { memoryStats } from './memory.js';
import { nativeCuda } from './native.js';

export interface MemorySummaryOptions {
  /** Leaves out how much of it is in large and in small pieces. Default: false. */
  abbreviated?: boolean;
}

const takes = signature<MemorySummaryOptions>({ device: optional(anything) }, { abbreviated: boolean });

const rows: readonly (readonly [key: string, name: string])[] = [
  ['allocated_bytes', 'of tensors'],
  ['active_bytes', 'of tensors and streams'],
  ['requested_bytes', 'asked for'],
  ['reserved_bytes', 'of the allocator'],
  ['inactive_split_bytes', 'split, not releasable'],
  ['allocation', 'allocations'],
  ['active', 'allocations in use'],
  ['segment', 'segments'],
  ['inactive_split', 'splits, not releasable'],
];
const pools: readonly (readonly [key: string, name: string])[] = [
  ['large_pool', '  in large pieces'],
  ['small_pool', '  in small pieces'],
];
const columns: readonly (readonly [key: string, name: string])[] = [
  ['current', 'now'],
  ['peak', 'peak'],
  ['allocated', 'came'],
  ['freed', 'went'],
];

/**
 * A table of what the allocator of a device has and had, for people; `memoryStats` has the numbers. Default: the current device.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is none.
 * @example
 * import { cuda } from 'aiforge';
 * if (cuda.isAvailable()) console.log(cuda.memorySummary(0, { abbreviated: true }));
 */
export function memorySummary(device?: CudaDevice, options: MemorySummaryOptions = {}): string {
  takes.check('memorySummary', arguments);
  const index = nativeCuda().deviceIndex(indexOf(device));
  return memoryTable(index, memoryStats(index), options.abbreviated ?? false);
}

/** @internal The table of a device's counters. */
export function memoryTable(index: number, stats: Record<string, number>, abbreviated: boolean): string {
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(24) + cells.map((cell) => cell.padStart(11)).join('');
  const { num_ooms: failures = 0, num_alloc_retries: retries = 0 } = stats;
  const lines = [
    `memory of cuda:${index}: ${failures} allocations failed, ${retries} succeeded once the cache was emptied`,
    line(
      '',
      columns.map(([, name]) => name),
    ),
  ];
  for (const [key, name] of rows) {
    const show = key.endsWith('_bytes') ? bytes : String;
    const put = (text: string, pool: string) =>
      lines.push(line(text, columns.map(([column]) => show(stats[`${key}.${pool}.${column}`] ?? 0)))); // prettier-ignore
    put(name, 'all');
    if (!abbreviated) for (const [pool, text] of pools) put(text, pool);
  }
  return lines.join('\n');
}

function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let power = 0;
  while (power < units.length - 1 && count >= 1024 ** (power + 1)) ++power;
  return `${(count / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
