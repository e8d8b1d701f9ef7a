import type { Module } from '../../nn/index.js';
import { tensor, zerosLike, type Tensor } from '../../tensor/index.js';
import type { Ranks } from '../ranks.js';

/** The gradients of every rank by the parameters' names, for rank 0 to write: those of a window that is open are each rank's own. */
export async function gatherGradients(model: Module, ranks: Ranks): Promise<Record<string, Tensor>[]> {
  const all: Record<string, Tensor>[] = Array.from({ length: ranks.worldSize }, () => ({}));
  const parameters = [...model.namedParameters()];
  const present = await ranks.gather(tensor(parameters.map(([, { grad }]) => Number(grad !== null))));
  const has = present.map((flags) => flags.tolist<number[]>());
  for (const [i, [name, parameter]] of parameters.entries()) {
    if (!has.some((flags) => flags[i] === 1)) continue;
    const gathered = await ranks.gather((parameter.grad ?? zerosLike(parameter.detach())).cpu());
    gathered.forEach((gradient, rank) => {
      if (has[rank]![i] === 1) all[rank]![name] = gradient;
    });
  }
  return all;
}

/** Gives the parameters the gradients that a rank had. */
export function restoreGradients(model: Module, gradients: Record<string, Tensor>): void {
  for (const [name, parameter] of model.namedParameters()) {
    const gradient = gradients[name];
    if (gradient !== undefined) parameter.grad = gradient.to(parameter.device);
  }
}
