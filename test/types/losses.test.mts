import { ones, randn, tensor, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';

describe('the types of losses and embeddings', () => {
  it('say what forward takes and gives', () => {
    expectTypeOf<nn.CTCLoss['forward']>().parameter(2).toEqualTypeOf<Tensor | readonly number[]>();
    expectTypeOf<nn.GaussianNLLLoss['forward']>().parameter(2).toEqualTypeOf<Tensor | number>();
    const { output, loss } = new nn.AdaptiveLogSoftmaxWithLoss(2, 4, [2]).forward(randn([3, 2]), tensor([0, 1, 3]));
    expectTypeOf([output, loss]).toEqualTypeOf<Tensor[]>();
    expect([output.shape, loss.shape]).to.deep.equal([[3], []]);
  });

  it('take the bags by position or by name', () => {
    const bags = new nn.EmbeddingBag(3, 2, { mode: 'sum' });
    const [rows, offsets, perSampleWeights] = [tensor([0, 2, 1]), tensor([0, 1]), ones([3])];
    const expected = bags.forward(rows, offsets, perSampleWeights);
    expect(bags.forward(rows, offsets, { perSampleWeights }).equal(expected)).to.equal(true);
    expect(bags.forward(rows, { offsets, perSampleWeights }).equal(expected)).to.equal(true);
    // @ts-expect-error -- no option of a call
    expect(() => bags.forward(rows, { offsets, mode: 'sum' })).to.throw("has no option 'mode'");
  });

  it('know which reductions there are', () => {
    expectTypeOf(new nn.KLDivLoss({ reduction: 'batchmean' }).reduction).toEqualTypeOf<nn.functional.KlReduction>();
    // @ts-expect-error -- of the Kullback-Leibler divergence only
    expect(() => new nn.MSELoss({ reduction: 'batchmean' })).to.throw("got 'batchmean'");
  });
});
