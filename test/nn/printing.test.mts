import { inspect } from 'node:util';

import { ones } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { python, runPython } from './reference.mjs';

class Encoder extends nn.Module {
  selfAttn = new nn.MultiheadAttention(4, 2);
  feedForward = new nn.Sequential(new nn.Linear(4, 8, { bias: false }), new nn.ReLU());
  override forward(): void {}
}

class Model extends nn.Module {
  embedding = new nn.Embedding(10, 4, { paddingIdx: 0 });
  layers = new nn.ModuleList([new Encoder(), new Encoder(), new Encoder()]);
  override forward(): void {}
}

const printed = `Model(
  (embedding): Embedding(10, 4, padding_idx=0)
  (layers): ModuleList(
    (0-2): 3 x Encoder(
      (self_attn): MultiheadAttention(
        (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)
      )
      (feed_forward): Sequential(
        (0): Linear(in_features=4, out_features=8, bias=False)
        (1): ReLU()
      )
    )
  )
)`;

const modules: [string, () => nn.Module][] = [
  ['nn.Identity()', () => new nn.Identity()],
  ['nn.Dropout(0.1)', () => new nn.Dropout(0.1)],
  ['nn.Dropout(1e-05, inplace=True)', () => new nn.Dropout(1e-5, { inplace: true })],
  ['nn.LayerNorm(5)', () => new nn.LayerNorm(5)],
  ['nn.LayerNorm([2, 3], eps=0.001, bias=False)', () => new nn.LayerNorm([2, 3], { eps: 0.001, bias: false })],
  [
    'nn.LayerNorm(2, eps=2.5e-12, elementwise_affine=False)',
    () => new nn.LayerNorm(2, { eps: 2.5e-12, elementwiseAffine: false }),
  ],
  ['nn.ReLU(inplace=True)', () => new nn.ReLU({ inplace: true })],
  ['nn.GELU()', () => new nn.GELU()],
  ['nn.Softmax(dim=-1)', () => new nn.Softmax(-1)],
  ['nn.Flatten()', () => new nn.Flatten()],
  ['nn.Sequential()', () => new nn.Sequential()],
  ['nn.ModuleList()', () => new nn.ModuleList()],
  [
    'nn.ModuleList([nn.Tanh(), nn.Tanh(), nn.Sigmoid()])',
    () => new nn.ModuleList([new nn.Tanh(), new nn.Tanh(), new nn.Sigmoid()]),
  ],
  [
    'nn.Embedding(4, 2, padding_idx=-1, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True, sparse=True)',
    () => new nn.Embedding(4, 2, { paddingIdx: -1, maxNorm: 1, normType: 1, scaleGradByFreq: true, sparse: true }),
  ],
  ['nn.CrossEntropyLoss(weight=torch.ones(2))', () => new nn.CrossEntropyLoss({ weight: ones([2]) })],
];

describe('printed modules', () => {
  it('look as in PyTorch', () => {
    expect(String(new Model())).to.equal(printed);
    expect(inspect(new nn.Dropout(0.5))).to.equal('Dropout(p=0.5, inplace=False)');
  });

  it('are those of the Python that is installed', function () {
    if (python === undefined) {
      console.log('    skipped: AIFORGE_REFERENCE_PYTHON is not set');
      this.skip();
    }
    const list = modules.map(([code]) => code).join(', ');
    const expected = runPython<string[]>(
      `import json, torch\nfrom torch import nn\nprint(json.dumps([repr(m) for m in (${list})]))`,
    );
    expect(modules.map(([, make]) => String(make()))).to.deep.equal(expected);
  });

  it('prints a parameter as PyTorch does', () => {
    const text = 'Parameter containing:\ntensor([1., 1.], requires_grad=True)';
    expect(inspect(new nn.Parameter(ones([2])))).to.equal(text);
  });
});
