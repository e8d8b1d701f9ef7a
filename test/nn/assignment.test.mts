import { expect } from 'chai';

import * as nn from '#lib/nn/index.js';
import { ones, zeros, type Tensor } from '#lib/tensor/index.js';

import { refusalOf } from '../support/refusal.mjs';

class Net extends nn.Module {
  scale = new nn.Parameter(ones([2]));
  layer: nn.Module | null = new nn.Linear(2, 2);
  constant = ones([2]);
  override forward(x: Tensor) {
    return x.mul(this.scale);
  }
}

const assign = (module: nn.Module, property: string, value: unknown): void => void Reflect.set(module, property, value);

describe('what is assigned to a module', () => {
  const looks: Record<string, (module: nn.Module) => unknown> = {
    parameters: (module) => [...module.parameters()],
    stateDict: (module) => module.stateDict(),
    train: (module) => module.train(),
    to: (module) => module.to('float64'),
    zeroGrad: (module) => module.zeroGrad(),
    deepCopy: (module) => [...module.deepCopy().parameters()],
  };
  for (const [look, of] of Object.entries(looks)) {
    it(`in the place of a parameter is told by ${look}, right after the layer was made`, () => {
      const layer = new nn.Linear(2, 2);
      assign(layer, 'weight', ones([2, 2]));
      expect(refusalOf(() => of(layer))).to.deep.include({
        code: 'INVALID_ARGUMENT',
        message:
          'Linear.weight: expected a Parameter or null, got float32[2, 2]. Write new nn.Parameter(…), or setData(…) of the ' +
          'parameter that is there; what is computed has a name of its own.',
      });
    });
  }

  const layers: [nn.Module, string][] = [
    [new nn.Conv2d(1, 1, 3), 'weight'],
    [new nn.BatchNorm2d(3), 'bias'],
    [new nn.LayerNorm([3]), 'weight'],
    [new nn.GroupNorm(1, 3), 'weight'],
    [new nn.RMSNorm([3]), 'weight'],
    [new nn.Embedding(3, 2), 'weight'],
    [new nn.EmbeddingBag(3, 2), 'weight'],
    [new nn.LSTM(2, 2), 'weightIhL0'],
    [new nn.GRUCell(2, 2), 'weightIh'],
    [new nn.MultiheadAttention(2, 1), 'inProjWeight'],
    [new nn.Bilinear(2, 2, 2), 'weight'],
    [new nn.PReLU(), 'weight'],
    [new nn.ConvTranspose1d(1, 1, 3), 'weight'],
  ];
  for (const [layer, property] of layers) {
    it(`is a Parameter in ${layer.constructor.name}.${property}`, () => {
      assign(layer, property, zeros([2]));
      expect(refusalOf(() => layer.stateDict()).message).to.match(
        new RegExp(`^${layer.constructor.name}.${property}: expected a Parameter or null`),
      );
    });
  }

  it('may be another parameter, another module, or null', () => {
    const net = new Net();
    net.stateDict();
    net.scale = new nn.Parameter(zeros([2]));
    net.layer = new nn.ReLU();
    expect(Object.keys(net.stateDict())).to.deep.equal(['scale']);
    net.layer = null;
    expect([...net.children()]).to.deep.equal([]);
    net.layer = new nn.Linear(1, 1);
    expect(Object.keys(net.stateDict())).to.deep.equal(['scale', 'layer.weight', 'layer.bias']);
  });

  it('is not forgotten where null stood in between', () => {
    const net = new Net();
    net.stateDict();
    assign(net, 'scale', null);
    net.stateDict();
    assign(net, 'scale', ones([2]));
    expect(refusalOf(() => net.stateDict()).message).to.match(/^Net.scale: expected a Parameter or null/);
  });

  it('in the place of a module is refused too', () => {
    const net = new Net();
    net.stateDict();
    assign(net, 'layer', 5);
    expect(refusalOf(() => net.stateDict()).message).to.equal('Net.layer: expected a Module or null, got 5.');
  });

  it('may be anything where there was no parameter', () => {
    const net = new Net();
    net.stateDict();
    assign(net, 'constant', 5);
    assign(net, 'other', ones([2]));
    expect(Object.keys(net.stateDict())).to.deep.equal(['scale', 'layer.weight', 'layer.bias']);
  });

  it('is what functionalCall, pruning and parametrizations put there', () => {
    const layer = new nn.Linear(2, 2);
    class Outer extends nn.Module {
      inner = layer;
      override forward(x: Tensor): Tensor {
        this.inner.train();
        return this.inner.forward(x);
      }
    }
    const given = { 'inner.weight': zeros([2, 2]), 'inner.bias': ones([2]) };
    const seen = nn.functionalCall(new Outer(), given, [ones([1, 2])]);
    expect(seen.tolist()).to.deep.equal([[1, 1]]);
    expect(Object.keys(layer.stateDict())).to.deep.equal(['weight', 'bias']);
    nn.utils.prune.l1Unstructured(layer, 'weight', 0.5);
    layer.forward(ones([1, 2]));
    expect(Object.keys(layer.train().stateDict())).to.include.members(['weight_orig', 'weight_mask']);
  });
});

describe('a hook of a module that returns a Promise', () => {
  const hook = (() => Promise.resolve()) as never;

  it('is refused after forward', () => {
    const layer = new nn.Linear(2, 2);
    layer.registerForwardHook(hook);
    expect(refusalOf(() => layer.forward(ones([1, 2]))).message).to.equal(
      'A forward hook returned a Promise: its result is needed at once and cannot be awaited; make it synchronous.',
    );
  });

  it('is refused before forward', () => {
    const layer = new nn.Linear(2, 2);
    layer.registerForwardPreHook(hook);
    expect(refusalOf(() => layer.forward(ones([1, 2]))).message).to.match(/^A forward pre-hook returned a Promise/);
  });
});
