import { expect } from 'chai';
import { native } from '#lib/native.js';
import { fillFrom } from '#lib/tensor/files/bytes.js';
import { arange, empty, zeros } from '#lib/tensor/index.js';

describe('the bytes of a new tensor', () => {
  for (const count of [0, 1, 65_535, 65_536, 2 ** 20 + 3]) {
    it(`are read in pieces, ${count} of them`, () => {
      const x = empty([count], { dtype: 'uint8' });
      let next = 0;
      fillFrom(x, (piece, at) => {
        expect(at).to.equal(next);
        next += piece.length;
        piece.forEach((_, i) => (piece[i] = (at + i) % 251));
      });
      expect(next).to.equal(count);
      expect(x.equal(arange(count).remainder(251).to('uint8'))).to.equal(true);
      x.resize_([2 * count + 1]);
    });
  }

  it('are lent for a call alone, also where it throws', () => {
    const x = zeros([70_000], { dtype: 'uint8' });
    const kept: Uint8Array[] = [];
    const read = (piece: Uint8Array): void => {
      kept.push(piece);
      piece[0] = 7;
      x.dispose();
      piece[69_999] = 8;
      throw new RangeError('no such byte');
    };
    expect(() => fillFrom(x, read)).to.throw(RangeError, 'no such byte');
    expect(kept.map((piece) => piece.length)).to.deep.equal([0]);
  });

  it('are lent within a row-major tensor', () => {
    const x = native.fromTypedArray(new Uint8Array(8), 'uint8', [8]);
    for (const [at, count] of [
      [-1, 1],
      [0, 9],
      [9, 0],
      [0, -1],
    ] as const) {
      expect(() => native.lendBytes(x, at, count, () => undefined)).to.throw(/expected/);
    }
    expect(() => native.lendBytes(x, 0, 8, 5 as never)).to.throw(/function/);
    native.dispose(x);
    expect(() => native.lendBytes(x, 0, 8, () => undefined)).to.throw(/disposed/);
  });
});
