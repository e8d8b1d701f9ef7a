import { native } from '../../native.js';
import { scopeContexts, type Context } from '../context/context.js';
import { nothing } from '../../signature.js';

/** Live tensors and the bytes of the memory that they stand on. */
export interface MemoryUse {
  tensors: number;
  bytes: number;
}

export interface ScopeUse extends MemoryUse {
  /** The name that the scope was given, or null. */
  name: string | null;
  /** How many scopes are open around it. */
  depth: number;
}

export interface MemoryStats extends MemoryUse {
  /** The most tensors that were alive at once since the thread began. */
  peak: { tensors: number };
  /** What no scope holds: it lives until it is disposed or collected. Parameters and optimizers' state are here. */
  outside: MemoryUse;
  /** The open scopes, the oldest first. */
  scopes: ScopeUse[];
  /** What tokens of `share` and `transfer` hold in the whole process, which no one has received or released. */
  unreceived: MemoryUse;
}

function depthOf(context: Context): number {
  let depth = 0;
  for (let around = context.outer; around !== null; around = around.outer) {
    if (around.scope !== 0 && around.open) ++depth;
  }
  return depth;
}

/**
 * What this thread's tensors hold, by scope. `bytes` counts the whole memory of each tensor once, however many views
 * share it: for the first place of `outside` and then the scopes from the oldest that has a tensor on it. Tensors that
 * only a graph of autograd or a Python-like `.grad` holds are not counted, and neither are the data of sparse tensors.
 *
 * @example
 * import { memory, ones, scope } from 'aiforge';
 * scope('step', () => {
 *   const x = ones([256]);
 *   x.view(16, 16);
 *   return memory.stats().scopes[0];
 * }); // { name: 'step', depth: 0, tensors: 2, bytes: 1024 }
 */
export function stats(): MemoryStats {
  nothing.check('memory.stats', arguments);
  const { tensors, peak, scopes: rows } = native.memory();
  const unreceived = native.unreceived();
  const contexts = scopeContexts();
  const scopes: ScopeUse[] = [];
  const use = (row: number): MemoryUse => ({ tensors: rows[row + 1] ?? 0, bytes: rows[row + 2] ?? 0 });
  let bytes = 0;
  for (let row = 0; row < rows.length; row += 3) {
    bytes += use(row).bytes;
    const context = contexts.get(rows[row] ?? 0);
    if (context !== undefined) scopes.push({ name: context.name, depth: depthOf(context), ...use(row) });
  }
  return { tensors, bytes, peak: { tensors: peak }, outside: use(0), scopes, unreceived };
}
