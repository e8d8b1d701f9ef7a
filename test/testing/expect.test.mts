import { expect } from 'chai';
import { ones, tensor, zeros } from 'aiforge';
import { assertEqual, extendExpect } from 'aiforge/testing';

type Matcher = (...given: unknown[]) => { pass: boolean; message: () => string };

/** What a test runner gets. */
function taught() {
  const got = {
    matchers: {} as Record<string, Matcher>,
    testers: [] as ((a: unknown, b: unknown) => unknown)[],
    serializers: [] as { test(value: unknown): boolean; serialize(value: unknown): string }[],
  };
  const runner = Object.assign(() => undefined, {
    extend: (matchers: object) => Object.assign(got.matchers, matchers),
    addEqualityTesters: (testers: never[]) => got.testers.push(...testers),
    addSnapshotSerializer: (serializer: never) => got.serializers.push(serializer),
  });
  extendExpect(runner);
  return got;
}

describe('assertEqual', () => {
  it('passes for equal tensors and trees of them, NaN included', () => {
    assertEqual(tensor([1, NaN]), tensor([1, NaN]));
    assertEqual({ a: [ones([2])] }, { a: [ones([2])] });
  });

  it('says how tensors differ', () => {
    expect(() => assertEqual(tensor([1, 2.5]), tensor([1, 2.25]))).to.throw(/Mismatched elements: 1 \/ 2/);
    expect(() => assertEqual(ones([2]), ones([3]))).to.throw(/shape/);
    expect(() => assertEqual(ones([2]), 'x')).to.throw(/^assertEqual: a Tensor and 'x' cannot be compared/);
  });
});

describe('extendExpect', () => {
  it('refuses what is no expect', () => {
    expect(() => extendExpect({} as never)).to.throw(/extendExpect: expect must be the `expect` of jest or vitest/);
  });

  it('adds matchers that compare exactly and closely, with lists too', () => {
    const { toEqualTensor, toBeCloseToTensor } = taught().matchers;
    const near = tensor([1, 2 + 1e-6]);
    expect(toEqualTensor!(near, tensor([1, 2.5])).message()).to.match(/Mismatched elements/);
    expect(toEqualTensor!(near, near.clone()).pass).to.equal(true);
    expect(toEqualTensor!(near, [1, 2]).pass).to.equal(false);
    expect(toBeCloseToTensor!(near, [1, 2]).pass).to.equal(true);
    expect(toBeCloseToTensor!(near, [1, 2.1], { rtol: 0, atol: 0.2 }).pass).to.equal(true);
    expect(toBeCloseToTensor!(near, tensor([1, 2.1])).pass).to.equal(false);
    expect(toEqualTensor!(ones([2]), tensor([1, 1])).message()).to.match(/dtype/);
    expect(toEqualTensor!(ones([2]), ones([2])).message()).to.match(/do not differ/);
    expect(() => toEqualTensor!(5, ones([1]))).to.throw(/toEqualTensor: 5 and a Tensor/);
  });

  it('has deep comparison go by content, and leaves other values alone', () => {
    const [tester] = taught().testers;
    expect(tester!(ones([2]), ones([2]))).to.equal(true);
    expect(tester!(ones([]), zeros([]))).to.equal(false);
    expect(tester!(ones([1]), 1)).to.equal(false);
    expect(tester!(1, 1)).to.equal(undefined);
  });
});

describe('snapshots', () => {
  it('show dtype, shape and elements', () => {
    const serializer = taught().serializers[0]!;
    expect(serializer.test({})).to.equal(false);
    expect(serializer.test(ones([1]))).to.equal(true);
    const text = serializer.serialize(tensor([[1, 2], [3, 4.5]])); // prettier-ignore
    expect(text).to.equal('Tensor float32[2, 2]\ntensor([[1.0000, 2.0000],\n        [3.0000, 4.5000]])');
    const gone = ones([1]);
    gone.dispose();
    expect(serializer.serialize(gone)).to.equal('disposed tensor');
  });
});
