import { arange, grad, inferenceMode, linalg, manualSeed, noGrad, ones, rand, randn, tensor, zeros } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { exact, type Exact } from '../support/exact.mjs';
import { python, runPython } from './reference.mjs';

const invalid = (make: () => unknown, message: RegExp): void => {
  expect(make).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
};

describe('layers', () => {
  it('refuse sizes and probabilities that make no sense', () => {
    invalid(() => new nn.Linear(-1, 2), /inFeatures.*-1/);
    invalid(() => new nn.Linear(1, 2.5), /outFeatures.*2\.5/);
    invalid(() => new nn.Embedding(3, 2, { paddingIdx: 3 }), /paddingIdx 3/);
    invalid(() => new nn.Dropout(1.5), /1\.5/);
    invalid(() => new nn.Dropout(NaN), /NaN/);
    invalid(() => new nn.MultiheadAttention(5, 2), /multiple of numHeads, got 5 and 2/);
    invalid(() => new nn.MultiheadAttention(0, 2), /positive/);
    invalid(() => new nn.LayerNorm(-3), /normalizedShape/);
    invalid(() => new nn.MSELoss({ reduction: 'avg' as 'mean' }), /'none', 'mean' or 'sum', got 'avg'/);
    invalid(() => new nn.CrossEntropyLoss({ reduction: 'avg' as 'mean' }), /avg/);
  });

  it('take a dtype for their parameters', () => {
    const linear = new nn.Linear(2, 2, { dtype: 'float64' });
    expect([linear.weight.dtype, linear.bias!.dtype]).to.deep.equal(['float64', 'float64']);
  });

  it('embed with a padding row from the end, with a bound on norms, and from given vectors', () => {
    const embedding = new nn.Embedding(4, 2, { paddingIdx: -1 });
    expect(embedding.paddingIdx).to.equal(3);
    expect(embedding.weight.select(0, 3).tolist()).to.deep.equal([0, 0]);

    const bounded = new nn.Embedding(2, 2, { maxNorm: 1 });
    noGrad(() =>
      bounded.weight.copy_(
        tensor([
          [3, 4],
          [0.3, 0.4],
        ]),
      ),
    );
    const rows = linalg.vectorNorm(bounded.forward(tensor([0, 1])), 2, [1]).tolist<number[]>();
    rows.forEach((norm, i) => expect(norm).to.be.closeTo([1, 0.5][i]!, 1e-6));
    expect(linalg.vectorNorm(bounded.weight.select(0, 0)).item()).to.be.closeTo(1, 1e-6);

    const fixed = nn.Embedding.fromPretrained(
      tensor([
        [1, 2.5],
        [3, 4],
      ]),
    );
    expect(fixed.forward(tensor([1])).tolist()).to.deep.equal([[3, 4]]);
    expect([fixed.weight.requiresGrad, fixed.numEmbeddings]).to.deep.equal([false, 2]);
    expect(String(fixed)).to.equal('Embedding(2, 2)');
  });

  it('drop nothing in evaluation, and change the input where asked', () => {
    const x = ones([100]);
    expect(new nn.Dropout(0.5).eval().forward(x).sum().item()).to.equal(100);
    new nn.Dropout(0.5, { inplace: true }).forward(x);
    expect(new Set(x.tolist<number[]>())).to.deep.equal(new Set([0, 2]));
    const y = tensor([-1, 1.5]);
    expect(new nn.ReLU({ inplace: true }).forward(y)).to.equal(y);
    expect(y.tolist()).to.deep.equal([0, 1.5]);
  });

  it('flatten, softmax and pass through', () => {
    expect(new nn.Flatten().forward(zeros([2, 3, 4])).shape).to.deep.equal([2, 12]);
    expect(new nn.Softmax(-1).forward(zeros([1, 4])).tolist()).to.deep.equal([[0.25, 0.25, 0.25, 0.25]]);
    const x = ones([1]);
    expect(new nn.Identity().forward(x)).to.equal(x);
  });
});

describe('losses', () => {
  it('agree with their formulas', () => {
    const [p, t] = [tensor([[1, 2.5]]), tensor([[0, 0.5]])];
    expect(new nn.L1Loss().forward(p, t).item()).to.equal(1.5);
    expect(new nn.L1Loss({ reduction: 'sum' }).forward(p, t).item()).to.equal(3);
    expect(nn.functional.mseLoss(p, t, { weight: tensor([[1, 3]]).to('float32') }).item()).to.equal(13 / 4);
    const logits = tensor([0, 2.5]);
    const expected = [Math.log(2), Math.log(1 + Math.exp(2.5))];
    const losses = new nn.BCEWithLogitsLoss({ reduction: 'none' }).forward(logits, zeros([2])).tolist<number[]>();
    losses.forEach((loss, i) => expect(loss).to.be.closeTo(expected[i]!, 1e-6));
    const nll = new nn.NLLLoss().forward(nn.functional.logSoftmax(zeros([2, 4]), 1), tensor([1, 3]));
    expect(nll.item()).to.be.closeTo(Math.log(4), 1e-6);
  });

  it('broadcast targets and send gradients back in the input’s shape', () => {
    const prediction = zeros([2, 1]).requiresGrad_();
    new nn.MSELoss().forward(prediction, ones([2])).backward();
    expect(prediction.grad!.tolist()).to.deep.equal([[-1], [-1]]);
    invalid(() => new nn.BCEWithLogitsLoss().forward(zeros([2, 1]), zeros([2])), /\[2, 1\].*\[2\]/);
  });

  it('have their weights in the state dict', () => {
    expect(Object.keys(new nn.BCEWithLogitsLoss({ posWeight: ones([2]) }).stateDict())).to.deep.equal(['pos_weight']);
    expect(new nn.CrossEntropyLoss().stateDict()).to.deep.equal({});
  });
});

describe('multi-head attention', () => {
  const attention = (): nn.MultiheadAttention => new nn.MultiheadAttention(4, 2, { batchFirst: true });

  it('explains shapes that do not fit', () => {
    const x = randn([2, 3, 4]);
    const module = attention();
    invalid(
      () => module.forward(x, x, x, { attnMask: ones([3, 4]).to('bool') }),
      /attnMask must have shape \[3, 3\], got \[3, 4\]/,
    );
    invalid(
      () => module.forward(x, x, x, { keyPaddingMask: ones([3, 3]).to('bool') }),
      /keyPaddingMask must have shape \[2, 3\]/,
    );
    invalid(() => module.forward(x, x, x, { keyPaddingMask: arange(3) }), /keyPaddingMask must have 2 dimensions/);
    invalid(
      () => module.forward(x, x, x, { attnMask: ones([3, 3]).to('int64') }),
      /boolean or floating-point, got int64/,
    );
    invalid(() => module.forward(x, x, x, { isCausal: true }), /isCausal/);
    invalid(() => module.forward(zeros([4]), x, x), /3 dimensions/);
  });

  it('takes one sequence without a batch, a learnt key and a row of zeros', () => {
    const module = new nn.MultiheadAttention(4, 2, { addBiasKv: true, addZeroAttn: true });
    const x = randn([3, 4]);
    const [output, weights] = module.forward(x, x, x);
    expect([output.shape, weights!.shape]).to.deep.equal([
      [3, 4],
      [3, 5],
    ]);
    expect(Object.keys(module.stateDict()).slice(0, 4)).to.deep.equal([
      'in_proj_weight',
      'in_proj_bias',
      'bias_k',
      'bias_v',
    ]);
  });

  it('gives in evaluation without gradients what it gives with them', () => {
    const module = attention().eval();
    const x = randn([2, 3, 4]);
    const [slow] = module.forward(x, x, x);
    const [fast] = noGrad(() => module.forward(x, x, x));
    const [inferred] = inferenceMode(() => module.forward(x, x, x));
    expect(slow.requiresGrad && !fast.requiresGrad).to.equal(true);
    for (const other of [fast, inferred]) expect(slow.sub(other).abs().max().item()).to.be.below(1e-6);
  });

  it('computes every variant as the Python that is installed does', function () {
    if (python === undefined) {
      console.log('    skipped: AIFORGE_REFERENCE_PYTHON is not set');
      this.skip();
    }
    expect(variants()).to.deep.equal(runPython<Exact[]>(variantsInPython));
  });
});

const variantsInPython = `
import json, sys, torch
sys.path.insert(0, 'test/reference')
from recording import exact
from torch import nn
results = []
masks = [{}, {'attn_mask': torch.ones(3, 3).triu(1).bool()}, {'key_padding_mask': torch.tensor([[False, False, True], [False, True, False]])}]
masks.append({**masks[1], **masks[2]})
for options in ({}, {'dropout': 0.5}, {'bias': False}, {'add_bias_kv': True}, {'add_zero_attn': True}):
  for mode in (True, False):
    for mask in masks:
      for weights in (True, False):
        for average in (True, False):
          torch.manual_seed(1)
          module = nn.MultiheadAttention(4, 2, batch_first=True, **options).train(mode)
          x = torch.randn(2, 3, 4)
          with torch.set_grad_enabled(mode):
            for key in (x, x.clone()):
              pair = module(x, key, key, need_weights=weights, average_attn_weights=average, **mask)
              results += [exact(pair[0]), exact(pair[1])]
              if mode:
                results += [exact(g) for g in torch.autograd.grad(pair[0].square().sum(), list(module.parameters()))]
          results.append(exact(torch.rand(1)))
print(json.dumps(results))
`;

function variants(): (Exact | null)[] {
  const results: (Exact | null)[] = [];
  const causal = { attnMask: ones([3, 3]).triu(1).to('bool') };
  const padding = {
    keyPaddingMask: tensor([
      [false, false, true],
      [false, true, false],
    ]),
  };
  for (const options of [{}, { dropout: 0.5 }, { bias: false }, { addBiasKv: true }, { addZeroAttn: true }])
    for (const training of [true, false])
      for (const mask of [{}, causal, padding, { ...causal, ...padding }])
        for (const needWeights of [true, false])
          for (const averageAttnWeights of [true, false]) {
            manualSeed(1);
            const module = new nn.MultiheadAttention(4, 2, { batchFirst: true, ...options }).train(training);
            const x = randn([2, 3, 4]);
            const run = (): void => {
              for (const key of [x, x.clone()]) {
                const [output, weights] = module.forward(x, key, key, { needWeights, averageAttnWeights, ...mask });
                results.push(exact(output), weights === null ? null : exact(weights));
                if (!training) continue;
                const gradients = grad(output.square().sum(), [...module.parameters()]);
                results.push(...gradients.map((gradient) => exact(gradient!)));
              }
            };
            if (training) run();
            else noGrad(run);
            results.push(exact(rand([1])));
          }
  return results;
}
