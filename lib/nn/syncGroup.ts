import type { Tensor } from '../tensor/tensor.js';

/** Ranks that compute a layer together: what such a layer needs of `distributed`'s process groups. */
export interface SyncGroup {
  readonly worldSize: number;
  /** The tensors of all ranks, in the order of ranks; waits for them. */
  allGatherSync(tensor: Tensor): Tensor[];
  /** Replaces `tensor` on every rank by the sum over all ranks; waits for them. */
  allReduceSync(tensor: Tensor): void;
}

let initialised: SyncGroup | null = null;

/** @internal For `distributed`, which stands above the layers: the group of all ranks, null when there is none. */
export function setDefaultSyncGroup(group: SyncGroup | null): void {
  initialised = group;
}

export function defaultSyncGroup(): SyncGroup | null {
  return initialised;
}
