import { manualSeed, nn, rand, randn, zeros, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { exact, type Exact } from '../../support/exact.mjs';
import { python, runPython } from '../reference.mjs';

const F = nn.functional;

describe('activations of nn.functional', () => {
  it('in place change their input to what the others give', () => {
    const pairs: [(input: Tensor) => Tensor, (input: Tensor) => Tensor][] = [
      [(x) => F.relu(x), (x) => F.relu_(x)],
      [(x) => F.elu(x, 0.5), (x) => F.elu_(x, 0.5)],
      [(x) => F.celu(x, 0.5), (x) => F.celu_(x, { alpha: 0.5 })],
      [(x) => F.selu(x), (x) => F.selu_(x)],
      [(x) => F.leakyRelu(x, 0.5), (x) => F.leakyRelu_(x, 0.5)],
      [(x) => F.hardtanh(x, -0.5, 0.25), (x) => F.hardtanh_(x, -0.5, 0.25)],
      [(x) => F.rrelu(x, 0.25, 0.5), (x) => F.rrelu_(x, 0.25, 0.5)],
      [(x) => F.threshold(x, 0.25, 2), (x) => F.threshold_(x, 0.25, 2)],
    ];
    for (const [copying, inPlace] of pairs) {
      const x = randn([3, 4]);
      const expected = exact(copying(x));
      expect(exact(x)).not.to.deep.equal(expected);
      expect(inPlace(x)).to.equal(x);
      expect(exact(x)).to.deep.equal(expected);
    }
  });

  it('draw as in Python', function () {
    if (python === undefined) {
      console.log('    skipped: AIFORGE_REFERENCE_PYTHON is not set');
      this.skip();
    }
    manualSeed(3);
    const x = randn([3, 4]);
    const drawn = [
      F.gumbelSoftmax(x),
      F.gumbelSoftmax(x, 0.5, true),
      F.gumbelSoftmax(x, 2, false, 1e-10, 0),
      F.rrelu(x, { training: true }),
      F.alphaDropout(x, 0.3, true),
      F.featureAlphaDropout(x, 0.3, true),
      F.dropout1d(x, 0.5),
      F.dropout(x, 0.5, false),
      rand([1]),
    ];
    expect(drawn.map(exact)).to.deep.equal(runPython<Exact[]>(drawnInPython));
  });

  it('refuse what Python refuses', () => {
    expect(() => F.hardtanh(zeros([2]), 1, -1)).to.throw(/minVal 1 is greater than maxVal -1/);
    expect(() => F.dropout(zeros([2]), 1.5)).to.throw(/between 0 and 1, got 1.5/);
    expect(() => F.dropout1d(zeros([2]))).to.throw(/2 or 3 dimensions/);
  });
});

const drawnInPython = `
import json, sys, torch
import torch.nn.functional as F
sys.path.insert(0, 'test/reference')
from recording import exact
torch.manual_seed(3)
x = torch.randn(3, 4)
drawn = [F.gumbel_softmax(x), F.gumbel_softmax(x, 0.5, True), F.gumbel_softmax(x, 2, False, 1e-10, 0)]
drawn += [F.rrelu(x, training=True), F.alpha_dropout(x, 0.3, True), F.feature_alpha_dropout(x, 0.3, True)]
drawn += [F.dropout1d(x, 0.5), F.dropout(x, 0.5, False), torch.rand(1)]
print(json.dumps([exact(tensor) for tensor in drawn]))
`;
