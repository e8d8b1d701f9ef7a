import { expect } from 'chai';

import { runTwo } from '../ranks.mjs';

const expected: Record<string, RegExp> = {
  'rows that do not divide': /3 rows, which 2 ranks cannot divide evenly/,
  'a single number to divide': /has no rows to divide among the ranks/,
  'another dtype to divide': /one dtype and one device, got int32\[2\] on cpu and float32\[2\] on cpu/,
  'another size to divide': /the output is float32\[2\] for an input of float32\[4\]/,
  'the same to divide': /an output shares memory with an input/,
  'splits that leave rows': /inputSplitSizes \[1, 2\] must give each of the 2 ranks its part of the 2 rows/,
  'splits for three': /inputSplitSizes \[1, 1, 1\] must give each of the 2 ranks/,
  'nothing to exchange': /expected tensors for each of the 2 ranks, got 0/,
  'an output too few': /expected outputs for each of the 2 ranks, got 1/,
  'outputs of another dtype': /one dtype and one device, got float32\[2\] on cpu and int64\[2\] on cpu/,
  'an own output of another size': /sends itself float32\[2\], and its output for that is float32\[5\]/,
  'a scatter of another dtype': /the tensor for rank 0 is float32\[2\] on cpu, and the output int64\[2\] on cpu/,
  'a scatter of nothing': /expected a tensor for each of the 2 ranks, got 0/,
  'a scatter of too few': /expected a tensor for each of the 2 ranks, got 1/,
  'a scatter by all': /rank 0 gives the tensors, and the other ranks null/,
  'a reduction to another dtype': /the tensor for rank 0 is float32\[2\] on cpu, and the output int64/,
  'a reduction to another size': /the tensor for rank 0 is float32\[2\] on cpu, and the output float32\[3\]/,
  'a reduction of too few': /expected a tensor for each of the 2 ranks, got 1/,
  'a sparse tensor': /of layout sparse.*ranks exchange dense tensors/,
  'a result that cannot be written': /several of whose elements are one in memory/,
  'a message that cannot be written': /several of whose elements are one in memory/,
  'a message to itself': /rank \d is this rank itself/,
  'a message from itself': /rank \d is this rank itself/,
  'a batch to itself': /rank \d is this rank itself/,
  'a tensor in two calls at once': /is still in use by allReduce, which has not ended: await that first/,
  'a transposed tensor in two calls at once': /float32\[2, 3\] is still in use by allReduce/,
};

describe('a collective that cannot be done', function () {
  this.timeout(60_000);
  let results: Record<string, unknown>[][];

  before(async () => {
    const ranks = await runTwo('refused.mjs', {});
    for (const { status, output } of ranks) expect(status, output).to.equal(0);
    results = ranks.map((rank) => rank.results);
  });

  for (const [name, message] of Object.entries(expected)) {
    it(`is refused before anything is sent: ${name}`, () => {
      const said = results.flatMap((rank) => rank.filter((result) => result.name === name));
      expect(said).to.not.have.length(0);
      for (const each of said) {
        expect(each).to.include({ code: 'INVALID_ARGUMENT' });
        expect(each.message).to.match(message);
      }
    });
  }

  it('counts as no call: the group goes on', () => {
    for (const rank of results) expect(rank.at(-1)).to.deep.equal({ name: 'sum', value: 3 });
  });

  it('is not one that uses other elements of the same memory, or that only reads them', () => {
    const doubled = [
      [0, 2, 4, 6],
      [8, 10, 12, 14],
    ];
    for (const rank of results) {
      expect(rank.at(-3)).to.deep.equal({ name: 'columns', value: doubled });
      expect(rank.at(-2)).to.deep.equal({ name: 'word', value: [0, 0] });
    }
  });
});
