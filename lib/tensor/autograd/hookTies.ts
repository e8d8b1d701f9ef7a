import type { EngineCallback } from '../../native.js';

// What the engine calls for a tensor is reachable from the tensor's object: where the object alone holds the part of the graph
// that a hook hangs on, the engine lets go of the hook during a collection, and then this is what keeps it.
const ties = new WeakMap<object, Set<EngineCallback>>();
const setsOf = new WeakMap<EngineCallback, Set<EngineCallback>[]>();

/** Makes the object of each tensor keep what the engine calls for it. */
export function tie(tensors: readonly object[], callback: EngineCallback): void {
  const sets = tensors.map((tensor) => {
    let own = ties.get(tensor);
    if (own === undefined) ties.set(tensor, (own = new Set()));
    return own.add(callback);
  });
  setsOf.set(callback, sets);
}

/** Makes them let go. */
export function untie(callback: EngineCallback): void {
  for (const own of setsOf.get(callback) ?? []) own.delete(callback);
}
