import { empty, memory, ones, scope, tensor, type Device, type Tensor } from 'aiforge';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

import { native } from '#lib/native.js';
import { capturableDevices } from '#lib/optim/capturable.js';
import { thrownBy } from '../cuda/gpu.mjs';
import { collectGarbage } from '../support/garbage.mjs';

const names = ['Adam', 'AdamW', 'NAdam', 'RAdam', 'Adamax', 'RMSprop', 'Adadelta', 'ASGD', 'Rprop'] as const;
type Name = (typeof names)[number];

function make(name: Name, device: Device, options: object): { optimizer: optim.Optimizer; step: () => void } {
  const parameters = [[2, 3], [3], []].map((shape) => empty(shape, { device }).fill_(1).requiresGrad_());
  type AnyOptimizer = new (params: Tensor[], options: object) => optim.Optimizer;
  const optimizer = new (optim[name] as AnyOptimizer)(parameters, { capturable: true, ...options });
  const step = (): void => {
    for (const parameter of parameters) parameter.grad = empty(parameter.shape, { device }).fill_(0.5);
    optimizer.step();
  };
  return { optimizer, step };
}

const stepsOf = ({ state }: optim.Optimizer): Tensor[] => [...state.values()].map(({ step }) => step as Tensor);

// What a GPU would take: the CPU computes the same, and meta tensors have no numbers that could be read.
function withDevice(device: Device): void {
  before(() => capturableDevices.add(device));
  after(() => capturableDevices.delete(device));
}

describe('capturable optimizers', () => {
  it('take parameters on the CPU only where one operator makes the step, as PyTorch', () => {
    for (const name of names) {
      for (const foreach of [true, false]) {
        const error = thrownBy(make(name, 'cpu', { foreach }).step);
        expect(error.message, name).to.match(/capturable: .*on a GPU, got parameters on cpu/);
        expect(error.code, name).to.equal('INVALID_ARGUMENT');
      }
    }
    const { optimizer, step } = make('AdamW', 'cpu', { fused: true });
    step();
    expect(stepsOf(optimizer).map((count) => count.item())).to.deep.equal([1, 1, 1]);
  });

  it('refuse a counter that is elsewhere', () => {
    capturableDevices.add('meta');
    try {
      const { optimizer, step } = make('Adam', 'meta', { capturable: false, foreach: true });
      step();
      Object.assign(optimizer.paramGroups[0]!, { capturable: true });
      expect(thrownBy(step).message).to.match(/parameters on meta and counters on cpu/);
    } finally {
      capturableDevices.delete('meta');
    }
  });
});

describe('capturable optimizers, without a number that could be read', () => {
  withDevice('meta');

  it('have a loaded number of steps where the parameters are, others where it was saved', () => {
    for (const name of names) {
      const saved = make(name, 'cpu', { capturable: false, foreach: false });
      saved.step();
      for (const capturable of [true, false]) {
        const state = saved.optimizer.stateDict();
        state.param_groups[0]!.capturable = capturable;
        const { optimizer } = make(name, 'meta', {});
        optimizer.loadStateDict(state);
        expect(
          stepsOf(optimizer).map(({ device }) => device),
          name,
        ).to.deep.equal(new Array(3).fill(capturable ? 'meta' : 'cpu'));
      }
    }
  });

  // LibTorch has `where` and `abs` for meta tensors in Python only.
  for (const name of names.filter((each) => each !== 'RAdam' && each !== 'Adamax')) {
    it(`${name} reads none, also of a tensor of the learning rate where PyTorch does not`, () => {
      for (const foreach of [true, false]) {
        const { optimizer, step } = make(name, 'meta', { foreach });
        step();
        step();
        expect(stepsOf(optimizer).map(({ device }) => device)).to.deep.equal(['meta', 'meta', 'meta']);
        optimizer.paramGroups[0]!.lr = empty([], { device: 'meta' });
        const readsRate = !foreach && (name === 'RMSprop' || name === 'Adadelta');
        if (readsRate) expect(thrownBy(step).message).to.match(/Tensor\.item/);
        else step();
      }
    });
  }
});

describe('capturable optimizers, as on a GPU', () => {
  withDevice('cpu');

  for (const name of ['RAdam', 'Adamax'] as const) {
    it(`${name} asks for no number`, () => {
      const item: unknown = Reflect.get(native, 'item');
      for (const foreach of [true, false]) {
        const { optimizer, step } = make(name, 'cpu', { foreach, lr: tensor(0.1) });
        step();
        Reflect.set(native, 'item', () => {
          throw new Error('a number was read');
        });
        try {
          step();
        } finally {
          Reflect.set(native, 'item', item);
        }
        expect(stepsOf(optimizer).map((count) => count.item())).to.deep.equal([2, 2, 2]);
      }
    });
  }

  it('go on with the tensors of the state, which a graph changes too', () => {
    for (const name of names) {
      const { optimizer, step } = make(name, 'cpu', {});
      step();
      const [first] = optimizer.state.values();
      const before = { ...first };
      const [parameter] = optimizer.paramGroups[0]!.params;
      parameter!.grad = null;
      optimizer.step();
      step();
      for (const [key, value] of Object.entries(first!)) expect(value, `${name} ${key}`).to.equal(before[key]);
      // The first had no gradient once.
      expect(
        stepsOf(optimizer).map((count) => count.item()),
        name,
      ).to.deep.equal([2, 3, 3]);
    }
  });

  it('leave no tensor but their state', () => {
    for (const name of names) {
      for (const foreach of [true, false]) {
        const { optimizer, step } = make(name, 'cpu', { foreach });
        scope(step);
        collectGarbage();
        const first = memory.stats().tensors;
        for (let i = 0; i < 5; ++i) scope(step);
        collectGarbage();
        expect(memory.stats().tensors, name).to.be.at.most(first);
        for (const count of stepsOf(optimizer)) expect(count.item(), name).to.equal(6);
      }
    }
  });

  it('can be made so and no more, between steps', () => {
    const { optimizer, step } = make('AdamW', 'cpu', { foreach: true });
    const group = optimizer.paramGroups[0] as optim.ParameterGroup<optim.AdamOptions>;
    const [parameter] = group.params;
    step();
    parameter!.grad = null;
    optimizer.step();
    group.capturable = false;
    step();
    group.capturable = true;
    step();
    expect(stepsOf(optimizer).map((count) => count.item())).to.deep.equal([3, 4, 4]);
  });

  it('count in float32, whatever dtype the loaded numbers and the parameters have', () => {
    const { optimizer, step } = make('NAdam', 'cpu', {});
    step();
    const saved = optimizer.stateDict();
    saved.state[0]!.step = tensor(3, { dtype: 'float64' });
    saved.state[1]!.step = 3;
    saved.state[1]!.mu_product = 0.25;
    const parameters = [[2, 3], [3], []].map((shape) => ones(shape, { dtype: 'bfloat16' }).requiresGrad_());
    const other = new optim.NAdam(parameters);
    other.loadStateDict(saved);
    const [first, second] = parameters.map((parameter) => other.state.get(parameter)!);
    const shown = [first!.step, second!.step, second!.mu_product].map((value) => value as Tensor);
    expect(shown.map(({ dtype }) => dtype)).to.deep.equal(['float32', 'float32', 'float32']);
    expect(shown.map((value) => value.item())).to.deep.equal([3, 3, 0.25]);
  });
});
