import { inspect } from 'node:util';

import { linspace, memory, ones, randn, scope, tensor, zeros, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

import { exact, type Exact } from '../support/exact.mjs';
import { python, runPython } from '../nn/reference.mjs';
import { collectGarbage } from '../support/garbage.mjs';

const mlp = (): nn.Sequential => new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));

const makers: Record<string, (model: nn.Module) => optim.Optimizer> = {
  SGD: (model) => new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
  'SGD fused': (model) => new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, fused: true }),
  Adam: (model) => new optim.Adam(model.parameters(), { amsgrad: true, weightDecay: 0.1, maximize: true }),
  AdamW: (model) => new optim.AdamW(model.parameters()),
  'AdamW fused': (model) => new optim.AdamW(model.parameters(), { fused: true }),
  Adamax: (model) => new optim.Adamax(model.parameters(), { weightDecay: 0.1 }),
  NAdam: (model) => new optim.NAdam(model.parameters(), { weightDecay: 0.1, decoupledWeightDecay: true }),
  RAdam: (model) => new optim.RAdam(model.parameters(), { betas: [0.5, 0.9] }),
  Adagrad: (model) => new optim.Adagrad(model.parameters(), { lrDecay: 0.1, maximize: true }),
  'Adagrad fused': (model) => new optim.Adagrad(model.parameters(), { fused: true }),
  Adadelta: (model) => new optim.Adadelta(model.parameters(), { weightDecay: 0.1 }),
  RMSprop: (model) => new optim.RMSprop(model.parameters(), { centered: true, momentum: 0.9 }),
  Rprop: (model) => new optim.Rprop(model.parameters(), { maximize: true }),
  'Rprop of one': (model) => new optim.Rprop([...model.parameters()].slice(0, 1)),
  ASGD: (model) => new optim.ASGD(model.parameters(), { t0: 2 }),
  Adafactor: (model) => new optim.Adafactor(model.parameters(), { weightDecay: 0.1 }),
  Muon: (model) => new optim.Muon([...model.parameters()].filter((parameter) => parameter.ndim === 2)),
};

function train(model: nn.Sequential, optimizer: optim.Optimizer, x: Tensor, steps: number): void {
  for (let i = 0; i < steps; ++i) {
    scope(() => {
      optimizer.zeroGrad();
      model.forward(x).square().mean().backward();
      optimizer.step();
    });
  }
}

const parameter = (): nn.Parameter => new nn.Parameter(ones([2]));

/** Parameters of several sizes after a few steps, in one optimizer or in one for each. */
function trainedApart(dtype: 'float16' | 'bfloat16' | 'float32' | 'float64', make: Maker, areApart: boolean): Exact[] {
  const sizes = [[], [1], [7], [3, 11], [0, 2], [65]];
  const start = sizes.map((size, i) =>
    linspace(-2, 3 + i, 65)
      .narrow(0, 0, ones(size).numel())
      .reshape(size)
      .to(dtype),
  );
  const parameters = start.map((values) => new nn.Parameter(values));
  const optimizers = areApart ? parameters.map((one) => make([one])) : [make(parameters)];
  for (let i = 1; i < 4; ++i) {
    for (const one of parameters)
      one.grad = one
        .detach()
        .mul(0.3)
        .add(1 / i);
    for (const optimizer of optimizers) optimizer.step();
  }
  return parameters.map(exact);
}

type Maker = (parameters: nn.Parameter[]) => optim.Optimizer;

const numbered: Record<string, Maker> = {
  SGD: (parameters) => new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 }),
  Adam: (parameters) => new optim.Adam(parameters, { amsgrad: true, weightDecay: 0.1 }),
  AdamW: (parameters) => new optim.AdamW(parameters, { lr: 0.3 }),
  Adamax: (parameters) => new optim.Adamax(parameters),
  NAdam: (parameters) => new optim.NAdam(parameters, { decoupledWeightDecay: true, weightDecay: 0.1 }),
  RAdam: (parameters) => new optim.RAdam(parameters, { betas: [0.5, 0.9] }),
  Adadelta: (parameters) => new optim.Adadelta(parameters),
  Adagrad: (parameters) => new optim.Adagrad(parameters, { foreach: true }),
  RMSprop: (parameters) => new optim.RMSprop(parameters, { centered: true, momentum: 0.9 }),
  ASGD: (parameters) => new optim.ASGD(parameters, { lambd: 0.3 }),
};

describe('optimizers', () => {
  for (const [name, make] of Object.entries(numbered)) {
    // One tensor of each number serves all parameters of a list; a parameter alone gets the number itself.
    it(`give several parameters the bits that each gets alone: ${name}`, () => {
      for (const dtype of ['float16', 'bfloat16', 'float32', 'float64'] as const) {
        expect(trainedApart(dtype, make, false), dtype).to.deep.equal(trainedApart(dtype, make, true));
      }
    });
  }

  it('give groups the options that they lack, and let them be changed between steps', () => {
    const [a, b] = [parameter(), parameter()];
    const optimizer = new optim.SGD([{ params: a, lr: 1 }, { params: [b] }], { lr: 0.5, momentum: undefined });
    expect(optimizer.paramGroups.map(({ lr, momentum }) => [lr, momentum])).to.deep.equal([
      [1, 0],
      [0.5, 0],
    ]);
    a.add(b).sum().backward();
    optimizer.step();
    optimizer.paramGroups[1]!.lr = 2;
    optimizer.step();
    expect([a.tolist(), b.tolist()]).to.deep.equal([
      [-1, -1],
      [-1.5, -1.5],
    ]);
    optimizer.zeroGrad({ setToNone: false });
    expect(a.grad!.tolist()).to.deep.equal([0, 0]);
    optimizer.zeroGrad();
    expect(b.grad).to.equal(null);
    optimizer.addParamGroup({ params: parameter(), lr: 3 });
    expect(optimizer.paramGroups).to.have.length(3);
  });

  it('leave parameters without gradient alone, and count the steps of each', () => {
    const [a, b] = [parameter(), parameter()];
    const optimizer = new optim.Adam([a, b], { lr: 0.1 });
    a.sum().backward();
    optimizer.step();
    expect(b.tolist()).to.deep.equal([1, 1]);
    expect(optimizer.state.has(b)).to.equal(false);
    b.sum().backward();
    optimizer.step();
    expect([a, b].map((p) => (optimizer.state.get(p)!['step'] as Tensor).item())).to.deep.equal([2, 1]);
    const alone = new nn.Parameter(ones([2]));
    const other = new optim.Adam([alone], { lr: 0.1 });
    alone.sum().backward();
    other.step();
    expect(exact(b)).to.deep.equal(exact(alone));
  });

  it('run a closure with gradients and return its loss', () => {
    const p = parameter();
    const optimizer = new optim.SGD([p], { lr: 0.5 });
    const loss = optimizer.step(() => {
      const value = p.square().sum();
      value.backward();
      return value.item();
    });
    expect(loss).to.equal(2);
    expect(p.tolist()).to.deep.equal([0, 0]);
  });

  it('do not touch the gradients', () => {
    const p = parameter();
    p.grad = tensor([1, 2.5]);
    const optimizer = new optim.SGD([p], { lr: 0.1, momentum: 0.9, nesterov: true });
    optimizer.step();
    optimizer.step();
    expect(p.grad.tolist()).to.deep.equal([1, 2.5]);
  });

  it('print their groups as PyTorch does', () => {
    const optimizer = new optim.SGD([parameter()], { lr: 1e-5, momentum: 0.9 });
    expect(inspect(optimizer)).to.equal(`SGD (
Parameter Group 0
    dampening: 0
    differentiable: False
    foreach: None
    fused: None
    lr: 1e-05
    maximize: False
    momentum: 0.9
    nesterov: False
    weight_decay: 0
)`);
  });

  for (const [name, make] of Object.entries(makers)) {
    it(`${name}: holds the same number of tensors however many steps it takes`, () => {
      const model = mlp();
      const optimizer = make(model);
      const x = randn([3, 4]);
      train(model, optimizer, x, 2);
      collectGarbage();
      const before = memory.stats().tensors;
      train(model, optimizer, x, 25);
      expect(memory.stats().tensors).to.be.at.most(before);
    });

    it(`${name}: leaves no tensor but its state when it steps outside any scope`, () => {
      const model = mlp();
      const optimizer = make(model);
      scope(() =>
        model
          .forward(randn([3, 4]))
          .sum()
          .backward(),
      );
      collectGarbage();
      const before = memory.stats().tensors;
      optimizer.step();
      const states = [...optimizer.state.values()].flatMap((own) => Object.values(own));
      // What is one number for each parameter are views of one tensor more; NAdam has 2 such, ASGD 3.
      expect(memory.stats().tensors).to.be.at.most(before + states.length + 3);
      optimizer.step();
      expect(memory.stats().tensors).to.be.at.most(before + states.length + 3);
    });

    it(`${name}: leaves the gradients as they are`, () => {
      const model = mlp();
      const optimizer = make(model);
      const gradients = (): unknown[] => Array.from(model.parameters(), (parameter) => exact(parameter.grad!));
      for (let i = 0; i < 3; ++i) {
        optimizer.zeroGrad();
        model.zeroGrad();
        model
          .forward(randn([3, 4]))
          .square()
          .mean()
          .backward();
        const before = gradients();
        optimizer.step();
        expect(gradients()).to.deep.equal(before);
      }
    });

    it(`${name}: goes on from a state dict as if it had never stopped`, () => {
      const [model, other] = [mlp(), mlp()];
      const x = randn([3, 4]);
      const optimizer = make(model);
      train(model, optimizer, x, 3);
      other.loadStateDict(model.stateDict());
      const resumed = make(other);
      resumed.paramGroups[0]!.lr = 7;
      resumed.loadStateDict(optimizer.stateDict());
      train(model, optimizer, x, 3);
      train(other, resumed, x, 3);
      const [expected, actual] = [model, other].map((m) => Array.from(m.parameters(), exact));
      expect(actual).to.deep.equal(expected);
    });
  }

  it('write state dicts in PyTorch’s form', () => {
    const model = new nn.Linear(2, 1);
    const optimizer = new optim.AdamW(model.namedParameters(), { betas: [0.8, 0.9] });
    scope(() =>
      model
        .forward(ones([1, 2]))
        .sum()
        .backward(),
    );
    optimizer.step();
    const { state, param_groups } = optimizer.stateDict();
    expect(Object.keys(state)).to.deep.equal(['0', '1']);
    expect(Object.keys(state[0]!)).to.deep.equal(['step', 'exp_avg', 'exp_avg_sq']);
    expect(param_groups).to.deep.equal([
      {
        lr: 0.001,
        betas: [0.8, 0.9],
        eps: 1e-8,
        weight_decay: 0.01,
        amsgrad: false,
        maximize: false,
        foreach: null,
        capturable: false,
        differentiable: false,
        fused: null,
        decoupled_weight_decay: true,
        param_names: ['weight', 'bias'],
        params: [0, 1],
      },
    ]);
  });

  it('refuse state dicts that do not fit, and stay as they were', () => {
    const optimizer = new optim.Adam([parameter(), parameter()]);
    const fitting = optimizer.stateDict();
    const refuse = (stateDict: optim.OptimizerStateDict, message: RegExp): void => {
      expect(() => optimizer.loadStateDict(stateDict))
        .to.throw(message)
        .with.property('code', 'STATE_DICT_MISMATCH');
    };
    refuse({ state: {}, param_groups: [] }, /0 parameter groups, the optimizer 1/);
    refuse({ state: {}, param_groups: [{ ...fitting.param_groups[0]!, params: [0] }] }, /group 0 has 1 parameters/);
    refuse({ ...fitting, state: { 1: { exp_avg: zeros([3]) } } }, /exp_avg has shape \[3\], the parameter \[2\]/);
    expect(optimizer.state.size).to.equal(0);
  });

  it('go on from what Python saved, bit by bit', function () {
    if (python === undefined) {
      console.log('    skipped: AIFORGE_REFERENCE_PYTHON is not set');
      this.skip();
    }
    interface Saved {
      parameter: Exact;
      state: Record<string, Exact>;
      groups: optim.PackedGroup[];
      final: Exact;
    }
    const saved = runPython<Saved>(`
import json, sys, torch
sys.path.insert(0, 'test/reference')
from recording import exact, exact_map
p = torch.nn.Parameter(torch.linspace(-1, 1, 7, dtype=torch.float64))
optimizer = torch.optim.AdamW([p], lr=0.3, betas=(0.7, 0.93), amsgrad=True)
def step():
  optimizer.zero_grad()
  (p.square() * torch.arange(7)).sum().backward()
  optimizer.step()
for _ in range(5): step()
state = optimizer.state_dict()
result = {'parameter': exact(p), 'state': exact_map(state['state'][0].items()), 'groups': state['param_groups']}
for _ in range(40): step()
print(json.dumps({**result, 'final': exact(p)}))`);
    const toTensor = ({ shape, hex, dtype }: Exact): Tensor => {
      const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
      const data = dtype === 'float64' ? new Float64Array(bytes.buffer) : new Float32Array(bytes.buffer);
      return tensor(data).view(shape);
    };
    const p = new nn.Parameter(toTensor(saved.parameter));
    const optimizer = new optim.AdamW([p], { lr: 99 });
    const state = Object.fromEntries(Object.entries(saved.state).map(([key, value]) => [key, toTensor(value)]));
    optimizer.loadStateDict({ state: { 0: state }, param_groups: saved.groups });
    for (let i = 0; i < 40; ++i) {
      scope(() => {
        optimizer.zeroGrad();
        p.square()
          .mul(tensor([0, 1, 2, 3, 4, 5, 6]))
          .sum()
          .backward();
        optimizer.step();
      });
    }
    expect(exact(p)).to.deep.equal(saved.final);
  });
});
