import { arange, noGrad, scope, type Tensor } from 'aiforge';
import type * as nn from 'aiforge/nn';

import { exact, type Exact } from '../support/exact.mjs';

export const stateOf = (module: nn.Module): Record<string, Exact> =>
  Object.fromEntries(Object.entries(module.stateDict()).map(([key, tensor]) => [key, exact(tensor)]));

/** What `train` of the reference script gives: the printed module, the losses of three steps, and the state. */
export function train(module: nn.Module & { forward(x: Tensor): Tensor }, shape: number[]): unknown[] {
  const losses: Exact[] = [];
  for (let step = 1; step <= 3; ++step) {
    scope(() => {
      const size = shape.reduce((a, b) => a * b);
      const x = arange(size, { dtype: 'float32' }).sub(3).mul(0.25).mul(step).reshape(shape);
      const loss = module.forward(x).square().sum();
      module.zeroGrad();
      loss.backward();
      noGrad(() => {
        for (const parameter of module.parameters()) {
          if (parameter.grad !== null) parameter.sub_(parameter.grad.mul(0.001));
        }
      });
      losses.push(exact(loss));
    });
  }
  return [String(module), losses, stateOf(module)];
}
