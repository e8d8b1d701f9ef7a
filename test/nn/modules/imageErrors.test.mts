import { arange, randn, tensor, zeros, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { python, runPython } from '../reference.mjs';

const F = nn.functional;

// What a JavaScript caller may write although the types forbid it.
const wrong = (value: unknown): never => value as never;

const image = (): Tensor => zeros([1, 2, 4, 4]);
const py = 'torch.zeros(1, 2, 4, 4)';

// What Python refuses, the same here, and what the message must say.
const refused: [code: string, attempt: () => unknown, message: RegExp][] = [
  [
    'nn.Conv2d(2, 3, 2, groups=0)',
    () => new nn.Conv2d(2, 3, 2, { groups: 0 }),
    /groups must be a whole number above 0, got 0/,
  ],
  ['nn.Conv2d(2, 3, 2, groups=2)', () => new nn.Conv2d(2, 3, 2, { groups: 2 }), /outChannels must be divisible/],
  ['nn.Conv2d(3, 2, 2, groups=2)', () => new nn.Conv2d(3, 2, 2, { groups: 2 }), /inChannels must be divisible/],
  ["nn.Conv1d(2, 3, 2, padding='full')", () => new nn.Conv1d(2, 3, 2, { padding: wrong('full') }), /'full'/],
  [
    "nn.Conv3d(2, 3, 2, padding='same', stride=(1, 2, 1))",
    () => new nn.Conv3d(2, 3, 2, { padding: 'same', stride: [1, 2, 1] }),
    /'same' needs a stride of 1, got \[1, 2, 1\]/,
  ],
  ["nn.Conv2d(2, 3, 2, padding_mode='x')", () => new nn.Conv2d(2, 3, 2, { paddingMode: wrong('x') }), /reflect/],
  ['nn.Conv2d(-2, 3, 2)', () => new nn.Conv2d(-2, 3, 2), /inChannels must be a whole number, 0 or more, got -2/],
  ['nn.Conv2d(2, 3)', () => new nn.Conv2d(2, 3, wrong(undefined)), /kernelSize must be/],
  [
    'nn.Conv2d(2, 3, 2.5)',
    () => new nn.Conv2d(2, 3, 2.5),
    /kernelSize must be a whole number, .*or an array of them, got 2\.5/,
  ],
  [`nn.Conv2d(2, 3, 2, stride=0)(${py})`, () => new nn.Conv2d(2, 3, 2, { stride: 0 }).forward(image()), /stride/],
  [
    `nn.Conv2d(2, 3, 2, padding=-1)(${py})`,
    () => new nn.Conv2d(2, 3, 2, { padding: -1 }).forward(image()),
    /padding.*-1/,
  ],
  [`nn.Conv1d(2, 3, 2)(${py})`, () => new nn.Conv1d(2, 3, 2).forward(image()), /\[1, 2, 4, 4\]/],
  [`nn.Conv2d(3, 3, 2)(${py})`, () => new nn.Conv2d(3, 3, 2).forward(image()), /to have 3 channels, but got 2/],
  [`nn.Conv2d(2, 3, 5)(${py})`, () => new nn.Conv2d(2, 3, 5).forward(image()), /Kernel size can't be greater/],
  [
    `nn.LazyConv2d(3, 2)(torch.zeros(2, 4))`,
    () => new nn.LazyConv2d(3, 2).forward(zeros([2, 4])),
    /LazyConv2d: expected an input of 3 or 4 dimensions, got \[2, 4\]/,
  ],
  [
    `nn.LazyConv2d(3, 2, groups=3)(${py})`,
    () => new nn.LazyConv2d(3, 2, { groups: 3 }).forward(image()),
    /channels must be divisible by groups, got 2 and 3/,
  ],
  [
    "nn.ConvTranspose2d(2, 3, 2, padding_mode='reflect')",
    () => new nn.ConvTranspose2d(2, 3, 2, { paddingMode: wrong('reflect') }),
    /paddingMode must be 'zeros', got 'reflect'/,
  ],
  [
    `nn.ConvTranspose2d(2, 3, 2, padding='same')(${py})`,
    () => new nn.ConvTranspose2d(2, 3, 2, { padding: wrong('same') }),
    /padding must be a whole number.*, got 'same'/,
  ],
  [
    `nn.ConvTranspose2d(2, 3, 2, stride=2)(${py}, output_size=[8, 10])`,
    () => new nn.ConvTranspose2d(2, 3, 2, { stride: 2 }).forward(image(), { outputSize: [8, 10] }),
    /outputSize \[8, 10\] must be from \[8, 8\] to \[9, 9\] for an input of \[4, 4\]/,
  ],
  [
    `nn.ConvTranspose2d(2, 3, 2)(${py}, output_size=[5])`,
    () => new nn.ConvTranspose2d(2, 3, 2).forward(image(), { outputSize: [5] }),
    /outputSize must have 2 or 4 numbers/,
  ],
  [
    `nn.ConvTranspose2d(2, 3, 2, output_padding=1)(${py})`,
    () => new nn.ConvTranspose2d(2, 3, 2, { outputPadding: 1 }).forward(image()),
    /output padding must be smaller/,
  ],
  [`nn.MaxPool2d(2, padding=2)(${py})`, () => new nn.MaxPool2d(2, { padding: 2 }).forward(image()), /half/],
  [`nn.MaxPool2d((1, 2, 3))(${py})`, () => new nn.MaxPool2d(wrong([1, 2, 3])), /array of 2, got \[1, 2, 3\]/],
  [
    `nn.AvgPool2d(2, divisor_override=0)(${py})`,
    () => new nn.AvgPool2d(2, { divisorOverride: 0 }).forward(image()),
    /divisor/,
  ],
  [
    `nn.MaxUnpool2d(2)(${py}, torch.zeros(1, 2, 4, 4).long(), output_size=[10, 8])`,
    () => new nn.MaxUnpool2d(2).forward(image(), image().to('int64'), { outputSize: [10, 8] }),
    /outputSize \[10, 8\] does not fit/,
  ],
  [
    `nn.AdaptiveAvgPool3d((1, None, 2))(torch.zeros(1, 2, 3))`,
    () => new nn.AdaptiveAvgPool3d([1, null, 2]).forward(zeros([1, 2, 3])),
    /3 sizes/,
  ],
  ['nn.FractionalMaxPool2d(2)', () => new nn.FractionalMaxPool2d(2), /exactly one of outputSize and outputRatio/],
  [
    'nn.FractionalMaxPool2d(2, output_size=2, output_ratio=0.5)',
    () => new nn.FractionalMaxPool2d(2, { outputSize: 2, outputRatio: 0.5 }),
    /exactly one/,
  ],
  [
    'nn.FractionalMaxPool3d(2, output_ratio=1.5)',
    () => new nn.FractionalMaxPool3d(2, { outputRatio: 1.5 }),
    /between 0 and 1/,
  ],
  [
    'nn.FractionalMaxPool3d(0, output_size=2)',
    () => new nn.FractionalMaxPool3d(0, { outputSize: 2 }),
    /greater than 0/,
  ],
  ['nn.CircularPad2d(1)(torch.zeros(2, 4))', () => new nn.CircularPad2d(1).forward(zeros([2, 4])), /3 or 4 dimensions/],
  ['nn.ReflectionPad1d(4)(torch.zeros(2, 4))', () => new nn.ReflectionPad1d(4).forward(zeros([2, 4])), /less than/],
  [`nn.ReplicationPad1d(1)(${py})`, () => new nn.ReplicationPad1d(1).forward(image()), /not supported for 4D/],
  [`nn.Upsample()(${py})`, () => new nn.Upsample().forward(image()), /exactly one of size and scaleFactor/],
  [
    `nn.Upsample(size=3, scale_factor=2)(${py})`,
    () => new nn.Upsample({ size: 3, scaleFactor: 2 }).forward(image()),
    /exactly one/,
  ],
  [
    `nn.Upsample(size=3, mode='linear')(${py})`,
    () => new nn.Upsample({ size: 3, mode: 'linear' }).forward(image()),
    /'linear' needs 3/,
  ],
  [
    `nn.Upsample(size=3, align_corners=True)(${py})`,
    () => new nn.Upsample({ size: 3, alignCorners: true }).forward(image()),
    /alignCorners is for/,
  ],
  [`nn.PixelShuffle(3)(${py})`, () => new nn.PixelShuffle(3).forward(image()), /divisible by 9/],
  [`nn.PixelUnshuffle(3)(${py})`, () => new nn.PixelUnshuffle(3).forward(image()), /divisible by/],
  [`nn.ChannelShuffle(3)(${py})`, () => new nn.ChannelShuffle(3).forward(image()), /divisible by/],
  ['nn.Unflatten(1, 2.5)', () => new nn.Unflatten(1, wrong(2.5)), /an array, each item a whole number, got 2.5/],
  [`nn.Unflatten(1, (3, 3))(${py})`, () => new nn.Unflatten(1, [3, 3]).forward(image()), /multiply/],
  ['nn.Fold(3, 2)(torch.zeros(4, 3))', () => new nn.Fold(3, 2).forward(zeros([4, 3])), /sliding blocks/],
  [
    `F.interpolate(${py}, size=3, mode='lanczos')`,
    () => F.interpolate(image(), 3, null, 'lanczos'),
    /'lanczos' needs antialias/,
  ],
  [
    'F.affine_grid(torch.ones(1, 2, 3).long(), [1, 1, 2, 2])',
    () => F.affineGrid(arange(6).view([1, 2, 3]), [1, 1, 2, 2]),
    /theta of floats, got int64/,
  ],
  ['F.affine_grid(torch.ones(1, 2, 3), [1, 1, 0, 2])', () => F.affineGrid(randn([1, 2, 3]), [1, 1, 0, 2]), /1 or more/],
  [
    `F.grid_sample(${py}, torch.zeros(1, 1, 1, 2), mode='area')`,
    () => F.gridSample(image(), zeros([1, 1, 1, 2]), wrong('area')),
    /bicubic/,
  ],
  [
    'F.max_pool2d_with_indices(torch.zeros(1, 4, 4))',
    () => F.maxPool2dWithIndices(tensor([[[1]]]), wrong(undefined)),
    /kernelSize must be given/,
  ],
];

describe('layers of convolution, pooling, padding and images, wrongly used', () => {
  for (const [code, attempt, message] of refused) {
    it(`refuse ${code}`, () => expect(attempt).to.throw(message).with.property('name', 'AiforgeError'));
  }

  it('refuse just what the Python that is installed refuses', function () {
    if (python === undefined) {
      console.log('    skipped: AIFORGE_REFERENCE_PYTHON is not set');
      this.skip();
    }
    const accepted = runPython<string[]>(
      [
        'import json, sys, torch, torch.nn.functional as F',
        'from torch import nn',
        'def accepts(code):',
        '    try: eval(code)',
        '    except Exception: return False',
        '    return True',
        'print(json.dumps([code for code in json.load(sys.stdin) if accepts(code)]))',
      ].join('\n'),
      JSON.stringify(refused.map(([code]) => code)),
    );
    expect(accepted).to.deep.equal([]);
  });
});
