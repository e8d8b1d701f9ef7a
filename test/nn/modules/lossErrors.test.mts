import { grad, ones, randn, rand, scope, tensor, zeros, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

const invalid = (make: () => unknown, message: RegExp): void => {
  expect(make).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
};

describe('losses', () => {
  it('refuse at construction what makes no sense', () => {
    const avg = { reduction: 'avg' as 'mean' };
    const plain = [nn.L1Loss, nn.BCELoss, nn.KLDivLoss, nn.CTCLoss, nn.MultiMarginLoss, nn.TripletMarginLoss];
    for (const Loss of plain) invalid(() => new Loss(avg), /'none', .*'sum'.*, got 'avg'/);
    invalid(() => new nn.MSELoss({ reduction: 'batchmean' as 'mean' }), /'none', 'mean' or 'sum', got 'batchmean'/);
    invalid(() => new nn.HuberLoss({ delta: '1' as unknown as number }), /delta must be a number, got '1'/);
    invalid(() => new nn.MultiMarginLoss({ p: 3 }), /p must be 1 or 2, got 3/);
    invalid(() => new nn.MultiMarginLoss({ weight: ones([2, 2]) }), /one dimension, got \[2, 2\]/);
    invalid(() => new nn.TripletMarginLoss({ margin: 0 }), /TripletMarginLoss: margin must be greater than 0, got 0/);
    invalid(() => new nn.TripletMarginWithDistanceLoss({ margin: -1 }), /margin must be greater than 0, got -1/);
    invalid(() => new nn.LinearCrossEntropyLoss(3, 4, { weight: ones([3]) }), /expected a weight \[4\], got \[3\]/);
    invalid(() => new nn.LinearCrossEntropyLoss(3, 4, { labelSmoothing: 2 }), /between 0 and 1, got 2/);
    for (const cutoffs of [[], [0, 5], [5, 5], [7, 3], [20], [1.5]]) {
      invalid(() => new nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs), /cutoffs must/);
    }
    invalid(() => new nn.Bilinear(0, 2, 2), /in1Features must be more than 0/);
    invalid(() => new nn.EmbeddingBag(3, 2, { paddingIdx: 3 }), /paddingIdx 3/);
    invalid(() => nn.EmbeddingBag.fromPretrained(ones([3])), /2 dimensions, got \[3\]/);
  });

  it('refuse from forward what Python refuses', () => {
    const [x, column] = [zeros([2, 3]), zeros([2, 1])];
    invalid(() => new nn.BCELoss().forward(x, column), /\[2, 3\], got \[2, 1\]/);
    invalid(() => new nn.GaussianNLLLoss().forward(x, x, ones([2, 3]).neg()), /negative/);
    invalid(() => new nn.GaussianNLLLoss().forward(x, x, ones([3])), /variance of shape \[3\] does not fit/);
    invalid(() => new nn.MarginRankingLoss().forward(x, zeros([2]), x), /as many dimensions/);
    invalid(() => new nn.TripletMarginWithDistanceLoss().forward(x, zeros([2]), x), /as many dimensions/);
    const adaptive = new nn.AdaptiveLogSoftmaxWithLoss(3, 6, [2, 4]);
    invalid(() => adaptive.forward(x, tensor([0, 6])), /between 0 and 5, got 0 to 6/);
    invalid(() => adaptive.forward(x, tensor([0, 1, 2])), /one batch size/);
    invalid(() => adaptive.forward(x, tensor(1)), /\[\] goes with an input of 1 dimensions/);
    invalid(() => adaptive.forward(x, zeros([2, 2])), /at most one dimension/);
    const bags = new nn.EmbeddingBag(3, 2);
    invalid(() => bags.forward(tensor([0, 1])), /needs offsets/);
    invalid(() => bags.forward(tensor([[0, 1]]), tensor([0])), /no offsets/);
    invalid(() => bags.forward(tensor([[0, 1]]), null, rand([1, 2])), /needs mode 'sum', got 'mean'/);
    const withLast = new nn.EmbeddingBag(3, 2, { includeLastOffset: true });
    invalid(
      () => withLast.forward(tensor([0, 1, 2]), tensor([0, 2])),
      /'the last offset, the number of indices' to be 3, got 2/,
    );
    invalid(() => withLast.forward(tensor([], { dtype: 'int64' }), tensor([], { dtype: 'int64' })), /offset/);
    const linear = new nn.LinearCrossEntropyLoss(3, 2, { ignoreIndex: 1 });
    invalid(() => linear.forward(x, ones([2, 2])), /ignoreIndex is not for a target of probabilities/);
    invalid(() => linear.forward(zeros([2, 4]), tensor([0, 1])), /last dimensions.*\[2, 4\] and \[2, 3\]/);
  });

  it('take a function or a module for the distance of triplets', () => {
    const points: [Tensor, Tensor, Tensor] = [randn([4, 3]), randn([4, 3]), randn([4, 3])];
    const expected = new nn.TripletMarginLoss({ swap: true }).forward(...points);
    const module = new nn.TripletMarginWithDistanceLoss({ swap: true });
    expect(module.forward(...points).item()).to.be.closeTo(expected.item(), 1e-6);
    expect(String(module)).to.equal('TripletMarginWithDistanceLoss(\n  (distance_function): PairwiseDistance()\n)');
    const distanceFunction = (a: Tensor, b: Tensor): Tensor => a.sub(b).abs().amax([1]);
    const own = new nn.TripletMarginWithDistanceLoss({ distanceFunction });
    const [anchor, positive, negative] = points;
    const hinge = distanceFunction(anchor, positive).add(1).sub(distanceFunction(anchor, negative)).clampMin(0);
    expect(own.forward(...points).equal(hinge.mean())).to.equal(true);
    expect(String(own)).to.equal('TripletMarginWithDistanceLoss()');
  });
});

describe('the adaptive softmax', () => {
  it('gives each class the log probability that forward gives a target, and predicts the greatest', () => {
    const softmax = new nn.AdaptiveLogSoftmaxWithLoss(4, 9, [3, 6], { divValue: 2, headBias: true });
    const x = randn([64, 4]).mul(8);
    const logProb = softmax.logProb(x);
    expect(logProb.exp().sum(1).sub(1).abs().max().item()).to.be.below(1e-5);
    expect(softmax.predict(x).equal(logProb.argmax(1))).to.equal(true);
    for (const rows of [softmax.predict(x).lt(3), softmax.predict(x).ge(3)]) {
      const some = x.indexSelect(0, rows.nonzero().squeeze(1));
      expect(softmax.predict(some).equal(softmax.logProb(some).argmax(1))).to.equal(true);
    }
    for (let target = 0; target < 9; ++target) {
      const { output } = softmax.forward(x, zeros([64], { dtype: 'int64' }).fill_(target));
      expect(output.sub(logProb.select(1, target)).abs().max().item()).to.be.below(1e-4);
    }
    expect(Object.keys(softmax.stateDict())).to.deep.equal([
      'head.weight',
      'head.bias',
      'tail.0.0.weight',
      'tail.0.1.weight',
      'tail.1.0.weight',
      'tail.1.1.weight',
    ]);
  });
});

describe('bags of embeddings', () => {
  it('share the memory of given vectors and learn only when asked', () => {
    const vectors = randn([4, 2]);
    const frozen = nn.EmbeddingBag.fromPretrained(vectors, { mode: 'max', paddingIdx: -1 });
    expect([frozen.weight.requiresGrad, frozen.paddingIdx, frozen.numEmbeddings]).to.deep.equal([false, 3, 4]);
    vectors.zero_();
    expect(frozen.weight.abs().max().item()).to.equal(0);
    expect(nn.EmbeddingBag.fromPretrained(vectors, { freeze: false }).weight.requiresGrad).to.equal(true);
    expect(nn.Embedding.fromPretrained(vectors, { freeze: false }).weight.requiresGrad).to.equal(true);
  });
});

describe('the cross entropy of a linear layer in chunks', () => {
  const chunked = (allowRetainGraph: boolean): Tensor => {
    const options = new nn.LinearCrossEntropyOptions({ batchChunkSize: 2, allowRetainGraph });
    const weight = ones([5, 3], { requiresGrad: true });
    return nn.functional.linearCrossEntropy(ones([4, 3]), weight, tensor([0, 1, 2, 3]), { options });
  };

  it('keeps its gradients for another pass only when asked', () => {
    const [once, often] = [chunked(false), chunked(true)];
    once.backward({ retainGraph: true });
    invalid(() => once.backward(), /set allowRetainGraph/);
    often.backward({ retainGraph: true });
    often.backward();
  });

  it('outlives the scope in which it was computed', () => {
    const weight = ones([5, 3], { requiresGrad: true });
    const options = new nn.LinearCrossEntropyOptions({ batchChunkSize: 2 });
    const given = { linearBias: zeros([5]), options };
    const loss = scope(() => nn.functional.linearCrossEntropy(ones([4, 3]), weight, tensor([0, 1, 2, 3]), given));
    const plain = nn.functional.linearCrossEntropy(ones([4, 3]), weight, tensor([0, 1, 2, 3]), {
      linearBias: zeros([5]),
    });
    const [[first], [second]] = [grad(loss, [weight]), grad(plain, [weight])];
    expect(first!.sub(second!).abs().max().item()).to.be.below(1e-6);
  });

  it('refuses settings that make no sense', () => {
    const make = (settings: nn.LinearCrossEntropySettings) => () => new nn.LinearCrossEntropyOptions(settings);
    invalid(make({ accPolicy: 'fast' as 'auto' }), /accPolicy must be 'auto', .*, got 'fast'/);
    for (const chunkingMethod of ['rows', 'aspect_ratio:0', 'aspect_ratio:x', 'aspect_ratio:']) {
      invalid(make({ chunkingMethod }), /chunkingMethod must be/);
    }
    invalid(make({ batchChunkSize: 0 }), /batchChunkSize must be a whole number above 0, or null, got 0/);
    invalid(make({ accDtype: 'int64' }), /accDtype must be/);
    const both = new nn.LinearCrossEntropyOptions({ batchChunkSize: 3, chunkingMethod: 'aspect_ratio' });
    const call = (options: nn.LinearCrossEntropyOptions, x: Tensor) => () =>
      nn.functional.linearCrossEntropy(x, ones([5, 3], { dtype: x.dtype }), tensor([0, 1, 2, 3]), { options });
    invalid(call(both, ones([4, 3])), /batchChunkSize 3 and chunkingMethod 'aspect_ratio', which gives 2, differ/);
    const wide = new nn.LinearCrossEntropyOptions({ accDtype: 'float64' });
    invalid(call(wide, ones([4, 3])), /accDtype float32 goes with float16 and bfloat16/);
  });
});
