import { full, ones, tensor, zeros } from 'aiforge';
import { expect } from 'chai';

import { imageKind, imageOf } from '#lib/tracking/image.js';

describe('imageOf', () => {
  it('takes grey rows, from 0 to 1', () => {
    const image = imageOf('a', tensor([[0, 0.5], [1, 0.25], [0, 1]])); // prettier-ignore
    expect({ ...image, pixels: [...image.pixels] }).to.deep.equal({
      width: 2,
      height: 3,
      channels: 1,
      pixels: [0, 128, 255, 64, 0, 255],
    });
  });

  it('puts the channels of a pixel beside each other', () => {
    const planes = tensor([[[1, 2]], [[3, 4]], [[5, 6]]], { dtype: 'uint8' });
    const image = imageOf('a', planes);
    expect(image).to.include({ width: 2, height: 1, channels: 3 });
    expect([...image.pixels]).to.deep.equal([1, 3, 5, 2, 4, 6]);
  });

  it('takes halves, views and opacity', () => {
    expect(imageOf('a', ones([4, 2, 2], { dtype: 'float16' })).channels).to.equal(4);
    const turned = tensor([[0, 1], [0, 1]]).t(); // prettier-ignore
    expect([...imageOf('a', turned).pixels]).to.deep.equal([0, 0, 255, 255]);
  });

  it('refuses numbers beside 0 to 1, with what they are', () => {
    for (const value of [-0.1, 1.5, NaN, Infinity])
      expect(() => imageOf('a', full([2, 2], value)), String(value)).to.throw(
        /'a' with numbers from .* expected floats/,
      );
  });

  it('is of no other shapes and dtypes', () => {
    const wrong = [
      zeros([4]),
      zeros([2, 4, 4]),
      zeros([1, 3, 4, 4]),
      zeros([3, 0, 4]),
      zeros([4, 4], { dtype: 'int64' }),
      zeros([4, 4], { dtype: 'bool' }),
      zeros([4, 4], { dtype: 'complex64' }),
      [[0]],
    ];
    expect(wrong.filter((value) => imageKind.accepts(value))).to.deep.equal([]);
  });
});
