import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { getNumThreads, linspace, load, save, scope, setNumThreads, sparseCooTensor, tensor, Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

import { capturableDevices } from '#lib/optim/capturable.js';
import { exact } from '../support/exact.mjs';
import { camelKeys } from '../nn/reference.mjs';
import { reference } from '../support/reference.mjs';

const STEPS = 10;

const cases = {
  SGD: { lr: 0.1, momentum: 0.9, nesterov: true },
  Adam: { lr: 0.05, amsgrad: true },
  AdamW: { lr: 0.05, weight_decay: 0.2 },
  Adamax: { lr: 0.05, weight_decay: 0.1 },
  NAdam: { lr: 0.05, momentum_decay: 0.01 },
  RAdam: { lr: 0.05, betas: [0.5, 0.9] },
  Adagrad: { lr: 0.1, lr_decay: 0.1, initial_accumulator_value: 0.5 },
  Adadelta: { lr: 0.5, rho: 0.5 },
  RMSprop: { lr: 0.02, momentum: 0.5, centered: true },
  Rprop: { lr: 0.02 },
  ASGD: { lr: 0.1, lambd: 0.01, t0: 5 },
  LBFGS: { max_iter: 1, history_size: 3 },
  SparseAdam: { lr: 0.05 },
  Adafactor: { lr: 0.1, weight_decay: 0.1 },
  Muon: { lr: 0.05 },
  // Not on a GPU, but counted and computed as there.
  'Adam, capturable': { lr: 0.05, amsgrad: true, capturable: true, foreach: true },
  'AdamW, capturable': { lr: 0.05, capturable: true },
  'Adamax, capturable': { lr: 0.05, capturable: true },
  'NAdam, capturable': { lr: 0.05, capturable: true, foreach: true },
  'RAdam, capturable': { lr: 0.05, betas: [0.5, 0.9], capturable: true },
  'Adadelta, capturable': { lr: 0.5, rho: 0.5, capturable: true, foreach: true },
  'RMSprop, capturable': { lr: 0.02, momentum: 0.5, capturable: true },
  'Rprop, capturable': { lr: 0.02, capturable: true, foreach: true },
  'ASGD, capturable': { lr: 0.1, lambd: 0.01, t0: 5, capturable: true },
};

type Name = keyof typeof cases;
interface Left {
  parameters: unknown;
  state: unknown;
}
type AnyOptimizer = new (params: Tensor[], options: object) => optim.Optimizer;
interface Saved {
  parameters: Tensor[];
  optimizer: optim.OptimizerStateDict;
}

const make = (name: Name, parameters: Tensor[], options: object): optim.Optimizer =>
  new (optim[name.split(',')[0] as keyof typeof optim] as AnyOptimizer)(parameters, options);

function parametersOf(name: Name): Tensor[] {
  const shapes =
    name === 'Muon' || name === 'SparseAdam'
      ? [
          [2, 3],
          [3, 2],
        ]
      : [[2, 3], [3], []];
  const sizeOf = (shape: number[]) => shape.reduce((product, size) => product * size, 1);
  return shapes.map((shape) => new nn.Parameter(linspace(-1, 1, sizeOf(shape)).reshape(shape)));
}

// As test/reference/optim_exchange.py does it.
function take(optimizer: optim.Optimizer, parameters: Tensor[], step: number): void {
  if (optimizer instanceof optim.LBFGS) {
    optimizer.step(() => {
      optimizer.zeroGrad();
      const losses = parameters.map((p) => p.sub(1).square().mul(p.add(2).square()).sum());
      const loss = losses.reduce((sum, item) => sum.add(item));
      loss.backward();
      return loss;
    });
    return;
  }
  for (const parameter of parameters) {
    const gradient = parameter
      .detach()
      .mul(0.5)
      .add(0.1 * ((step % 3) - 1));
    parameter.grad =
      optimizer instanceof optim.SparseAdam
        ? sparseCooTensor(tensor([[0, 1]]), gradient.narrow(0, 0, 2), gradient.shape)
        : gradient;
  }
  optimizer.step();
}

function run(optimizer: optim.Optimizer, parameters: Tensor[], from: number, to: number): Left {
  for (let step = from; step < to; ++step) scope(() => take(optimizer, parameters, step));
  const plain = (value: unknown): unknown => {
    if (Tensor.isTensor(value)) return exact(value);
    return Array.isArray(value) ? value.map(plain) : value;
  };
  const { state } = optimizer.stateDict();
  const states = Object.entries(state).map(([i, own]) => [
    i,
    Object.fromEntries(Object.entries(own).map(([key, value]) => [key, plain(value)])),
  ]);
  return { parameters: parameters.map(exact), state: states };
}

describe('optimizers handed over in files of torch.save', function () {
  const folder = mkdtempSync(path.join(tmpdir(), 'aiforge-optim-'));
  const names = Object.keys(cases) as Name[];
  let threads: number;
  before(() => {
    threads = getNumThreads();
    setNumThreads(1);
    capturableDevices.add('cpu');
  });
  after(() => {
    setNumThreads(threads);
    capturableDevices.delete('cpu');
    rmSync(folder, { recursive: true });
  });

  it('go on here as they would have in Python', function () {
    const given = JSON.stringify(Object.entries(cases));
    const expected = JSON.parse(reference(this, 'optim_exchange.py', 'begin', folder, given)) as Record<Name, Left>;
    for (const name of names) {
      const saved = load<Saved>(path.join(folder, `${name}.pt`));
      const parameters = saved.parameters.map((value) => new nn.Parameter(value));
      const optimizer = make(name, parameters, {});
      optimizer.loadStateDict(saved.optimizer);
      expect(run(optimizer, parameters, STEPS, 2 * STEPS), name).to.deep.equal(expected[name]);
    }
  });

  it('go on in Python as they would have here', function () {
    const expected = {} as Record<Name, Left>;
    for (const name of names) {
      const parameters = parametersOf(name);
      const optimizer = make(name, parameters, camelKeys(cases[name]));
      run(optimizer, parameters, 0, STEPS);
      const values = parameters.map((parameter) => parameter.detach());
      save({ parameters: values, optimizer: optimizer.stateDict() }, path.join(folder, `${name}.pt`));
      expected[name] = run(optimizer, parameters, STEPS, 2 * STEPS);
    }
    const given = JSON.stringify(Object.entries(cases));
    const actual = JSON.parse(reference(this, 'optim_exchange.py', 'go_on', folder, given)) as Record<Name, Left>;
    for (const name of names) expect(actual[name], name).to.deep.equal(expected[name]);
  });
});
