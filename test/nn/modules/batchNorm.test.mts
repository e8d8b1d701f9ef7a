import { nn, ones, randn } from 'aiforge';
import { expect } from 'chai';

import { combine, expectAsInPython } from './cases.mjs';

const options = [
  {},
  { momentum: null },
  { momentum: 0.25, eps: 1e-3 },
  { affine: false },
  { bias: false },
  { trackRunningStats: false },
  { affine: false, trackRunningStats: false },
  { dtype: 'float64' },
];

describe('batch norms', () => {
  it('train, track statistics and evaluate as in Python', function () {
    const steps = { steps: 3 };
    expectAsInPython(this, [
      ...combine(
        'BatchNorm1d',
        [3],
        options.slice(0, -1),
        [
          [5, 3],
          [2, 3, 4],
        ],
        steps,
      ),
      ...combine('BatchNorm2d', [3], options.slice(0, -1), [[2, 3, 4, 5]], steps),
      ...combine('BatchNorm3d', [3], options.slice(0, -1), [[2, 3, 2, 3, 2]], steps),
      ...combine('BatchNorm2d', [2], options.slice(-1), [[2, 2, 3, 3]], { ...steps, dtype: 'float64' }),
    ]);
  });

  it('refuse what Python refuses', function () {
    const free = { affine: false, trackRunningStats: false };
    expectAsInPython(this, [
      ...combine('BatchNorm1d', [3], [{}, free], [[3], [1, 3], [1, 3, 1], [2, 3, 4, 4], [2, 4], [1, 4], [0, 3]]),
      ...combine(
        'BatchNorm2d',
        [3],
        [{}, free],
        [
          [2, 3],
          [1, 3, 1, 1],
          [3, 4, 4],
          [1, 1, 1, 3],
        ],
      ),
      ...combine(
        'BatchNorm3d',
        [3],
        [{}],
        [
          [2, 3, 4, 4],
          [1, 3, 1, 1, 1],
        ],
      ),
      ...combine('BatchNorm1d', [3], [{ eps: 0 }, { eps: -1 }], [[2, 3]]),
      ...combine('BatchNorm1d', [-1], [{}], [[2, 3]]),
    ]);
  });

  it('forget their statistics', () => {
    const norm = new nn.BatchNorm1d(2);
    norm.forward(randn([4, 2]));
    expect(norm.numBatchesTracked!.item()).to.equal(1);
    norm.resetRunningStats();
    expect(norm.runningMean!.tolist()).to.deep.equal([0, 0]);
    expect(norm.runningVar!.tolist()).to.deep.equal([1, 1]);
    expect(norm.numBatchesTracked!.item()).to.equal(0);
  });

  it('load a state dict from before batches were counted', () => {
    const norm = new nn.BatchNorm1d(2);
    norm.forward(randn([4, 2]));
    const { num_batches_tracked: count, ...old } = new nn.BatchNorm1d(2).stateDict();
    expect(count).not.to.equal(undefined);
    expect(norm.loadStateDict({ ...old, weight: ones([2]).mul(3) }).missingKeys).to.deep.equal([]);
    expect([norm.weight!.tolist(), norm.numBatchesTracked!.item()]).to.deep.equal([[3, 3], 1]);
  });

  it('miss the number of batches in a state dict that should have it', () => {
    const dict = new nn.BatchNorm1d(2).stateDict();
    delete dict.num_batches_tracked;
    expect(() => new nn.BatchNorm1d(2).loadStateDict(dict)).to.throw(/num_batches_tracked/);
    expect(() => new nn.InstanceNorm1d(2).loadStateDict({ running_mean: ones([2]) })).to.throw(/trackRunningStats/);
  });

  it('get their size from the first input, as in Python', function () {
    const given = [{}, { affine: false }, { trackRunningStats: false }, { bias: false, momentum: null }];
    expectAsInPython(this, [
      ...combine(
        'LazyBatchNorm1d',
        [],
        given,
        [
          [5, 3],
          [2, 3, 4],
        ],
        { steps: 2 },
      ),
      ...combine(
        'LazyBatchNorm2d',
        [],
        given,
        [
          [2, 3, 4, 5],
          [2, 3],
        ],
        { steps: 2 },
      ),
      ...combine('LazyBatchNorm3d', [], given, [[2, 3, 2, 3, 2]], { steps: 2 }),
      ...combine('LazyInstanceNorm1d', [], given, [[2, 3, 4]], { steps: 2 }),
      ...combine('LazyInstanceNorm2d', [], given, [[2, 3, 4, 5]], { steps: 2 }),
      ...combine('LazyInstanceNorm3d', [], given, [[2, 3, 2, 3, 2], [2]], { steps: 2 }),
    ]);
  });
});
