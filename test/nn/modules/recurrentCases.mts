import { manualSeed, noGrad, rand, randn, Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';

import { exact, type Exact } from '../../support/exact.mjs';

/** What a module computed: see test/reference/module_cases.py. */
export interface Found {
  repr: string;
  keys: string[];
  found: (Exact | null)[];
}

export interface Case extends Found {
  training: boolean;
  grads: boolean;
  mode: string;
  inputs: number[][];
  options: Record<string, unknown>;
}

const tensorsIn = (value: unknown): Tensor[] => {
  if (value instanceof nn.utils.rnn.PackedSequence) return [value.data];
  return value instanceof Tensor ? [value] : (value as unknown[]).flatMap(tensorsIn);
};

/** Runs a case as Python ran it. */
export function compute<M extends nn.Module>(
  { training, grads, inputs: shapes }: Case,
  make: () => M,
  call: (layer: M, inputs: Tensor[]) => unknown,
): Found {
  manualSeed(0);
  const layer = make().train(training);
  const inputs = shapes.map((shape) => randn(shape).requiresGrad_(grads));
  const run = (): Tensor[] => tensorsIn(call(layer, inputs));
  const outputs = grads ? run() : noGrad(run);
  const state = layer.stateDict();
  const found: (Tensor | null)[] = [...Object.values(state), ...outputs];
  if (grads) {
    outputs
      .map((output) => output.mul(output).sum())
      .reduce((sum, next) => sum.add(next))
      .backward();
    found.push(...[...inputs, ...layer.parameters()].map((leaf) => leaf.grad));
  }
  found.push(rand([1]));
  return { repr: String(layer), keys: Object.keys(state), found: found.map((item) => item && exact(item)) };
}
