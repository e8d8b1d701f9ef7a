import { linspace, tensor, type Tensor } from 'aiforge';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

import { capturableDevices } from '#lib/optim/capturable.js';
import { exact, type Exact } from '../support/exact.mjs';
import { camelKeys } from '../nn/reference.mjs';
import { reference } from '../support/reference.mjs';

type Name =
  'SGD' | 'Adam' | 'AdamW' | 'Adamax' | 'NAdam' | 'RAdam' | 'Adagrad' | 'Adadelta' | 'RMSprop' | 'Rprop' | 'ASGD';
type Case = [name: Name, options: Record<string, unknown>, withRate: boolean, steps: number];

const options: Record<Name, Record<string, unknown>[]> = {
  SGD: [{ weight_decay: 0.1 }, { momentum: 0.9, nesterov: true, maximize: true }],
  Adam: [{}, { amsgrad: true, weight_decay: 0.1 }],
  AdamW: [{}],
  Adamax: [{ weight_decay: 0.1 }],
  NAdam: [{}, { weight_decay: 0.1, decoupled_weight_decay: true }],
  RAdam: [{ betas: [0.5, 0.9] }],
  Adagrad: [{ lr_decay: 0.1, weight_decay: 0.1 }],
  Adadelta: [{ maximize: true }],
  RMSprop: [{}, { centered: true, momentum: 0.9 }],
  Rprop: [{}],
  ASGD: [{ t0: 0 }],
};

const names = Object.keys(options) as Name[];
const isCapturable = (name: Name): boolean => name !== 'SGD' && name !== 'Adagrad';
const cases: Case[] = names.flatMap((name) =>
  [
    ...options[name],
    ...(isCapturable(name) ? options[name].map((given) => ({ ...given, capturable: true })) : []),
  ].flatMap((given): Case[] => [
    [name, given, false, 1],
    [name, given, false, 3],
    [name, given, true, 2],
  ]),
);

function gradients([name, given, withRate, steps]: Case): (Exact | null)[] | null {
  const start = linspace(-1, 1, 6).reshape(2, 3).requiresGrad_();
  const gradient = linspace(0.5, -0.7, 6).reshape(2, 3).requiresGrad_();
  const rate = tensor(0.05).requiresGrad_();
  const parameter = start.clone();
  parameter.grad = gradient;
  const all = { differentiable: true, ...(withRate ? { lr: rate } : {}), ...camelKeys(given) };
  type AnyOptimizer = new (params: Tensor[], options: object) => optim.Optimizer;
  try {
    const optimizer = new (optim[name] as AnyOptimizer)([parameter], all);
    for (let i = 0; i < steps; ++i) optimizer.step();
    parameter.square().sum().backward();
  } catch (error) {
    if (process.env.SHOW) console.log(name, given, withRate, steps, String(error).split('\n').slice(-3));
    return null;
  }
  return [parameter, start.grad, gradient.grad, rate.grad].map((value) => (value === null ? null : exact(value)));
}

describe('differentiable optimizers', () => {
  // As on a GPU.
  before(() => capturableDevices.add('cpu'));
  after(() => capturableDevices.delete('cpu'));

  it('pass gradients through their steps as PyTorch does', function () {
    const expected = JSON.parse(reference(this, 'optim_differentiable.py', JSON.stringify(cases))) as unknown[];
    const different = cases.filter((example, i) => {
      const actual = gradients(example);
      const same = JSON.stringify(actual) === JSON.stringify(expected[i]);
      if (!same && process.env.SHOW)
        console.log(JSON.stringify(example), JSON.stringify(actual), JSON.stringify(expected[i]));
      return !same;
    });
    expect(different).to.deep.equal([]);
    // Some are refused: a graph needs what a later step has changed.
    expect(expected.filter((result) => result !== null)).to.have.length.above(20);
  });
});
