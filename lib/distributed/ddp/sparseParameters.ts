import { Embedding, EmbeddingBag, Module, SyncBatchNorm } from '../../nn/index.js';
import type { Tensor } from '../../tensor/tensor.js';

/** The parameters of a module whose gradients are sparse, as the embedding that has each says; the first counts. */
export function sparseParameters(module: unknown): Tensor[] {
  if (!(module instanceof Module)) return [];
  const isSparse = new Map<Tensor, boolean>();
  for (const part of module.modules()) {
    const sparse = (part instanceof Embedding || part instanceof EmbeddingBag) && part.sparse;
    for (const parameter of part.parameters({ recurse: false })) {
      if (!isSparse.has(parameter)) isSparse.set(parameter, sparse);
    }
  }
  return [...isSparse].flatMap(([parameter, sparse]) => (sparse ? [parameter] : []));
}

/** Whether a layer of the module computes its statistics over all ranks. */
export function hasSyncBatchNorm(module: unknown): boolean {
  return module instanceof Module && [...module.modules()].some((part) => part instanceof SyncBatchNorm);
}
