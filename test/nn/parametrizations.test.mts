import { arange, manualSeed, noGrad, ones, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { section } from './reference.mjs';
import { stateOf, train } from './training.mjs';

const { parametrizations, parametrize } = nn.utils;

type Made = nn.Module & { forward(x: Tensor): Tensor };

const cases: Record<string, [make: () => Made, shape: number[]]> = {
  'weight norm': [() => parametrizations.weightNorm(new nn.Linear(3, 2)), [2, 3]],
  'weight norm of all': [() => parametrizations.weightNorm(new nn.Linear(3, 2), { dim: null }), [2, 3]],
  'weight norm of a convolution': [() => parametrizations.weightNorm(new nn.Conv2d(2, 3, 2), { dim: 1 }), [1, 2, 3, 3]],
  'spectral norm': [() => parametrizations.spectralNorm(new nn.Linear(3, 4), { nPowerIterations: 2 }), [2, 3]],
  'spectral norm of a transposed': [() => parametrizations.spectralNorm(new nn.ConvTranspose2d(2, 3, 2)), [1, 2, 3, 3]],
  'spectral norm of a bias': [() => parametrizations.spectralNorm(new nn.Linear(3, 4), { name: 'bias' }), [2, 3]],
  'legacy weight norm': [() => nn.utils.weightNorm(new nn.Linear(3, 2)), [2, 3]],
  'legacy spectral norm': [() => nn.utils.spectralNorm(new nn.Linear(3, 2)), [2, 3]],
};
for (const orthogonalMap of ['matrix_exp', 'cayley', 'householder'] as const) {
  for (const [n, m] of [
    [3, 3],
    [5, 3],
    [3, 5],
  ] as const) {
    for (const useTrivialization of [true, false]) {
      const make = () => parametrizations.orthogonal(new nn.Linear(m, n), { orthogonalMap, useTrivialization });
      cases[`${orthogonalMap} ${n} ${m} ${useTrivialization ? 'triv' : 'plain'}`] = [make, [2, m]];
    }
  }
}

function results(name: string): unknown[] {
  const [make, shape] = cases[name]!;
  manualSeed(5);
  const module = make();
  const result = train(module, shape);
  if (name === 'legacy weight norm') nn.utils.removeWeightNorm(module);
  else if (name === 'legacy spectral norm') nn.utils.removeSpectralNorm(module);
  else {
    const tensor = [...(module as nn.utils.parametrize.Parametrized).parametrizations.keys()][0]!;
    const weights = module as unknown as Record<string, Tensor>;
    let assigned: unknown = null;
    if (!name.includes('plain') || name.startsWith('householder')) {
      const { shape: sizes } = weights[tensor]!;
      weights[tensor] = arange(sizes.reduce((a, b) => a * b))
        .reshape(sizes)
        .add(1)
        .to('float32');
      assigned = stateOf(module);
    }
    parametrize.removeParametrizations(module, tensor);
    result.push(assigned);
  }
  return [...result, String(module), stateOf(module)];
}

class Symmetric extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.triu().add(x.triu(1).t());
  }
  rightInverse(x: Tensor): Tensor {
    return x.triu();
  }
}

class Doubled extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.mul(2);
  }
}

describe('parametrizations', () => {
  let expected: Record<string, unknown[]> | undefined;
  before(function () {
    expected = section('module_core', 'parametrized');
    if (expected === undefined) this.skip();
  });

  for (const name of Object.keys(cases)) {
    it(`train and are removed as Python's: ${name}`, () => {
      expect(results(name)).to.deep.equal(expected![name]);
    });
  }
});

describe('parametrize', () => {
  it('puts one parametrization after another, and assigns back through all', () => {
    const layer = new nn.Linear(3, 3);
    const { weight } = layer;
    const first = parametrize.registerParametrization(layer, 'weight', new Symmetric());
    expect(first.parametrizations.at('weight').original).to.equal(weight);
    parametrize.registerParametrization(layer, 'weight', new Symmetric());
    expect(first.parametrizations.at('weight').length).to.equal(2);
    layer.weight = ones([3, 3]) as nn.Parameter;
    expect(layer.weight.tolist()).to.deep.equal(ones([3, 3]).tolist());
    expect(weight.tolist()).to.deep.equal(ones([3, 3]).triu().tolist());
    parametrize.registerParametrization(layer, 'weight', new Doubled());
    expect(() => void (layer.weight = ones([3, 3]) as nn.Parameter)).to.throw(/Doubled has no rightInverse/);
    expect(parametrize.typeBeforeParametrizations(layer)).to.equal(nn.Linear);
    expect(layer.constructor.name).to.equal('ParametrizedLinear');
    parametrize.removeParametrizations(layer, 'weight', { leaveParametrized: false });
    expect(layer.weight).to.equal(weight);
    expect(layer.constructor).to.equal(nn.Linear);
    expect(parametrize.isParametrized(layer)).to.equal(false);
  });

  it('loads, copies, moves and calls parametrized modules', () => {
    const make = () => parametrizations.weightNorm(new nn.Linear(3, 2));
    const [layer, other] = [make(), make()];
    layer.loadStateDict(other.stateDict());
    const x = ones([1, 3]);
    expect(layer.forward(x).equal(other.forward(x))).to.equal(true);
    const copy = layer.deepCopy();
    parametrize.removeParametrizations(layer, 'weight');
    expect(copy.forward(x).equal(other.forward(x))).to.equal(true);
    expect(copy.double().weight.dtype).to.equal('float64');
    const { bias } = other;
    const zero = nn.functionalCall(other, { 'parametrizations.weight.original0': ones([2, 1]).mul(0) }, x);
    expect(zero.equal(bias!.unsqueeze(0))).to.equal(true);
    const legacy = noGrad(() => nn.utils.weightNorm(new nn.Linear(3, 2))).stateDict();
    other.loadStateDict(legacy);
    expect(other.parametrizations.at('weight').originals()[1]!.equal(legacy['weight_v']!)).to.equal(true);
  });

  it('hands parametrizations to another module', () => {
    const [from, to] = [parametrizations.weightNorm(new nn.Linear(3, 2)), new nn.Linear(3, 2)];
    parametrize.transferParametrizationsAndParams(from, to);
    expect(to.weight.equal(from.weight)).to.equal(true);
    expect([...to.parameters()]).to.include.members([...from.parametrizations.at('weight').originals()]);
  });

  it('computes a tensor once while it is cached', async () => {
    let calls = 0;
    const counting = new Doubled();
    counting.registerForwardHook(() => void ++calls);
    const layer = parametrize.registerParametrization(new nn.Linear(1, 1), 'weight', counting, { unsafe: true });
    parametrize.cached(() => [layer.weight, parametrize.cached(() => layer.weight), layer.weight]);
    expect(calls).to.equal(1);
    await parametrize.cached(async () => {
      expect(layer.weight).to.equal(layer.weight);
      await Promise.resolve();
      expect(layer.weight).to.equal(layer.weight);
    });
    expect(calls).to.equal(2);
    expect(layer.weight).to.not.equal(layer.weight);
  });

  it('refuses what changes shape or dtype, and what is not there', () => {
    class Transposed extends nn.Module {
      override forward(x: Tensor): Tensor {
        return x.t();
      }
    }
    const layer = new nn.Linear(3, 2);
    const refused = (run: () => unknown, message: RegExp): void => {
      expect(run).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
    };
    refused(() => parametrize.registerParametrization(layer, 'weight', new Transposed()), /\[2, 3\].*\[3, 2\].*unsafe/);
    refused(() => parametrize.registerParametrization(layer, 'nothing', new Doubled()), /nothing/);
    refused(() => parametrize.removeParametrizations(layer, 'weight'), /weight/);
    refused(() => parametrizations.orthogonal(layer, { name: 'bias' }), /1 dimensions/);
    refused(() => parametrizations.orthogonal(layer, { orthogonalMap: 'qr' as never }), /qr/);
    refused(() => parametrizations.spectralNorm(layer, { dim: 2 }), /dim 2/);
    refused(() => parametrizations.spectralNorm(layer, { nPowerIterations: 0 }), /nPowerIterations/);
    refused(() => nn.utils.removeWeightNorm(layer), /weight/);
    refused(() => nn.utils.weightNorm(nn.utils.weightNorm(layer)), /already/);
    expect(String(new nn.Linear(3, 2))).to.equal('Linear(in_features=3, out_features=2, bias=True)');
  });
});
