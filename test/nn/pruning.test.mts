import { arange, manualSeed, ones, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { exact } from '../support/exact.mjs';
import { section } from './reference.mjs';
import { stateOf, train } from './training.mjs';

const { prune } = nn.utils;

const numbers = (): Tensor => arange(20).reshape([4, 5]);

const cases: Record<string, (layer: nn.Linear) => nn.Linear> = {
  identity: (m) => prune.identity(m, 'weight'),
  random: (m) => prune.randomUnstructured(m, 'weight', 0.3),
  l1: (m) => prune.l1Unstructured(m, 'weight', 5),
  scores: (m) => prune.l1Unstructured(m, 'weight', 0.25, { importanceScores: numbers().sub(7.5) }),
  channels: (m) => prune.randomStructured(m, 'weight', 2, 0),
  norms: (m) => prune.lnStructured(m, 'weight', 0.5, 2, 1),
  largest: (m) => prune.lnStructured(m, 'weight', 1, Infinity, -1),
  mask: (m) => prune.customFromMask(m, 'weight', numbers().remainder(3).eq(0)),
  twice: (m) => prune.l1Unstructured(prune.lnStructured(m, 'weight', 1, 1, 0), 'weight', 0.3),
  thrice: (m) => {
    const once = prune.randomUnstructured(m, 'weight', 4);
    return prune.randomStructured(prune.lnStructured(once, 'weight', 1, 2, 0), 'weight', 2, 1);
  },
};

describe('pruning', () => {
  let expected: Record<string, unknown[]> | undefined;
  before(function () {
    expected = section('module_core', 'pruned');
    if (expected === undefined) this.skip();
  });

  for (const [name, make] of Object.entries(cases)) {
    it(`trains and ends as Python's: ${name}`, () => {
      manualSeed(6);
      const module = make(new nn.Linear(5, 4));
      const result = train(module, [2, 5]);
      result.push([prune.isPruned(module), exact(module.weight)]);
      prune.remove(module, 'weight');
      result.push([prune.isPruned(module), stateOf(module)]);
      expect(result).to.deep.equal(expected![name]);
    });
  }

  it("takes several parameters for one as Python's", () => {
    manualSeed(7);
    const layers = [new nn.Linear(4, 3), new nn.Linear(3, 2)] as const;
    const model = new nn.Sequential(...layers);
    prune.l1Unstructured(layers[0], 'weight', 2);
    prune.globalUnstructured(
      layers.map((layer) => [layer, 'weight'] as const),
      prune.L1Unstructured,
      { amount: 0.4 },
    );
    expect(train(model, [2, 4])).to.deep.equal(expected!['global']);
  });
});

describe('pruning methods', () => {
  it('prune tensors, combine, and take classes of one’s own', () => {
    class EveryOther extends prune.BasePruningMethod {
      readonly pruningType = 'unstructured';
      override computeMask(t: Tensor, mask: Tensor): Tensor {
        const next = mask.clone();
        next.view(-1).set('::2', 0);
        return next;
      }
    }
    expect(new EveryOther().prune(ones([5])).tolist()).to.deep.equal([0, 1, 0, 1, 0]);
    const layer = new nn.Linear(4, 1);
    EveryOther.apply(layer, 'weight', []);
    const all = EveryOther.apply(layer, 'weight', []) as nn.utils.prune.PruningContainer;
    expect(all).to.be.instanceOf(prune.PruningContainer);
    expect([all.length, layer.weight.countNonzero().item()]).to.deep.equal([2, 1]);
    expect([...layer.namedBuffers()].map(([name]) => name)).to.deep.equal(['weight_mask']);
  });

  it('refuse amounts, dimensions and masks that make no sense, and leave the module as it was', () => {
    const layer = new nn.Linear(3, 2);
    const refused = (run: () => unknown, message: RegExp): void => {
      expect(run).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
    };
    refused(() => prune.l1Unstructured(layer, 'weight', -1), /amount/);
    refused(() => prune.l1Unstructured(layer, 'weight', 1.5), /amount/);
    refused(() => prune.l1Unstructured(layer, 'weight', 7), /6 units/);
    refused(() => prune.randomStructured(layer, 'bias', 1, 0), /several dimensions/);
    refused(() => prune.lnStructured(layer, 'weight', 1, 2, 2), /dim/);
    refused(() => prune.customFromMask(layer, 'weight', ones([3, 2])), /mask/);
    refused(() => prune.identity(layer, 'nothing'), /nothing/);
    refused(() => prune.remove(layer, 'weight'), /weight/);
    refused(() => prune.l1Unstructured(layer, 'weight', 1, { importanceScores: ones([1]) }), /importanceScores/);
    expect(Object.keys(layer.stateDict())).to.deep.equal(['weight', 'bias']);
    expect(prune.isPruned(layer)).to.equal(false);
  });
});
