import { randn, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';

describe('the types of layers of images', () => {
  it('say what a pooling gives', () => {
    const images = randn([1, 1, 4, 4]);
    expectTypeOf(new nn.MaxPool2d(2, { padding: 1 }).forward(images)).toEqualTypeOf<Tensor>();
    const pooled = new nn.MaxPool2d(2, { returnIndices: true }).forward(images);
    expectTypeOf(pooled).toEqualTypeOf<[output: Tensor, indices: Tensor]>();
    expect(pooled).to.have.lengthOf(2);
    const adaptive = new nn.AdaptiveMaxPool2d(2, { returnIndices: true }).forward(images);
    expectTypeOf(adaptive).toEqualTypeOf<[output: Tensor, indices: Tensor]>();
  });

  it('let a Sequential take poolings without indices only', () => {
    new nn.Sequential(new nn.Conv2d(1, 1, 1), new nn.MaxPool2d(2), new nn.AdaptiveMaxPool2d([1, null]));
    // @ts-expect-error -- gives two tensors
    new nn.Sequential(new nn.MaxPool2d(2, { returnIndices: true }));
  });

  it('refuse tuples of another length', () => {
    // @ts-expect-error -- three numbers for two dimensions
    expect(() => new nn.Conv2d(1, 1, [1, 2, 3])).to.throw('kernelSize must be');
    // @ts-expect-error -- one number for two sides
    expect(() => new nn.ZeroPad1d([1])).to.throw('padding must be');
  });
});
