import { manualSeed, nn, randn, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { exact, type Exact } from '../../support/exact.mjs';
import { python, runPython } from '../reference.mjs';

const F = nn.functional;
const image = (): Tensor => randn([2, 4, 6, 7]);
const py = 'torch.randn(2, 4, 6, 7)';

type Result = Tensor | readonly Tensor[];
// Calls that no layer makes, each after the same seed.
const calls: [code: string, call: () => Result][] = [
  ['F.max_pool1d_with_indices(torch.randn(2, 9), 3, 2)', () => F.maxPool1dWithIndices(randn([2, 9]), 3, 2)],
  [`F.max_pool2d_with_indices(${py}, 2, padding=1)`, () => F.maxPool2dWithIndices(image(), 2, { padding: 1 })],
  [`F.max_pool3d_with_indices(${py}, 2)`, () => F.maxPool3dWithIndices(image(), 2)],
  ['F.adaptive_max_pool1d_with_indices(torch.randn(2, 9), 4)', () => F.adaptiveMaxPool1dWithIndices(randn([2, 9]), 4)],
  [`F.adaptive_max_pool2d_with_indices(${py}, (3, None))`, () => F.adaptiveMaxPool2dWithIndices(image(), [3, null])],
  [`F.adaptive_max_pool3d_with_indices(${py}, 2)`, () => F.adaptiveMaxPool3dWithIndices(image(), 2)],
  [
    `F.fractional_max_pool2d_with_indices(${py}, 2, output_ratio=(0.5, 0.6))`,
    () => F.fractionalMaxPool2dWithIndices(image(), 2, { outputRatio: [0.5, 0.6] }),
  ],
  [`F.fractional_max_pool3d_with_indices(${py}, 2, 2)`, () => F.fractionalMaxPool3dWithIndices(image(), 2, 2)],
  [
    'F.conv_tbc(torch.randn(5, 2, 3), torch.randn(3, 3, 4), torch.randn(4), 1)',
    () => F.convTbc(randn([5, 2, 3]), randn([3, 3, 4]), randn([4]), 1),
  ],
  [`F.native_channel_shuffle(${py}, 2)`, () => F.nativeChannelShuffle(image(), 2)],
  [`F.upsample(${py}, 9)`, () => F.upsample(image(), 9)],
  [
    `F.upsample(${py}, scale_factor=1.5, mode='bicubic', align_corners=True)`,
    () => F.upsample(image(), { scaleFactor: 1.5, mode: 'bicubic', alignCorners: true }),
  ],
  [`F.upsample_nearest(${py}, (9, 3))`, () => F.upsampleNearest(image(), [9, 3])],
  [`F.upsample_bilinear(${py}, scale_factor=2)`, () => F.upsampleBilinear(image(), { scaleFactor: 2 })],
  ...(['bilinear', 'bicubic', 'lanczos'] as const).map((mode): [string, () => Result] => [
    `F.interpolate(${py}, (3, 4), mode='${mode}', antialias=True)`,
    () => F.interpolate(image(), [3, 4], { mode, antialias: true }),
  ]),
  ...(['bilinear', 'nearest', 'bicubic'] as const).flatMap((mode) =>
    (['zeros', 'border', 'reflection'] as const).map((paddingMode): [string, () => Result] => [
      `F.grid_sample(${py}, torch.randn(2, 3, 5, 2), '${mode}', padding_mode='${paddingMode}', align_corners=True)`,
      () => F.gridSample(image(), randn([2, 3, 5, 2]), mode, { paddingMode, alignCorners: true }),
    ]),
  ),
  [
    'F.grid_sample(torch.randn(1, 2, 3, 4, 5), torch.randn(1, 2, 2, 2, 3))',
    () => F.gridSample(randn([1, 2, 3, 4, 5]), randn([1, 2, 2, 2, 3])),
  ],
  ['F.affine_grid(torch.randn(2, 2, 3), (2, 1, 3, 4), True)', () => F.affineGrid(randn([2, 2, 3]), [2, 1, 3, 4], true)],
  ['F.affine_grid(torch.randn(2, 3, 4), [2, 1, 3, 4, 2])', () => F.affineGrid(randn([2, 3, 4]), [2, 1, 3, 4, 2])],
  [`F.pad(${py}, (1, -2, 3, 0), value=0.5)`, () => F.pad(image(), [1, -2, 3, 0], { value: 0.5 })],
  [`F.pad(${py}, (1, 2, 3, 0), 'circular')`, () => F.pad(image(), [1, 2, 3, 0], 'circular')],
  [
    "F.conv2d(torch.randn(4, 6, 7), torch.randn(6, 2, 2, 3), padding='same', groups=2)",
    () => F.conv2d(randn([4, 6, 7]), randn([6, 2, 2, 3]), { padding: 'same', groups: 2 }),
  ],
];

const list = (result: Result): readonly Tensor[] => ('length' in result ? result : [result]);

describe('nn.functional of convolution, pooling and images', () => {
  it('gives the bits of the Python that is installed', function () {
    if (python === undefined) {
      console.log('    skipped: AIFORGE_REFERENCE_PYTHON is not set');
      this.skip();
    }
    const expected = runPython<Exact[][]>(
      [
        'import json, sys, warnings, torch, torch.nn.functional as F',
        "sys.path.insert(0, 'test/reference')",
        'from recording import exact',
        "warnings.simplefilter('ignore')",
        'torch.set_num_threads(1)',
        'def run(code):',
        '    torch.manual_seed(0)',
        '    result = eval(code)',
        '    return [exact(t) for t in (result if isinstance(result, tuple) else (result,))]',
        'print(json.dumps([run(code) for code in json.load(sys.stdin)]))',
      ].join('\n'),
      JSON.stringify(calls.map(([code]) => code)),
    );
    for (const [i, [code, call]] of calls.entries()) {
      manualSeed(0);
      expect(list(call()).map(exact), code).to.deep.equal(expected[i]);
    }
  });
});
