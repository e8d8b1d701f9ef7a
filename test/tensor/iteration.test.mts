import { expect } from 'chai';
import { arange, memory, tensor, zeros } from '#lib/tensor/index.js';
import { collectGarbage } from '../support/garbage.mjs';

describe('iteration', () => {
  it('gives the tensors along the first dimension', () => {
    const rows = [...arange(6).view(3, 2)];
    expect(rows.map((row) => row.tolist())).to.deep.equal([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    const x = zeros(2);
    for (const element of x) element.add_(1);
    expect(x.tolist()).to.deep.equal([1, 1]);
    expect([...zeros(0, 3)]).to.deep.equal([]);
  });

  it('refuses a tensor without dimensions', () => {
    expect(() => [...tensor(3)]).to.throw(/without dimensions cannot be iterated/);
  });

  it('releases the rows that a loop left early does not see', () => {
    const x = zeros(5);
    collectGarbage();
    const before = memory.stats().tensors;
    for (const row of x) {
      row.dispose();
      break;
    }
    expect(memory.stats().tensors).to.be.at.most(before);
  });
});
