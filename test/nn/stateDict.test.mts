import { ones, scope, tensor, zeros, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { section } from './reference.mjs';

class Extra extends nn.Module {
  static override readonly stateDictVersion = 3;
  weight = new nn.Parameter(zeros([2]));
  count = new nn.Buffer(zeros([]));
  hidden = new nn.Buffer(zeros([1]), { persistent: false });
  extra: unknown = null;
  override forward(): void {}
  override getExtraState(): unknown {
    return { value: 7 };
  }
  override setExtraState(state: unknown): void {
    this.extra = state;
  }
}

function makeModel(): [model: nn.Sequential, first: Extra, second: nn.Linear] {
  const [first, second] = [new Extra(), new nn.Linear(2, 1)];
  return [new nn.Sequential({ first: first as unknown as nn.Layer, second }), first, second];
}

describe('state dicts', () => {
  it("run the hooks, versions and extra state as Python's", function () {
    const expected = section<Record<string, unknown>>('module_core', 'state');
    if (expected === undefined) this.skip();
    const log: unknown[] = [];
    const [model, first, second] = makeModel();
    for (const [name, module] of Object.entries({ model, first, second }) as [string, nn.Module][]) {
      module.registerStateDictPreHook((_, prefix, keep) => void log.push([name, 'pre', prefix, keep]));
      module.registerStateDictPostHook((_, state, prefix, { version }) => {
        log.push([name, 'post', prefix, Object.keys(state), version]);
      });
      module.registerLoadStateDictPreHook((_, state, prefix, { version = null }) => {
        log.push([name, 'load pre', prefix, [...state.keys()], version]);
      });
      module.registerLoadStateDictPostHook((_, { missingKeys, unexpectedKeys }) => {
        log.push([name, 'load post', [...missingKeys], [...unexpectedKeys]]);
      });
    }
    const saved = model.stateDict();
    model.loadStateDict(saved);
    const prefixed = Object.keys(model.stateDict({ prefix: 'net.', keepVars: true }));
    delete saved['second.bias'];
    saved['second.more'] = zeros([1]);
    saved['third.weight'] = zeros([1]);
    const { missingKeys: missing, unexpectedKeys: unexpected } = model.loadStateDict(saved, { strict: false });
    model.loadStateDict({ ...saved }, { strict: false });
    expect({
      log,
      prefixed,
      missing,
      unexpected,
      extra: first.extra,
    }).to.deep.equal(expected);
  });

  it('are compared by the names of each level, whatever is behind them', () => {
    const [model] = makeModel();
    const more = ['second.weight.x', 'second.a.b.c', 'second.a', 'third.a.b', 'firstly.weight', 'second.', 'second..'];
    const state = { ...model.stateDict(), ...Object.fromEntries(more.map((key) => [key, zeros([1])])) };
    const { missingKeys, unexpectedKeys } = model.loadStateDict(state, { strict: false });
    expect([missingKeys, new Set(unexpectedKeys)]).to.deep.equal([[], new Set(more)]);
    expect(unexpectedKeys).to.have.length(more.length);
  });

  it('are loaded at a cost that does not grow with what is behind the first name of a key', () => {
    let model: nn.Module = new nn.Linear(1, 1);
    for (let i = 0; i < 60; ++i) model = new nn.Sequential({ inner: model as nn.Layer, more: new nn.Linear(1, 1) });
    const state = model.stateDict();
    const split = Reflect.get(String.prototype, 'split') as (...args: unknown[]) => string[];
    let pieces = 0;
    String.prototype.split = function (this: string, ...args: unknown[]): string[] {
      const found = split.apply(this, args);
      pieces += found.length;
      return found;
    };
    try {
      model.loadStateDict(state);
    } finally {
      String.prototype.split = split;
    }
    // Every key is seen on each level.
    expect(pieces).to.be.at.most(60 * Object.keys(state).length);
  });

  it('give the parameters themselves with keepVars', () => {
    const layer = new nn.Linear(2, 1);
    expect(layer.stateDict({ keepVars: true })['weight']).to.equal(layer.weight);
  });

  it('put the given tensors themselves into the module with assign', () => {
    const layer = new nn.Linear(2, 1);
    layer.weight.requiresGrad = false;
    const given = { weight: ones([1, 2], { dtype: 'float64' }), bias: new nn.Parameter(ones([1])) };
    scope(() => layer.loadStateDict(given, { assign: true }));
    expect([layer.weight.dtype, layer.weight.requiresGrad, layer.bias!.requiresGrad]).to.deep.equal([
      'float64',
      false,
      true,
    ]);
    expect(layer.bias).to.equal(given.bias);
    given.weight.fill_(5);
    expect(layer.weight.tolist()).to.deep.equal([[5, 5]]);
    const norm = new nn.BatchNorm1d(2);
    const { runningMean } = norm;
    norm.loadStateDict({ ...norm.stateDict(), running_mean: ones([2]) }, { assign: true });
    expect(norm.runningMean).to.not.equal(runningMean);
    expect([...norm.namedBuffers()].map(([name]) => name)).to.include('running_mean');
  });

  it('let a class read its older state dicts', () => {
    class Renamed extends nn.Module {
      static override readonly stateDictVersion = 2;
      weight = new nn.Parameter(zeros([2]));
      override forward(): void {}
      override loadFromStateDict(
        state: Map<string, unknown>,
        prefix: string,
        metadata: nn.ModuleMetadata,
        loading: nn.StateDictLoading,
      ): void {
        if ((metadata.version ?? 1) < 2) {
          state.set(`${prefix}weight`, state.get(`${prefix}kernel`));
          state.delete(`${prefix}kernel`);
        }
        super.loadFromStateDict(state, prefix, metadata, loading);
      }
    }
    const model = new nn.ModuleList([new Renamed()]);
    model.loadStateDict({ '0.kernel': ones([2]) });
    expect(model.at(0).weight.tolist()).to.deep.equal([1, 1]);
    model.loadStateDict(model.stateDict());
  });

  it('let hooks forgive keys, and say what was loaded', () => {
    const layer = new nn.Linear(2, 1);
    const forgive = layer.registerLoadStateDictPostHook((_, { missingKeys }) => void missingKeys.splice(0));
    expect(layer.loadStateDict({ weight: ones([1, 2]) }).missingKeys).to.deep.equal([]);
    forgive.remove();
    layer.registerLoadStateDictPostHook((_, { missingKeys }) => void missingKeys.push('more'));
    expect(() => layer.loadStateDict(layer.stateDict())).to.throw(/what fits was loaded[^]*more/);
  });

  it('take scalars that were saved as [1]', () => {
    const model = new Extra();
    model.loadStateDict({ ...model.stateDict(), count: ones([1]) });
    expect(model.count.item()).to.equal(1);
    expect(() => model.loadStateDict({ ...model.stateDict(), count: 3 as unknown as Tensor })).to.throw(
      /expected a tensor/,
    );
  });
});

describe('members of modules', () => {
  it('are found, replaced and added by their names', () => {
    const model = new nn.Sequential(
      new nn.Linear(2, 3),
      new nn.ModuleDict({ act: new nn.ReLU() }) as unknown as nn.Layer,
    );
    expect(model.getSubmodule('1.act')).to.be.instanceOf(nn.ReLU);
    expect(model.getSubmodule('')).to.equal(model);
    expect(model.getParameter('0.bias').shape).to.deep.equal([3]);
    expect(new nn.BatchNorm1d(2).getBuffer('running_mean')!.tolist()).to.deep.equal([0, 0]);
    model.setSubmodule('1.act', new nn.Tanh(), { strict: true });
    expect(model.getSubmodule('1.act')).to.be.instanceOf(nn.Tanh);
    model.setSubmodule('0.lora', new nn.Linear(1, 1));
    expect(Object.keys(model.stateDict())).to.include('0.lora.weight');
    for (const refused of [
      () => model.getSubmodule('0.nothing'),
      () => model.getSubmodule('0.weight'),
      () => model.getParameter('0'),
      () => model.getBuffer('0.weight'),
      () => model.setSubmodule('', new nn.ReLU()),
      () => model.setSubmodule('0.other', new nn.ReLU(), { strict: true }),
      () => model.setSubmodule('0.weight', new nn.ReLU()),
      () => model.setSubmodule('0', 3 as never),
    ]) {
      expect(refused).to.throw().with.property('code', 'INVALID_ARGUMENT');
    }
  });

  it('are found by either name without a look at the others', () => {
    class Strange extends nn.Module {
      inProjWeight = new nn.Parameter(ones([1]));
      useRMSNorm = new nn.ReLU();
      LayerNorm = new nn.Identity();
      runningMean = new nn.Buffer(zeros([1]));
      override forward(): void {}
    }
    const model = new Strange();
    let looks = 0;
    Object.defineProperty(model, 'other', { enumerable: true, configurable: true, get: () => ++looks });
    for (const name of ['in_proj_weight', 'inProjWeight'])
      expect(model.getParameter(name)).to.equal(model.inProjWeight);
    for (const name of ['use_rms_norm', 'useRMSNorm']) expect(model.getSubmodule(name)).to.equal(model.useRMSNorm);
    for (const name of ['running_mean', 'runningMean']) expect(model.getBuffer(name)!.tolist()).to.deep.equal([0]);
    expect(model.getSubmodule('LayerNorm')).to.equal(model.LayerNorm);
    model.setSubmodule('use_rms_norm', new nn.Tanh());
    expect(model.useRMSNorm).to.be.instanceOf(nn.Tanh);
    for (const name of ['layer_norm', 'none', 'training.x', 'toString']) {
      expect(() => model.getSubmodule(name))
        .to.throw()
        .with.property('code', 'INVALID_ARGUMENT');
    }
    expect(looks).to.equal(0);
    const list = new nn.ModuleList<nn.Module>([model, new nn.ReLU()]);
    expect([list.getSubmodule('0'), list.getSubmodule('0.LayerNorm')]).to.deep.equal([model, model.LayerNorm]);
    expect(() => list.getSubmodule('entries')).to.throw(/has no 'entries'/);
  });

  it('are registered by name', () => {
    const layer = new nn.Identity();
    layer.registerParameter('scaleFactor', new nn.Parameter(ones([2])));
    layer.registerModule('inner', new nn.ReLU());
    layer.addModule('none', null);
    layer.registerParameter('later', null);
    expect(Object.keys(layer.stateDict())).to.deep.equal(['scale_factor']);
    expect(String(layer)).to.equal('Identity(\n  (inner): ReLU()\n)');
    layer.registerParameter('later', new nn.Parameter(ones([1])));
    for (const refused of [
      () => layer.registerParameter('forward', null),
      () => layer.registerParameter('a.b', null),
      () => layer.registerParameter('x', ones([1]) as nn.Parameter),
      () => layer.registerModule('scaleFactor', new nn.ReLU()),
      () => layer.registerModule('y', 3 as never),
    ]) {
      expect(refused).to.throw().with.property('code', 'INVALID_ARGUMENT');
    }
  });

  it('are converted by dtype, and laid out', () => {
    const norm = new nn.BatchNorm2d(2).half();
    expect([norm.weight!.dtype, norm.numBatchesTracked!.dtype]).to.deep.equal(['float16', 'int64']);
    expect(norm.type('float64').numBatchesTracked!.dtype).to.equal('float64');
    const conv = new nn.Conv2d(3, 2, 2).channelsLast();
    expect(conv.weight.isContiguous()).to.equal(false);
    const tied = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2)]);
    tied.at(1).weight = tied.at(0).weight;
    tied.toEmpty({ device: 'meta' });
    expect(tied.at(1).weight).to.equal(tied.at(0).weight);
    expect(tensor([1]).device).to.equal('cpu');
  });
});
