import { combine, expectAsInPython } from './cases.mjs';

const affine = [{}, { eps: 1e-3 }, { affine: false }, { bias: false }];
const elementwise = [{}, { eps: 1e-3 }, { elementwiseAffine: false }];
const tracked = [
  {},
  { affine: true },
  { affine: true, bias: false },
  { trackRunningStats: true },
  { trackRunningStats: true, momentum: null },
  { affine: true, trackRunningStats: true, momentum: 0.25 },
];
const steps = { steps: 3 };

describe('normalizations', () => {
  it('of instances compute as in Python', function () {
    expectAsInPython(this, [
      ...combine(
        'InstanceNorm1d',
        [3],
        tracked,
        [
          [2, 3, 4],
          [3, 4],
        ],
        steps,
      ),
      ...combine(
        'InstanceNorm2d',
        [3],
        tracked,
        [
          [2, 3, 4, 5],
          [3, 4, 5],
        ],
        steps,
      ),
      ...combine(
        'InstanceNorm3d',
        [3],
        tracked,
        [
          [2, 3, 2, 3, 2],
          [3, 2, 3, 2],
        ],
        steps,
      ),
      ...combine('InstanceNorm2d', [4], [{}], [[2, 3, 4, 5]]),
    ]);
  });

  it('of instances refuse what Python refuses', function () {
    expectAsInPython(this, [
      ...combine('InstanceNorm1d', [3], [{}, { affine: true }], [[3], [2, 3, 1], [2, 4, 5], [1, 2, 3, 4]]),
      ...combine(
        'InstanceNorm2d',
        [3],
        [{ affine: true }],
        [
          [2, 3],
          [2, 3, 1, 1],
          [2, 4, 5, 5],
          [4, 3, 3],
        ],
      ),
      ...combine(
        'InstanceNorm3d',
        [3],
        [{ trackRunningStats: true }],
        [
          [2, 3, 4],
          [2, 4, 2, 2, 2],
        ],
      ),
    ]);
  });

  it('of layers and groups compute as in Python', function () {
    expectAsInPython(this, [
      ...combine('LayerNorm', [6], [...elementwise, { bias: false }], [[3, 6], [6], [2, 3, 6], [0, 6]]),
      ...combine('LayerNorm', [[3, 4]], elementwise, [[2, 3, 4]]),
      ...combine('GroupNorm', [3, 6], affine, [
        [2, 6],
        [2, 6, 4],
        [2, 6, 4, 5],
        [2, 6, 2, 3, 2],
      ]),
      ...combine('GroupNorm', [1, 4], affine, [[2, 4, 3]]),
      ...combine('GroupNorm', [4, 4], affine, [[2, 4, 3]]),
      ...combine('RMSNorm', [6], elementwise, [[3, 6], [6]]),
      ...combine('RMSNorm', [[3, 4]], elementwise, [[2, 3, 4]]),
      ...combine('GroupNorm', [2, 4], [{ dtype: 'float64' }], [[2, 4, 3]], { dtype: 'float64' }),
      ...combine('RMSNorm', [4], [{ dtype: 'float64' }], [[2, 4]], { dtype: 'float64' }),
    ]);
  });

  it('of layers and groups refuse what Python refuses', function () {
    expectAsInPython(this, [
      ...combine('GroupNorm', [4, 6], [{}], [[2, 6, 3]]),
      ...combine('GroupNorm', [3, 6], [{}], [[6], [2, 5, 3], [1, 6, 1]]),
      ...combine(
        'GroupNorm',
        [4, 4],
        [{}],
        [
          [1, 4, 1],
          [1, 4],
        ],
      ),
      ...combine('LayerNorm', [5], [{}], [[2, 6]]),
      ...combine('LayerNorm', [[]], [{}], [[2, 6]]),
      ...combine('RMSNorm', [5], [{}], [[2, 6]]),
    ]);
  });

  it('of responses compute as in Python', function () {
    const options = [{}, { alpha: 0.5, beta: 0.5, k: 2.5 }];
    expectAsInPython(this, [
      ...[1, 2, 3, 4].flatMap((size) =>
        combine('LocalResponseNorm', [size], options, [
          [2, 5, 4],
          [2, 5, 3, 4],
          [1, 5, 2, 3, 2],
        ]),
      ),
      ...[1, 2, 3, 4, 5].flatMap((size) =>
        combine('CrossMapLRN2d', [size], options, [
          [2, 5, 3, 4],
          [1, 2, 3, 3],
        ]),
      ),
      ...combine('LocalResponseNorm', [2], [{}], [[2, 5]]),
      ...combine('CrossMapLRN2d', [2], [{}], [[2, 5, 3]]),
    ]);
  });
});
