import { manualSeed, ones, optim } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { exact, type Exact } from '../support/exact.mjs';
import { section } from './reference.mjs';

describe('lazy modules', () => {
  it('become what Python’s become', function () {
    const expected = section<{ texts: string[]; output: Exact; copied: Exact }>('module_core', 'lazy');
    if (expected === undefined) this.skip();
    manualSeed(0);
    const model = new nn.Sequential(new nn.LazyLinear(3), new nn.ReLU(), new nn.LazyLinear(2, { bias: false }));
    const texts = [String(model)];
    const copied = model.deepCopy();
    const output = model.forward(ones([4, 5]));
    texts.push(String(model), String(copied));
    copied.loadStateDict(model.stateDict());
    texts.push(String(copied));
    const again = copied.forward(ones([4, 5]));
    texts.push(String(copied));
    expect({ texts, output: exact(output), copied: exact(again) }).to.deep.equal(expected);
    expect(Object.hasOwn(model.at(0), 'forward')).to.equal(false);
  });

  it('have parameters that can be moved, copied and trained, but not used', () => {
    const layer = new nn.LazyLinear(2).double();
    const { weight } = layer;
    expect(String(weight)).to.equal('<UninitializedParameter>');
    for (const use of [() => weight.shape, () => weight.add(1), () => weight.numel(), () => weight.tolist()]) {
      expect(use)
        .to.throw(/UninitializedParameter has no shape/)
        .with.property('code', 'INVALID_ARGUMENT');
    }
    expect(layer.stateDict()['weight']).to.equal(weight);
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.5 });
    layer
      .forward(ones([1, 3], { dtype: 'float64' }))
      .sum()
      .backward();
    expect(layer.weight).to.equal(weight).and.be.instanceOf(nn.Parameter).and.not.instanceOf(nn.UninitializedParameter);
    const before = weight.sum().item();
    optimizer.step();
    expect(weight.sum().item()).to.be.closeTo(before - 3, 1e-9);
  });

  it('refuse inputs and state dicts that do not fit', () => {
    const layer = new nn.LazyLinear(2);
    expect(() => new nn.Linear(3, 2).loadStateDict(layer.stateDict())).to.throw(/weight: .*Uninitialized/);
    layer.loadStateDict(new nn.Linear(3, 2).stateDict());
    expect(() => layer.forward(ones([1, 4]))).to.throw(/4 features.*3/);
    expect(layer.forward(ones([1, 3])).shape).to.deep.equal([1, 2]);
    expect(layer.inFeatures).to.equal(3);
  });

  it('become the regular class where a class extends a lazy one, as Python’s do', () => {
    class Own extends nn.LazyConv1d {}
    class OwnNorm extends nn.LazyBatchNorm1d {}
    const [layer, norm] = [new Own(8, 3), new OwnNorm()];
    expect(String(norm.forward(layer.forward(ones([2, 4, 9]))).shape)).to.equal('2,8,7');
    expect([layer.constructor, norm.constructor]).to.deep.equal([nn.Conv1d, nn.BatchNorm1d]);
  });

  it('have buffers too', () => {
    const buffer = new nn.UninitializedBuffer({ dtype: 'float64', persistent: false });
    buffer.materialize([2]);
    expect([buffer.shape, buffer.dtype, buffer.persistent]).to.deep.equal([[2], 'float64', false]);
    expect(buffer).to.be.instanceOf(nn.Buffer).and.not.instanceOf(nn.UninitializedBuffer);
  });
});
