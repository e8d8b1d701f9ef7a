import { Buffer } from 'node:buffer';

import { fromJson } from '../../core/checkpoints/checkpointJson.js';
import { loadChecked } from '../../core/checkpoints/checksum.js';
import { show } from '../../show.js';
import { chunksOf } from '../../tensor/files/bytes.js';
import { scope, type SafetensorsFile, type Tensor } from '../../tensor/index.js';
import { fileAt } from './arguments.js';
import { flat } from './flat.js';
import { table } from '../table.js';

/** `aiforge checkpoints diff`: prints what differs between two checkpoints; gives the exit status, 1 where something does. */
export function diff(a: string, b: string): number {
  const [fileA, fileB] = [fileAt(a), fileAt(b)];
  const { config, state, tensors, hasConfig } = scope(() => {
    const [own, other] = [loadChecked(fileA), loadChecked(fileB)];
    return {
      config: differences(own, other, 'config'),
      state: [...differences(own, other, 'state'), ...epochDifference(own, other)],
      tensors: tensorDifferences(own.tensors, other.tensors),
      // Weights alone have none.
      hasConfig: [own, other].some(({ metadata }) => metadata.config !== undefined),
    };
  });
  const section = (name: string, lines: readonly string[]) => (lines.length === 0 ? [`${name}: the same`] : [`${name}:`, ...lines]); // prettier-ignore
  const configuration = hasConfig ? section('configuration', config) : ['configuration: none in either'];
  const lines = [...configuration, ...section('state', state), ...section('tensors', tensors)];
  process.stdout.write(`${lines.join('\n')}\n`);
  return config.length + state.length === 0 && tensors.length === 1 ? 0 : 1;
}

/** Of files of weights, which have no state. */
function epochDifference(
  { metadata: { epoch: a } }: SafetensorsFile,
  { metadata: { epoch: b } }: SafetensorsFile,
): string[] {
  // prettier-ignore
  return a === b ? [] : [`  epoch: ${a ?? 'none'} → ${b ?? 'none'}`];
}

function differences(a: SafetensorsFile, b: SafetensorsFile, name: 'config' | 'state'): string[] {
  const read = ({ metadata }: SafetensorsFile) => flat(fromJson(metadata[name] ?? '{}'));
  const [own, other] = [read(a), read(b)];
  const text = (value: unknown) => (value === undefined ? 'none' : (JSON.stringify(value) ?? show(value)));
  return [...new Set([...Object.keys(own), ...Object.keys(other)])].flatMap((path) => {
    const [from, to] = [text(own[path]), text(other[path])];
    return from === to ? [] : [`  ${path}: ${from} → ${to}`];
  });
}

/** One line for each that differs, and one for all that are the same. */
function tensorDifferences(a: Record<string, Tensor>, b: Record<string, Tensor>): string[] {
  let same = 0;
  const rows: string[][] = [];
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const said = difference(a[name], b[name]);
    if (said === undefined) ++same;
    else rows.push(['', name, said]);
  }
  const total = same + rows.length;
  const equal =
    same === total ? `  all ${total} tensors have equal bytes` : `  ${same} of ${total} tensors have equal bytes`;
  return [equal, ...(rows.length === 0 ? [] : [table(rows)])];
}

function difference(a: Tensor | undefined, b: Tensor | undefined): string | undefined {
  if (a === undefined) return 'only in the second';
  if (b === undefined) return 'only in the first';
  const form = ({ dtype, shape }: Tensor) => `${dtype} [${shape.join(', ')}]`;
  if (form(a) !== form(b)) return `${form(a)} → ${form(b)}`;
  if (bytesOf(a).equals(bytesOf(b))) return undefined;
  const largest = scope(() => a.to('float64').sub(b.to('float64')).abs().max().item<number>());
  return `largest difference ${largest.toPrecision(4)}`;
}

const bytesOf = (tensor: Tensor): Buffer => Buffer.concat([...chunksOf(tensor)]);
