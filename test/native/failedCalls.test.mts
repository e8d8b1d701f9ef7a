import { expect } from 'chai';
import * as aiforge from '#lib/index.js';
import { aten } from '#lib/tensor/calls/aten.js';
import { func, inferenceMode, ops, tensor, type Tensor } from '#lib/index.js';

/** A tensor whose memory cannot be moved, since JavaScript looks at it. */
function fixed(dtype: 'float32' | 'int64' | 'complex64' = 'float32'): Tensor {
  const out = aiforge.ones([2], { dtype });
  const plain = dtype === 'complex64' ? aiforge.viewAsReal(out) : out;
  plain.viewTypedArray();
  return out;
}

const layoutOf = (x: Tensor) => ({ shape: x.shape, stride: x.stride(), offset: x.storageOffset(), text: String(x) });

/** The call fails, and the tensors are afterwards what they were. */
function failsAndLeaves(tensors: readonly Tensor[], call: () => unknown): void {
  const before = tensors.map(layoutOf);
  expect(call).to.throw().with.property('name', 'AiforgeError');
  expect(tensors.map(layoutOf)).to.deep.equal(before);
}

const tooMuch = 2 ** 50;

describe('an operator that fails', () => {
  const big = () => aiforge.ones([100]);
  const square = () => aiforge.eye(8);
  const intoOut: Record<string, () => [Tensor[], () => unknown]> = {
    add: () => one(fixed(), (out) => aiforge.add(big(), 1, { out })),
    zeros: () => one(fixed(), (out) => aiforge.zeros([100], { out })),
    arange: () => one(fixed(), (out) => aiforge.arange(100, { out })),
    randn: () => one(fixed(), (out) => aiforge.randn([100], { out })),
    matmul: () => one(fixed(), (out) => aiforge.matmul(square(), square(), { out })),
    cat: () => one(fixed(), (out) => aiforge.cat([big(), big()], 0, { out })),
    nonzero: () => one(fixed('int64'), (out) => aiforge.nonzero(big(), { out })),
    sort: () => two(fixed(), fixed('int64'), (out) => aiforge.sort(big(), { out })),
    topk: () => two(fixed(), fixed('int64'), (out) => aiforge.topk(big(), 9, { out })),
    'fft.fft': () => one(fixed('complex64'), (out) => aiforge.fft.fft(big(), { out })),
    'linalg.eigvalsh': () => one(fixed(), (out) => aiforge.linalg.eigvalsh(square(), { out })),
    'out of a list': () =>
      two(fixed(), fixed(), (out) => ops.aten('unbind_copy.int_out')(aiforge.ones([2, 9]), 0, { out })),
  };
  const one = (out: Tensor, call: (out: Tensor) => unknown): [Tensor[], () => unknown] => [[out], () => call(out)];
  const two = (a: Tensor, b: Tensor, call: (out: [Tensor, Tensor]) => unknown): [Tensor[], () => unknown] => [
    [a, b],
    () => call([a, b]),
  ];
  for (const [name, make] of Object.entries(intoOut)) {
    it(`leaves the result as it was: ${name}`, () => failsAndLeaves(...make()));
  }

  const inPlace: Record<string, (x: Tensor) => unknown> = {
    'resize_ beyond the memory': (x) => x.resize_([tooMuch]),
    'resize_ to a negative size': (x) => x.resize_([-1]),
    'resize_ to many dimensions': (x) => x.resize_([2, 2, 2, 2, 2, 2, tooMuch]),
    resizeAs_: (x) => x.resizeAs_(aiforge.empty([tooMuch], { device: 'meta' }).expand([tooMuch])),
    'set_ beyond its source': (x) => x.set_(aiforge.ones([3]), 0, [tooMuch]),
    'set_ before its source': (x) => x.set_(aiforge.ones([3]), -1, [2]),
    asStrided_: (x) => x.asStrided_([tooMuch], [1]),
    setData: (x) => x.setData(aiforge.ones([2]).toSparse()),
    swapaxes_: (x) => x.swapaxes_(0, 5),
    squeeze_: (x) => x.squeeze_(5),
  };
  for (const [name, call] of Object.entries(inPlace)) {
    it(`leaves what it works on as it was: ${name}`, () => {
      for (const x of [aiforge.ones([2]), aiforge.arange(12, { dtype: 'float32' }).view(3, 4).at('::2', 1)]) {
        failsAndLeaves([x], () => call(x));
      }
    });
  }

  it('leaves strides as they were where others would reach beyond the memory', () => {
    const x = aiforge.ones([1]).expand([1, 2, 3, 3]);
    failsAndLeaves([x], () => x.resize_([1, 2, 3, 3], { memoryFormat: 'channels_last' }));
    expect(() => x.resize_([1, 2, 3, 3], { memoryFormat: 'channels_last' })).to.throw(/holds 1 elements/);
    const whole = aiforge.ones([1, 2, 3, 3]).resize_([1, 2, 3, 3], { memoryFormat: 'channels_last' });
    expect(whole.stride()).to.deep.equal([18, 1, 6, 2]);
  });

  it('takes no integer for a symbol, however small', () => {
    const least = -(2n ** 63n) + 1n;
    for (const device of ['cpu', 'meta'] as const) {
      const x = aiforge.ones([4], { device });
      expect(() => x.resize_([least] as never)).to.throw(aiforge.AiforgeError);
      expect([x.numel(), x.shape]).to.deep.equal([4, [4]]);
    }
    expect(() => aiforge.arange(4).narrow(0, least, 2)).to.throw(aiforge.AiforgeError);
    expect(() => aiforge.arange(4).select(0, least)).to.throw(/index/);
  });

  it('leaves the parts of a sparse tensor as they were', () => {
    const coo = tensor([[1, 0], [0, 2]]).toSparse(); // prettier-ignore
    const csr = tensor([[1, 0], [0, 2]]).toSparseCsr(); // prettier-ignore
    for (const x of [coo, csr]) {
      const text = String(x);
      expect(() => x.resize_([2 ** 40, 2 ** 40])).to.throw();
      expect(() => ops.aten('sparse_resize_')(x, [tooMuch, tooMuch], 2, 0)).to.throw();
      expect(() => ops.aten('copy_')(x, aiforge.ones([3]))).to.throw();
      expect(String(x)).to.equal(text);
      expect(x.toDense().sum().item()).to.equal(3);
    }
  });

  it('leaves tensors inside transforms and inference mode as they were', () => {
    const inside = (x: Tensor) => {
      failsLeavingShape(x.clone());
      return x.sum();
    };
    const failsLeavingShape = (x: Tensor) => {
      const { shape } = x;
      expect(() => ops.aten('resize_')(x, [tooMuch])).to.throw();
      expect(x.shape).to.deep.equal(shape);
      expect(x.add(1).shape).to.deep.equal(shape);
    };
    func.vmap(inside)(aiforge.ones([2, 3]));
    func.grad((x: Tensor) => inside(x.detach()).add(x.sum()))(aiforge.ones([2, 3]));
    inferenceMode(() => inside(aiforge.ones([2, 3])));
  });

  it('leaves what takes part in a graph as it was', () => {
    const x = aiforge.ones([2], { requiresGrad: true });
    const y = x.mul(3);
    failsAndLeaves([y], () => aiforge.add(big(), 1, { out: y }));
    failsAndLeaves([y], () => y.detach().resize_([tooMuch]));
    y.sum().backward();
    expect(x.grad!.tolist()).to.deep.equal([3, 3]);
  });

  it('is what writes into a tensor that stands for zeros, which has no memory', () => {
    const zeros = aten('_efficientzerotensor')([2, 3]);
    for (const call of [() => zeros.resize_([9]), () => zeros.add_(1), () => zeros.set_(aiforge.ones([2]))]) {
      failsAndLeaves([zeros], call);
    }
    expect(() => aiforge.ones([2]).set_(zeros)).to.throw(/stands for zeros/);
    func.grad((x: Tensor) => {
      expect(() => aiforge.add(x, 1, { out: zeros })).to.throw(/stands for zeros/);
      return x.sum();
    })(aiforge.ones([2, 3]));
    expect(() => aiforge.share(zeros)).to.throw(/has no memory/);
    expect(() => aiforge.transfer(zeros)).to.throw(/has no memory/);
  });

  it('is none that is given such a tensor as an index', () => {
    const first = aten('_efficientzerotensor')([2], { dtype: 'int64' });
    const x = aiforge.arange(3);
    expect(x.at(first).tolist()).to.deep.equal([0, 0]);
    expect(x.set(first, 7).tolist()).to.deep.equal([7, 1, 2]);
    expect((ops.aten('index')(x, [first]) as Tensor).tolist()).to.deep.equal([7, 7]);
  });
});
