import { memory, ones, randn, scope, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

import { exact, fromExact, type Exact } from '../support/exact.mjs';
import { expectRecorded, recorded } from '../support/recorded.mjs';
import { collectGarbage } from '../support/garbage.mjs';

const swa = optim.swaUtils;

interface Recording {
  x: Exact;
  y: Exact;
  initial: Record<string, Exact>;
  printed: string;
  averaged: Record<string, Record<string, Exact>>;
  updated: Record<string, Record<string, Exact>>;
}

const options: Record<string, optim.swaUtils.AveragedModelOptions> = {
  equal: {},
  'equal with lists': { multiAvgFn: swa.getSwaMultiAvgFn() },
  'equal with a function': { avgFn: swa.getSwaAvgFn() },
  exponential: { multiAvgFn: swa.getEmaMultiAvgFn(0.9) },
  'exponential by default': { multiAvgFn: swa.getEmaMultiAvgFn() },
  'exponential with a function': { avgFn: swa.getEmaAvgFn(0.9) },
  'exponential by default with a function': { avgFn: swa.getEmaAvgFn() },
  'equal with buffers': { useBuffers: true },
  'exponential with buffers': { useBuffers: true, multiAvgFn: swa.getEmaMultiAvgFn(0.9) },
  'a function with buffers': { useBuffers: true, avgFn: swa.getEmaAvgFn(0.9) },
};

const stateOf = (module: nn.Module) =>
  Object.fromEntries(Object.entries(module.stateDict()).map(([key, tensor]) => [key, exact(tensor)]));

function run({ x, y, initial }: Recording) {
  const [inputs, targets] = [fromExact(x), fromExact(y)];
  const model = new nn.Sequential(new nn.Linear(4, 6), new nn.BatchNorm1d(6), new nn.Tanh(), new nn.Linear(6, 2));
  model.loadStateDict(Object.fromEntries(Object.entries(initial).map(([key, value]) => [key, fromExact(value)])));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const averaged = Object.fromEntries(
    Object.entries(options).map(([name, given]) => [name, new swa.AveragedModel(model, given)]),
  );
  for (let i = 0; i < inputs.shape[0]!; ++i) {
    scope(() => {
      optimizer.zeroGrad();
      model.forward(inputs.select(0, i)).sub(targets.select(0, i)).square().mean().backward();
      optimizer.step();
    });
    for (const other of Object.values(averaged)) other.updateParameters(model);
  }
  return { averaged, batches: inputs.unbind() };
}

describe('AveragedModel', () => {
  const recording = recorded<Recording>('swa');
  let averaged: Record<string, optim.swaUtils.AveragedModel>;
  let batches: Tensor[];
  before(() => {
    ({ averaged, batches } = run(recording));
  });

  for (const name of Object.keys(options)) {
    it(`averages as PyTorch: ${name}`, () => {
      const model = averaged[name]!;
      expectRecorded(stateOf(model), recording.averaged[name], name);
      expect(Object.keys(model.stateDict())).to.deep.equal(Object.keys(recording.averaged[name]!));
      const training = model.training;
      swa.updateBn(
        batches.map((batch) => [batch, null]),
        model,
      );
      expectRecorded(stateOf(model), recording.updated[name], `${name}, updated`);
      expect(model.training).to.equal(training);
      expect([...model.modules()].find((module) => module instanceof nn.BatchNorm1d)!.momentum).to.equal(0.1);
    });
  }

  it('prints as in PyTorch', () => {
    expect(String(averaged.equal)).to.equal(recording.printed);
  });

  it('takes a state dict, and computes as the model', () => {
    const model = new nn.Linear(3, 2);
    const averaged = new swa.AveragedModel(model);
    averaged.updateParameters(model);
    const other = new swa.AveragedModel(new nn.Linear(3, 2));
    other.loadStateDict(averaged.stateDict());
    expect(other.nAveraged.item()).to.equal(1);
    const x = randn([4, 3]);
    expect(exact(other.forward(x))).to.deep.equal(exact(model.forward(x)));
  });

  it('shares nothing with the model, and keeps no tensors', () => {
    const model = new nn.Linear(3, 2);
    const averaged = scope(() => new swa.AveragedModel(model, { multiAvgFn: swa.getSwaMultiAvgFn() }));
    model.weight.detach().fill_(1);
    averaged.updateParameters(model);
    model.weight.detach().fill_(4);
    averaged.updateParameters(model);
    expect(averaged.module.weight.detach().at(0, 0).item()).to.equal(2.5);
    collectGarbage();
    const before = memory.stats().tensors;
    for (let i = 0; i < 50; ++i) averaged.updateParameters(model);
    expect(memory.stats().tensors).to.equal(before);
  });

  it('averages parameters of several dtypes apart', () => {
    const model = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2).to('float64')]);
    const calls: string[][] = [];
    const averaged = new swa.AveragedModel(model, {
      multiAvgFn: (own, current, count) => {
        calls.push(own.map(({ dtype }) => dtype));
        swa.getSwaMultiAvgFn()(own, current, count);
      },
    });
    averaged.updateParameters(model);
    expect(calls).to.deep.equal([]);
    averaged.updateParameters(model);
    expect(calls).to.deep.equal([
      ['float32', 'float32'],
      ['float64', 'float64'],
    ]);
  });

  it('takes the number of models as a number too', () => {
    const [a, b] = [ones([2]), ones([2]).mul(4)];
    swa.getSwaMultiAvgFn()([a], [b], 2);
    expect(a.tolist()).to.deep.equal([2, 2]);
    expect(
      swa
        .getSwaAvgFn()(ones([1]), ones([1]).mul(4), 2)
        .tolist(),
    ).to.deep.equal([2]);
  });

  it('refuses two functions, decays out of range, and models of other buffers', () => {
    const invalid = (make: () => unknown, message: RegExp) =>
      expect(make).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
    const model = new nn.Linear(2, 2);
    const both = { avgFn: swa.getSwaAvgFn(), multiAvgFn: swa.getSwaMultiAvgFn() };
    invalid(() => new swa.AveragedModel(model, both), /avgFn and multiAvgFn/);
    invalid(() => swa.getEmaAvgFn(-0.1), /decay.*-0\.1/);
    invalid(() => swa.getEmaMultiAvgFn(1.5), /decay.*1\.5/);
    const averaged = new swa.AveragedModel(model);
    invalid(() => averaged.updateParameters(new nn.BatchNorm1d(2)), /3 buffers, the averaged one 0/);
  });

  it('updateBn leaves a model without batch norms alone', () => {
    const model = new nn.Linear(2, 2).eval();
    swa.updateBn([randn([2, 2])], model);
    expect(model.training).to.equal(false);
  });
});
