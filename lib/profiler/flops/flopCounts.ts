import { inspect } from 'node:util';

import type { ProfilerEvent } from '../events.js';
import { formulas } from './formulas.js';

/** Operations by the operators' names. */
export type OperatorFlops = Readonly<Record<string, number>>;

/**
 * Floating-point operations: in all, by operator, and by module where modules were recorded. A module has those of the modules
 * inside it, and those of the backward pass of what its `forward` did.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * import { flopCounter } from 'aiforge/profiler';
 * const counts = flopCounter(() => new nn.Linear(4, 8).forward(ones([32, 4])));
 * counts.total; // 2048
 * counts.byOperator; // { 'aten::addmm': 2048 }
 */
export class FlopCounts {
  readonly total: number;
  readonly byOperator: OperatorFlops;
  /** By the names of `torch.utils.module_tracker`: the class of the outermost module, then the names, as in `Net.body.0`. */
  readonly byModule: Readonly<Record<string, OperatorFlops>>;

  /** @internal */
  constructor(events: readonly ProfilerEvent[]) {
    const byOperator: Record<string, number> = {};
    const byModule: Record<string, Record<string, number>> = {};
    const forwards = forwardsOf(events);
    for (const { event, flops } of counted(events)) {
      byOperator[event.name] = (byOperator[event.name] ?? 0) + flops;
      for (const module of modulesOf(event, forwards)) {
        const own = (byModule[module] ??= {});
        own[event.name] = (own[event.name] ?? 0) + flops;
      }
    }
    this.total = Object.values(byOperator).reduce((sum, flops) => sum + flops, 0);
    this.byOperator = byOperator;
    this.byModule = byModule;
  }

  toString(): string {
    const rows = [
      row('Total', this.total, this.total),
      ...operatorRows('  ', this.byOperator, this.total),
      ...Object.entries(this.byModule).flatMap(([module, own]) => {
        const flops = Object.values(own).reduce((sum, each) => sum + each, 0);
        return [row(module, flops, this.total), ...operatorRows('  ', own, this.total)];
      }),
    ];
    const widths = [0, 1, 2].map((i) => Math.max(...rows.map((cells) => cells[i]!.length)));
    const line = ([name, flops, share]: string[]): string =>
      `${name!.padEnd(widths[0]!)}  ${flops!.padStart(widths[1]!)}  ${share!.padStart(widths[2]!)}`;
    return rows.map(line).join('\n');
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

const row = (name: string, flops: number, total: number): string[] => [
  name,
  flops.toLocaleString('en-US'),
  `${(total === 0 ? 0 : (100 * flops) / total).toFixed(2)}%`,
];

const operatorRows = (indent: string, own: OperatorFlops, total: number): string[][] =>
  Object.entries(own).map(([name, flops]) => row(`${indent}${name}`, flops, total));

/** The operators that have a formula, but those inside another one, which counts for them. */
function* counted(events: readonly ProfilerEvent[]): Generator<{ event: ProfilerEvent; flops: number }> {
  const inside = new Set<ProfilerEvent>();
  for (const event of events) {
    if (event.parent !== null && inside.has(event.parent)) {
      inside.add(event);
      continue;
    }
    const formula = event.kind === 'operator' ? formulas.get(event.name) : undefined;
    if (formula === undefined || event.inputs === null || event.outputs === null) continue;
    const flops = formula(event.inputs, event.outputs);
    // Under vmap its shapes are not known, and the operator inside it has those of all items.
    if (flops === 0) continue;
    inside.add(event);
    yield { event, flops };
  }
}

const keyOf = (thread: number, sequence: number): string => `${thread}:${sequence}`;

/** The operators that made nodes of the backward pass: of those with one number the last that began. */
function forwardsOf(events: readonly ProfilerEvent[]): Map<string, ProfilerEvent> {
  const found = new Map<string, ProfilerEvent>();
  for (const event of events) {
    if (event.kind === 'operator' && event.sequence !== null) found.set(keyOf(event.thread, event.sequence), event);
  }
  return found;
}

/** The modules in whose `forward` an operator ran, or the operator whose gradient it computes. */
function modulesOf(event: ProfilerEvent, forwards: ReadonlyMap<string, ProfilerEvent>): Set<string> {
  const modules = new Set<string>();
  for (let at: ProfilerEvent | null = event; at !== null; at = at.parent) {
    if (at.kind === 'module') modules.add(at.name);
    if (at.kind !== 'backward' || at.sequence === null) continue;
    const forward = forwards.get(keyOf(at.forwardThread, at.sequence));
    if (forward !== undefined) for (const module of modulesOf(forward, forwards)) modules.add(module);
  }
  return modules;
}
