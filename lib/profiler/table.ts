import { AiforgeError } from '../errors.js';
import type { OperatorAverage } from './keyAverages.js';
import type { Recorded } from './recording.js';

/** What a table can be sorted by. */
export const sortKeys = [
  'selfCpuTimeTotal',
  'cpuTimeTotal',
  'count',
  'selfCpuMemoryUsage',
  'cpuMemoryUsage',
  'selfDeviceMemoryUsage',
  'deviceMemoryUsage',
] as const;

export type SortKey = (typeof sortKeys)[number];

interface Layout {
  groupByInputShapes: boolean;
  sortBy: SortKey;
  rowLimit: number;
}

/** The widest name and the widest shapes that a table shows whole, as PyTorch's. */
const widestName = 55;
const widestShapes = 80;

interface Column {
  title: string;
  cell: (row: OperatorAverage) => string;
}

/** The table of PyTorch's profiler. */
export function formatTable(averages: OperatorAverage[], { options, outside }: Recorded, layout: Layout): string {
  const { sortBy, rowLimit, groupByInputShapes } = layout;
  if (/Memory/.test(sortBy) && !options.memory) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `table: sortBy is '${sortBy}', and memory was not recorded. Profile with { memory: true }.`,
    );
  }
  const total = averages.reduce((sum, { selfCpuTimeTotal }) => sum + selfCpuTimeTotal, 0);
  const hasDevice = outside.deviceBytes !== 0 || averages.some(({ deviceMemoryUsage }) => deviceMemoryUsage !== 0);
  const columns = columnsOf(total, options.memory, options.memory && hasDevice, groupByInputShapes);
  const rows = averages.toSorted((a, b) => b[sortBy] - a[sortBy]).slice(0, rowLimit);
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  const line = (texts: readonly string[]): string => texts.map((text, i) => text.padStart(widths[i]!)).join('  ');
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [
    rule,
    line(columns.map(({ title }) => title)),
    rule,
    ...cells.map(line),
    rule,
    `Self CPU time total: ${timeText(total)}`,
  ].join('\n');
}

function columnsOf(total: number, memory: boolean, device: boolean, shapes: boolean): Column[] {
  return [
    { title: 'Name', cell: ({ name }) => shortened(name, widestName) },
    { title: 'Self CPU %', cell: ({ selfCpuTimeTotal }) => share(selfCpuTimeTotal, total) },
    { title: 'Self CPU', cell: ({ selfCpuTimeTotal }) => timeText(selfCpuTimeTotal) },
    { title: 'CPU total %', cell: ({ cpuTimeTotal }) => share(cpuTimeTotal, total) },
    { title: 'CPU total', cell: ({ cpuTimeTotal }) => timeText(cpuTimeTotal) },
    { title: 'CPU time avg', cell: ({ cpuTimeTotal, count }) => timeText(count === 0 ? 0 : cpuTimeTotal / count) },
    ...(memory
      ? [
          { title: 'CPU Mem', cell: ({ cpuMemoryUsage }: OperatorAverage) => memoryText(cpuMemoryUsage) },
          { title: 'Self CPU Mem', cell: ({ selfCpuMemoryUsage }: OperatorAverage) => memoryText(selfCpuMemoryUsage) },
        ]
      : []),
    ...(device
      ? [
          { title: 'CUDA Mem', cell: ({ deviceMemoryUsage }: OperatorAverage) => memoryText(deviceMemoryUsage) },
          {
            title: 'Self CUDA Mem',
            cell: ({ selfDeviceMemoryUsage }: OperatorAverage) => memoryText(selfDeviceMemoryUsage),
          },
        ]
      : []),
    { title: '# of Calls', cell: ({ count }) => String(count) },
    ...(shapes
      ? [
          {
            title: 'Input Shapes',
            cell: ({ inputShapes }: OperatorAverage) => shortened(shapesText(inputShapes), widestShapes),
          },
        ]
      : []),
  ];
}

const shortened = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 3)}...` : text;
const shapesText = (shapes: unknown): string => JSON.stringify(shapes).replaceAll(',', ', ');
const share = (part: number, total: number): string => `${(total === 0 ? 0 : (100 * part) / total).toFixed(2)}%`;

/** Microseconds in the unit in which PyTorch shows them. */
export function timeText(microseconds: number): string {
  if (microseconds >= 1e6) return `${(microseconds / 1e6).toFixed(3)}s`;
  if (microseconds >= 1e3) return `${(microseconds / 1e3).toFixed(3)}ms`;
  return `${microseconds.toFixed(3)}us`;
}

function memoryText(bytes: number): string {
  const size = Math.abs(bytes);
  if (size >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(2)} GB`;
  if (size >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(2)} MB`;
  if (size >= 2 ** 10) return `${(bytes / 2 ** 10).toFixed(2)} KB`;
  return `${bytes} B`;
}
