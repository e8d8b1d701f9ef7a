import { expect } from 'chai';
import { DataLoader, padCollate } from '#lib/data/index.js';
import { ones } from '#lib/tensor/index.js';

describe('padCollate', () => {
  it('pads tensors and lists of numbers, nested, to the largest of the batch', () => {
    const samples = [
      { ids: [1, 2, 3], image: ones([1, 2]), name: 'a', n: 1 },
      { ids: [4], image: ones([2, 1]), name: 'b', n: 2 },
    ];
    const { ids, image, name, n } = padCollate()(samples);
    expect([ids.tolist(), name, n.tolist()]).to.deep.equal([[[1, 2, 3], [4, 0, 0]], ['a', 'b'], [1, 2]]); // prettier-ignore
    expect(image.tolist()).to.deep.equal([[[1, 1], [0, 0]], [[1, 0], [1, 0]]]); // prettier-ignore
  });

  it('pads on the left, with any value, to a multiple', () => {
    const pad = padCollate({ paddingSide: 'left', paddingValue: -100, padToMultipleOf: 4 });
    expect(pad([[1, 2], [3]]).tolist()).to.deep.equal([[-100, -100, 1, 2], [-100, -100, -100, 3]]); // prettier-ignore
    expect(pad([[0.5], [1]]).dtype).to.equal('float64');
  });

  it('is there in workers too', async () => {
    const shapes: unknown[] = [];
    const loader = new DataLoader([[1], [2, 3], [4, 5, 6]], { batchSize: 2, numWorkers: 1, collate: padCollate() });
    for await (const batch of loader) shapes.push(batch.shape);
    expect(shapes).to.deep.equal([[2, 2], [1, 3]]); // prettier-ignore
  });

  it('refuses what has other dimensions', () => {
    expect(() => padCollate()([{ x: ones([2]) }, { x: ones([2, 2]) }])).to.throw(
      /x of sample 0 is float32\[2\], x of sample 1 float32\[2, 2\]: tensors with different numbers of dimensions/,
    );
    expect(() => padCollate({ side: 'left' } as never)).to.throw(/has no option 'side'.*paddingSide/);
  });
});
