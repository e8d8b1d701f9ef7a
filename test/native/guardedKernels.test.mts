import { expect } from 'chai';
import {
  arange,
  cdist,
  full,
  func,
  nn,
  ones,
  randn,
  savedTensorsHooks,
  segmentReduce,
  tensor,
  zeros,
  linalg,
  luUnpack,
} from '#lib/index.js';
import type { Tensor } from '#lib/index.js';

const F = nn.functional;
const far = 10 ** 9;
const indices = (values: number[] | number[][]) => tensor(values, { dtype: 'int64' });
const learned = (shape: number[]) => randn(shape, { requiresGrad: true });

/** Points beyond every tensor, through memory that no version counter sees. */
function spoil(x: Tensor): void {
  (x.viewTypedArray() as BigInt64Array).fill(BigInt(far));
}

const refused = { name: 'AiforgeError', code: 'INVALID_ARGUMENT' };
const fails = (call: () => unknown) => expect(call).to.throw().that.includes(refused);

describe('a kernel that LibTorch calls itself is guarded', () => {
  const spoiled: Record<string, () => Tensor> = {
    maxPool1d: () => pooled(F.maxPool1d(learned([1, 1, 8]), 2, { returnIndices: true })),
    maxPool2d: () => pooled(F.maxPool2d(learned([1, 1, 8, 8]), 2, { returnIndices: true })),
    maxPool3d: () => pooled(F.maxPool3d(learned([1, 1, 8, 8, 8]), 2, { returnIndices: true })),
    embeddingBag: () => after(indices([1, 2]), (at) => F.embeddingBag(at, learned([9, 4]), { offsets: indices([0]) })),
    segmentReduce: () => after(indices([1, 3]), (lengths) => segmentReduce(learned([4]), 'sum', { lengths })),
    ctcLoss: () => after(indices([[1, 2]]), (to) => F.ctcLoss(learned([5, 1, 4]), to, indices([5]), indices([2]))),
    crossEntropy: () => after(indices([1, 2]), (target) => F.crossEntropy(learned([2, 4]), target)),
  };
  const pooled = ([values, at]: Tensor[]) => (spoil(at!), values!);
  const after = (at: Tensor, call: (at: Tensor) => Tensor) => {
    const result = call(at);
    spoil(at);
    return result;
  };
  for (const [name, make] of Object.entries(spoiled)) {
    it(`in a backward pass, when indices were overwritten: ${name}`, () => fails(() => make().sum().backward()));
  }

  it('in a backward pass, when setData changed a size that the graph relies on', () => {
    const mean = zeros([4000]);
    const y = F.batchNorm(learned([4, 4000]), mean, ones([4000]), { training: false });
    mean.setData(zeros([1]));
    fails(() => y.sum().backward());
  });

  it('in a backward pass, when a hook gives back something else', () => {
    const y = savedTensorsHooks(
      (saved) => saved,
      (saved) => (saved.dtype === 'int64' ? full(saved.shape, far, { dtype: 'int64' }) : saved),
      () => F.maxPool2d(learned([1, 1, 8, 8]), 2),
    );
    fails(() => y.sum().backward());
  });

  it('for the items of a vmap', () => {
    const bad = full([3, 4], far, { dtype: 'int64' });
    fails(() => func.vmap((lengths) => segmentReduce(ones([4]), 'sum', { lengths, unsafe: true }))(bad));
    fails(() => func.vmap((to) => F.ctcLoss(zeros([5, 1, 4]), to, indices([5]), indices([4])))(bad.unsqueeze(1)));
    fails(() => func.vmap((pivots) => linalg.ldlSolve(ones([4, 4]), pivots, ones([4, 2])))(bad.int()));
  });

  it('and takes what is right', () => {
    const lengths = indices([[1, 3], [2, 2]]); // prettier-ignore
    const sums = func.vmap((each) => segmentReduce(ones([4]), 'sum', { lengths: each, unsafe: true }))(lengths);
    expect(sums.tolist()).to.deep.equal([[1, 3], [2, 2]]); // prettier-ignore
    const solved = func.vmap((pivots) => linalg.ldlSolve(ones([2, 2]).tril(), pivots, ones([2, 1])))(
      tensor([[1, 2]], { dtype: 'int32' }),
    );
    expect(solved.shape).to.deep.equal([1, 2, 1]);
    for (const [one, other] of [
      [
        [0, 4, 5],
        [3, 5],
      ],
      [
        [2, 1, 4, 5],
        [6, 3, 5],
      ],
    ] as const) {
      // prettier-ignore
      const [x, y] = [learned([...one]), learned([...other])];
      cdist(x, y).sum().backward();
      expect([x.grad!.shape, y.grad!.shape]).to.deep.equal([one, other]);
    }
    const bags = new nn.EmbeddingBag(3, 2);
    bags.forward(indices([[0, 1, 2, 0]])).sum().backward(); // prettier-ignore
    expect(bags.weight.grad!.tolist()).to.deep.equal([[0.5, 0.5], [0.25, 0.25], [0.25, 0.25]]); // prettier-ignore
    const last = segmentReduce(tensor([[1, 2, 4]]).float(), 'sum', { lengths: indices([[2, 1]]), axis: -1 }); // prettier-ignore
    expect(last.tolist()).to.deep.equal([[3, 4]]); // prettier-ignore
    const second = nn.utils.parametrizations.weightNorm(new nn.Conv1d(2, 2, 1), { dim: -2 });
    expect(second.forward(ones([1, 2, 3])).shape).to.deep.equal([1, 2, 3]);
    const [, , upper] = luUnpack(ones([2, 2]), zeros([2], { dtype: 'int32' }), { unpackPivots: false });
    expect(upper.shape).to.deep.equal([2, 2]);
    expect(arange(0.5, 4, 0.5, { dtype: 'int32' }).tolist()).to.deep.equal([0, 0, 0, 0, 0, 0, 0]);
    for (const training of [true, false]) {
      const [x, mean, variance] = [ones([2, 3], { requiresGrad: true }), zeros([3]), ones([3])];
      F.batchNorm(x, mean, variance, { training }).sum().backward();
      expect(x.grad!.shape).to.deep.equal([2, 3]);
    }
  });
});
