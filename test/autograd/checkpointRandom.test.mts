import {
  checkpoint,
  checkpointSequential,
  getRngState,
  manualSeed,
  nn,
  rand,
  randn,
  scope,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';
import { reference } from '../support/reference.mjs';

interface Recorded {
  loss: number;
  gradients: number[][];
  next: number[];
}

const { dropout, relu } = nn.functional;

/** As test/reference/checkpoint.py does it. */
function train(useCheckpoint: boolean, useReentrant = false): Recorded {
  manualSeed(7);
  const weights = [1, 2, 3].map(() => randn([8, 8], { dtype: 'float64' }).requiresGrad_());
  const x = randn([4, 8], { dtype: 'float64' }).requiresGrad_();
  const layer = (weight: Tensor) => (t: Tensor) => relu(dropout(t.matmul(weight), { p: 0.5 }));
  let y = x;
  for (const weight of weights) {
    y = useCheckpoint ? checkpoint(layer(weight), y, { useReentrant }) : layer(weight)(y);
  }
  const loss = y.square().sum();
  loss.backward();
  return {
    loss: loss.item(),
    gradients: [x, ...weights].map((t) => t.grad!.flatten().tolist<number[]>()),
    next: rand([3], { dtype: 'float64' }).tolist<number[]>(),
  };
}

describe('checkpoint with random numbers', () => {
  it('has bit-identical gradients, and leaves the generator where it was', () => {
    const plain = train(false);
    expect(train(true)).to.deep.equal(plain);
    expect(train(true, true)).to.deep.equal(plain);
  });

  it('has the same numbers as PyTorch', function () {
    const recorded = JSON.parse(reference(this, 'checkpoint.py')) as Recorded;
    expect(train(true)).to.deep.equal(recorded);
  });

  it('draws anew when told so', () => {
    manualSeed(1);
    const x = rand([64]).requiresGrad_();
    const masks: boolean[][] = [];
    const fn = (t: Tensor) => {
      const y = dropout(t, { p: 0.5 });
      masks.push(y.ne(0).tolist<boolean[]>());
      return y.exp();
    };
    checkpoint(fn, x, { preserveRngState: false }).sum().backward();
    expect(masks[0]).not.to.deep.equal(masks[1]);
    const before = getRngState();
    const y = checkpoint(fn, x);
    const between = getRngState();
    y.sum().backward();
    expect(masks[2]).to.deep.equal(masks[3]);
    expect(getRngState().equal(between)).to.equal(true);
    expect(before.equal(between)).to.equal(false);
  });

  it('goes through functions in segments', () => {
    const stages = [1, 2, 3, 4, 5].map((i) => (t: Tensor) => dropout(t.mul(i).sin(), { p: 0.3 }));
    const run = (segments: number | null) => {
      manualSeed(3);
      const x = randn([10]).requiresGrad_();
      const y =
        segments === null ? stages.reduce((t, stage) => stage(t), x) : checkpointSequential(stages, segments, x);
      scope(() => y.sum().backward());
      return x.grad!;
    };
    const expected = run(null);
    for (const segments of [1, 2, 3, 5]) expect(run(segments).equal(expected)).to.equal(true);
    expect(() => checkpointSequential(stages, 6, randn([1]))).to.throw(/expected from 1 to 5 segments/);
  });
});
