import { nn, randn } from 'aiforge';
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
});
