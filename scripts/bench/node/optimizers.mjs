// Optimizer steps on many parameters; python/optimizers.py has the same.
import { nn, optim, randn } from 'aiforge';

const PARAMETERS = 500;
const ELEMENTS = 64;

/** A step on 500 parameters of 64 elements, whose gradients stay. */
function steps(make) {
  return () => {
    const parameters = Array.from({ length: PARAMETERS }, () => new nn.Parameter(randn(ELEMENTS)));
    for (const parameter of parameters) parameter.grad = randn(ELEMENTS);
    const optimizer = make(parameters);
    return () => optimizer.step();
  };
}

const row = (make) => ({ build: steps(make), iterations: 5, warmUp: 100 });

export const optimizers = {
  adam_fused_500: row((parameters) => new optim.Adam(parameters, { fused: true })),
  adamw_fused_500: row((parameters) => new optim.AdamW(parameters, { fused: true })),
  sgd_fused_500: row((parameters) => new optim.SGD(parameters, { lr: 0.01, momentum: 0.9, fused: true })),
};
