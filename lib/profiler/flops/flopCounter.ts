import { count, func } from '../../kinds.js';
import type { Module } from '../../nn/module.js';
import { moduleKind } from '../../nn/moduleKinds.js';
import { signature } from '../../signature.js';
import { recorded } from '../profile.js';
import { FlopCounts } from './flopCounts.js';

export interface FlopCounterOptions {
  /** A module: what it and those inside it take is counted by module too. Default: none. */
  modules?: Module;
  /** For how many operators there is room; further ones are not counted, and told. Default: 1,000,000. */
  maxEvents?: number;
}

const flopCounterTakes = signature<FlopCounterOptions>({ body: func() }, { modules: moduleKind, maxEvents: count });

/**
 * Counts the floating-point operations of matrix products, convolutions and attention while `body` runs, those of backward passes
 * too; what only maps elements counts nothing. Gives a promise where `body` waits. As `torch.utils.flop_counter.FlopCounterMode`,
 * but that attention on the CPU counts as on a GPU.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an option that there is not, and where a profile runs already in this thread.
 * @example
 * import { nn, randn } from 'aiforge';
 * import { flopCounter } from 'aiforge/profiler';
 * const model = new nn.Sequential(new nn.Linear(64, 128), new nn.ReLU(), new nn.Linear(128, 8));
 * const counts = flopCounter(() => model.forward(randn([32, 64])).sum().backward(), { modules: model });
 * counts.total; // 1245184
 * counts.byModule['Sequential.2']; // { 'aten::addmm': 65536, 'aten::mm': 131072 }
 */
export function flopCounter(body: () => PromiseLike<unknown>, options?: FlopCounterOptions): Promise<FlopCounts>;
export function flopCounter(body: () => unknown, options?: FlopCounterOptions): FlopCounts;
export function flopCounter(body: () => unknown, options: FlopCounterOptions = {}): FlopCounts | Promise<FlopCounts> {
  flopCounterTakes.check('flopCounter', arguments);
  return recorded('flopCounter', { ...options, recordShapes: true }, body, ({ events }) => new FlopCounts(events));
}
