import { isCurrentStreamCapturing } from '../cuda/graph.js';
import type { Bucket } from './bucket.js';
import { reject, type CapturableOptions } from './options.js';

/** The kinds of devices whose work can be captured. */
export const capturableDevices = new Set(['cuda']);

/** Whether the steps of a group are to be captured: they read nothing back, and count where the parameters are. */
export const isCapturable = (group: object): boolean => (group as Partial<CapturableOptions>).capturable === true;

const kindOf = (device: string): string => device.split(':')[0]!;

/** Throws for a step with `capturable` on what no graph can capture. */
export function checkCapturable(group: CapturableOptions, { parameters, counterDevices }: Bucket): void {
  if (!group.capturable) return;
  const kind = kindOf(parameters[0]!.device);
  if (capturableDevices.has(kind) && counterDevices.every((device) => kindOf(device) === kind)) return;
  const others = counterDevices.length === 0 ? '' : ` and counters on ${[...new Set(counterDevices)].join(', ')}`;
  reject(
    `capturable: a step that graphs capture needs the parameters and their counters on a GPU, got parameters on ` +
      `${parameters[0]!.device}${others}: leave it out, or, where a state from a GPU brought it, set capturable of each of ` +
      `optimizer.paramGroups to false.`,
  );
}

/** Throws where a graph captures a step that counts, or reads, beside it: each replay would repeat the one that was captured. */
export function checkCapture(optimizer: string, groups: readonly object[]): void {
  if (!isCurrentStreamCapturing() || groups.every(isCapturable)) return;
  reject(
    `${optimizer}: a CUDA graph captures this step, and a group of parameters has no capturable: true; give it when the ` +
      `optimizer is made, or step outside the graph.`,
  );
}
