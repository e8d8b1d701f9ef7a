import { inspect } from 'node:util';

import { expect } from 'chai';
import type { Tensor } from 'aiforge';
import {
  arange,
  autograd,
  dropout,
  func,
  grad,
  inferenceMode,
  isGradEnabled,
  noGrad,
  ones,
  randn,
  scope,
  tensor,
  vmap,
} from 'aiforge';
import { native } from '#lib/native.js';

const x = arange(6, { dtype: 'float32' }).view(2, 3);

function refuses(run: () => unknown, message: RegExp, code = 'INVALID_ARGUMENT'): void {
  expect(run).to.throw(message).with.property('code', code);
}

/** What was asked inside vmap, where the function's own result does not matter. */
function inside<T>(ask: (slice: Tensor) => T): T {
  let answer!: T;
  vmap((slice: Tensor) => {
    answer = ask(slice);
    return slice;
  })(x);
  return answer;
}

afterEach('no transform is left running', () => {
  expect(native.transformDepth()).to.equal(0);
  expect(native.hasDualLevel()).to.equal(false);
});

describe('vmap', () => {
  it('hides the mapped dimension', () => {
    expect(inside((slice) => [slice.shape, slice.ndim, slice.numel(), slice.dtype, slice.stride()])).to.deep.equal([
      [3],
      1,
      3,
      'float32',
      [1],
    ]);
    const doubled = vmap((slice: Tensor) => slice.mul(2));
    expect(doubled(x).tolist()).to.deep.equal([
      [0, 2, 4],
      [6, 8, 10],
    ]);
    expect(vmap((column: Tensor) => column.sum(), { inDims: 1 })(x).tolist()).to.deep.equal([3, 5, 7]);
    expect(vmap((column: Tensor) => column.sum(), { inDims: -1 })(x).tolist()).to.deep.equal([3, 5, 7]);
  });

  it('repeats a result that does not depend on the slice, wherever the dimension goes', () => {
    const constant = tensor([1, 2]);
    expect(vmap((_: Tensor) => constant, { inDims: [0] })(x).tolist()).to.deep.equal([
      [1, 2],
      [1, 2],
    ]);
    expect(vmap((_: Tensor) => ones([3]), { outDims: 1 })(x).shape).to.deep.equal([3, 2]);
    expect(vmap((_: Tensor) => ones([3]), { outDims: -1 })(x).shape).to.deep.equal([3, 2]);
  });

  it('takes and gives nested arrays, objects, maps and named results', () => {
    const { y, z } = vmap(
      (p: { w: Tensor; rest: [Tensor, string] }) => ({ y: p.w.mul(p.rest[0]), z: new Map([['k', p.w]]) }),
      { inDims: [{ w: 0, rest: [null, null] }] },
    )({ w: x, rest: [tensor([1, 2, 3]), 'untouched'] });
    expect(y.tolist()).to.deep.equal([
      [0, 2, 6],
      [3, 8, 15],
    ]);
    expect(z.get('k')!.tolist()).to.deep.equal(x.tolist());
    const sorted = vmap((slice: Tensor) => slice.sort({ descending: true }))(x);
    expect(sorted.indices.tolist()).to.deep.equal([
      [2, 1, 0],
      [2, 1, 0],
    ]);
    expect(vmap((slice: Tensor) => [slice, 7] as const, { outDims: [0, null] })(x)[1]).to.equal(7);
  });

  it('computes in chunks', () => {
    for (const chunkSize of [1, 2, 3, 100]) {
      const sums = vmap((slice: Tensor) => [slice.sum(), slice], { chunkSize })(arange(10).view(5, 2));
      expect(sums[0]!.tolist()).to.deep.equal([1, 5, 9, 13, 17]);
      expect(sums[1]!.shape).to.deep.equal([5, 2]);
    }
  });

  it('refuses random operators unless told how to draw', () => {
    const noise = (slice: Tensor): Tensor => slice.add(randn([3]));
    refuses(() => vmap(noise)(x), /randomness error mode/, 'OPERATOR_FAILED');
    const difference = (result: Tensor): Tensor => result.sub(x);
    const same = difference(vmap(noise, { randomness: 'same' })(x)).tolist<number[][]>();
    const different = difference(vmap(noise, { randomness: 'different' })(x)).tolist<number[][]>();
    expect(same[0]!.every((value, i) => Math.abs(value - same[1]![i]!) < 1e-5)).to.equal(true);
    expect(different[0]!.some((value, i) => Math.abs(value - different[1]![i]!) > 1e-5)).to.equal(true);
    const dropped = vmap((slice: Tensor) => dropout(slice, 0.5, true), { randomness: 'same', chunkSize: 1 })(
      ones([4, 50]),
    );
    expect(dropped.sum([0]).div(4).remainder(2).tolist()).to.deep.equal(new Array(50).fill(0));
  });

  it('says what does not fit', () => {
    const same = (slice: Tensor): Tensor => slice;
    refuses(() => vmap(same)(3 as unknown as Tensor), /can be mapped over: give null/);
    refuses(() => vmap(same, { inDims: null })(x), /at least one Tensor to map over/);
    refuses(() => vmap(same, { inDims: 2 })(x), /-2 <= inDim < 2/);
    refuses(() => vmap(same, { inDims: 0.5 })(x), /whole number or null/);
    refuses(() => vmap(same, { inDims: [0, 0] })(x), /does not fit that of the arguments/);
    refuses(() => vmap((a: Tensor, b: Tensor) => a.add(b))(x, ones([3])), /sizes \[2, 3\]/);
    refuses(() => vmap(same, { outDims: [0, 0] })(x), /does not fit that of the results/);
    refuses(() => vmap(same, { outDims: 5 })(x), /Dimension out of range/, 'OPERATOR_FAILED');
    refuses(() => vmap(same, { outDims: null })(x), /a mapped tensor where outDims is null/);
    refuses(() => vmap((_: Tensor) => 3, { inDims: [0] })(x), /must return tensors only/);
    refuses(() => vmap(same, { chunkSize: 0 }), /chunkSize must be/);
    refuses(() => vmap(same, { randomness: 'some' as 'same' }), /randomness must be/);
    refuses(() => vmap(undefined as never), /fn must be given/);
    refuses(() => vmap(3 as never), /fn must be a function, got 3/);
  });

  it('refuses elements, and shows the batch when printed', () => {
    const unread = /elements cannot be read|calling \.item\(\)|data-dependent/;
    const reads: ((slice: Tensor) => unknown)[] = [
      (t: Tensor) => t.tolist(),
      (t: Tensor) => t.toTypedArray(),
      (t: Tensor) => t.viewTypedArray(),
      (t: Tensor) => t.sum().item(),
    ];
    for (const read of reads) {
      expect(() => inside(read)).to.throw(unread);
    }
    expect(inside((slice) => inspect(slice))).to.equal(
      'BatchedTensor(lvl=1, bdim=0, value=\n    tensor([[0., 1., 2.],\n            [3., 4., 5.]])\n)',
    );
    expect(inside(() => String(x))).to.equal(String(x));
    expect(inside(() => x.tolist<number[][]>())).to.deep.equal(x.tolist());
  });

  it('refuses what belongs outside', () => {
    refuses(() => inside((slice) => slice.requiresGrad_()), /requiresGrad_\(\) was called inside/);
    const loss = ones([2], { requiresGrad: true }).sum();
    refuses(() => inside(() => loss.backward()), /backward\(\) was called inside/);
    class Twice extends autograd.Function {
      static forward(_: autograd.FunctionContext, value: Tensor): Tensor {
        return value.mul(2);
      }
      static backward(_: autograd.FunctionContext, gradient: Tensor): Tensor {
        return gradient.mul(2);
      }
    }
    refuses(() => inside((slice) => Twice.apply(slice)), /Twice\.apply\(\) was called inside/);
    expect(() => inside((slice) => x.add_(slice))).to.throw(/single memory location/);
    expect(x.tolist()).to.deep.equal([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  it('ends when its function throws, or returns a promise or a disposed tensor', () => {
    expect(() =>
      vmap((_: Tensor) => {
        throw new RangeError('mine');
      })(x),
    ).to.throw(RangeError, 'mine');
    expect(() =>
      vmap((a: Tensor) =>
        vmap((_: Tensor) =>
          a
            .matmul(a)
            .add(ones([9, 9]))
            .view(7),
        )(a),
      )(x),
    ).to.throw();
    refuses(() => vmap(async (slice: Tensor) => Promise.resolve(slice))(x), /returned a promise/);
    refuses(
      () =>
        vmap((slice: Tensor) => {
          slice.dispose();
          return slice;
        })(x),
      /was disposed/,
      'TENSOR_DISPOSED',
    );
    let kept: Tensor | undefined;
    refuses(
      () =>
        vmap((slice: Tensor) => {
          scope(() => (kept = slice.sin()) && undefined);
          return kept!;
        })(x),
      /was disposed/,
      'TENSOR_DISPOSED',
    );
    expect(x.sin().sum().item()).to.be.a('number');
  });

  it('lets an asynchronous function go on only to an error', async () => {
    let later: Promise<unknown> | undefined;
    const run = async (slice: Tensor): Promise<Tensor> => {
      await Promise.resolve();
      return slice.sin();
    };
    expect(() => vmap((slice: Tensor) => (later = run(slice)))(x)).to.throw(/returned a promise/);
    const reason: unknown = await later!.catch((error: unknown) => error);
    expect(reason)
      .to.have.property('message')
      .that.matches(/escaped/);
  });

  it('leaves a tensor that escaped to errors', () => {
    const escaped = inside((slice) => slice.mul(2));
    expect(escaped.shape).to.deep.equal([3]);
    expect(inspect(escaped)).to.match(/^BatchedTensor\(lvl=1/);
    for (const use of [
      () => escaped.sin(),
      () => escaped.add(x),
      () => escaped.view(3, 1),
      () => escaped.detach(),
      () => escaped.clone(),
      () => escaped.sum().item(),
      () => escaped.to('float64'),
      () => x.clone().copy_(escaped),
    ]) {
      expect(use).to.throw(/escaped/);
    }
    expect(() => escaped.tolist()).to.throw(/elements cannot be read/);
    expect(() => escaped.viewTypedArray()).to.throw(/elements cannot be read/);
    expect(() => vmap((slice: Tensor) => slice.add(escaped.sin()))(x).shape).not.to.throw();
    expect(x.add(1).shape).to.deep.equal([2, 3]);
  });

  it('keeps a tensor of an inner vmap out of the outer one', () => {
    const leak = (row: Tensor): Tensor => {
      let inner: Tensor | undefined;
      vmap((value: Tensor) => (inner = value.mul(2)))(row);
      return inner!;
    };
    expect(() => vmap(leak)(x)).to.throw(/escaped/);
  });

  it('goes with scopes and the modes of autograd', () => {
    const result = scope(() => vmap((slice: Tensor) => scope(() => slice.sin().add(1)))(x));
    expect(result.shape).to.deep.equal([2, 3]);
    expect(vmap((slice: Tensor) => inferenceMode(() => slice.mul(2)))(x).tolist()).to.deep.equal(x.mul(2).tolist());
    expect(x.mul(2).shape).to.deep.equal([2, 3]);
    expect(inferenceMode(() => vmap((slice: Tensor) => slice.mul(2))(x)).tolist()).to.deep.equal(x.mul(2).tolist());
    const slope = inferenceMode(() => vmap(func.grad((slice: Tensor) => slice.pow(2).sum()))(x));
    expect(slope.tolist()).to.deep.equal(x.mul(2).tolist());
    expect(inferenceMode(() => func.jvp((a: Tensor) => a.pow(2), [x], [x])[1].tolist<number[][]>())).to.deep.equal(
      x.pow(2).mul(2).tolist(),
    );
    expect(isGradEnabled()).to.equal(true);
    expect(ones([1], { requiresGrad: true }).mul(2).requiresGrad).to.equal(true);
  });

  it('can be differentiated through', () => {
    const leaf = x.clone().requiresGrad_();
    const total = vmap((slice: Tensor) => slice.pow(2).sum())(leaf).sum();
    expect(grad(total, leaf)[0]!.tolist()).to.deep.equal(x.mul(2).tolist());
  });
});

describe('func.grad', () => {
  it('obeys noGrad inside, and not outside', () => {
    const partly = (a: Tensor): Tensor =>
      a
        .mul(2)
        .sub(noGrad(() => a.mul(a)))
        .sum();
    const three = tensor([3], { dtype: 'float32' });
    expect(func.grad(partly)(three).tolist()).to.deep.equal([2]);
    expect(noGrad(() => func.grad((a: Tensor) => a.mul(a).sum())(three)).tolist()).to.deep.equal([6]);
  });

  it('reads and prints tensors inside, and unwraps one that escaped', () => {
    let escaped: Tensor | undefined;
    func.grad((a: Tensor) => {
      escaped = a.mul(2);
      expect(escaped.tolist()).to.deep.equal(x.mul(2).tolist());
      expect(escaped.sum().item()).to.equal(30);
      expect(x.mul(1).tolist()).to.deep.equal(x.tolist());
      expect(inspect(escaped)).to.match(/^GradTrackingTensor\(lvl=1, value=\n {4}tensor\(/);
      return escaped.sum();
    })(x);
    expect(escaped!.tolist()).to.deep.equal(x.mul(2).tolist());
    expect(escaped!.add(1).tolist()).to.deep.equal(x.mul(2).add(1).tolist());
    expect(inspect(escaped)).to.match(/^GradTrackingTensor\(lvl=-2/);
  });

  it('says what does not fit', () => {
    const sum = (a: Tensor): Tensor => a.sum();
    refuses(() => func.grad((a: Tensor) => a)(x), /scalar Tensor, got one of 2 dimensions/);
    refuses(() => func.grad((_: Tensor) => 3 as unknown as Tensor)(x), /to return a Tensor/);
    refuses(() => func.grad(sum, { argnums: 1 } as never)(x), /given 1 arguments/);
    refuses(() => func.grad(sum, { argnums: [] as number[] })(x), /must not be empty/);
    refuses(() => func.grad(sum, { argnums: [0, -1] })(x), /different arguments/);
    refuses(() => func.grad(sum, { hasAux: true } as never)(x), /\[output, aux\]/);
    refuses(() => func.grad(sum)('x' as unknown as Tensor), /only Tensors can be differentiated by/);
    expect(() => func.grad(sum)(tensor([1, 2]))).to.throw(/floating point and complex dtype/);
    refuses(() => func.grad((async (a: Tensor) => Promise.resolve(a.sum())) as never)(x), /returned a promise/);
    refuses(() => func.vjp((a: Tensor) => a.sin(), [x])[1]([x] as never), /structure of the output/);
    refuses(() => func.jvp((a: Tensor) => a.sin(), [x], [[x]] as never), /structure of the primals/);
    refuses(() => func.jvp((_: Tensor) => ones([1]), [x], [x], { strict: true }), /does not depend on the inputs/);
    refuses(() => func.jacrev((a: Tensor) => a)(x.to('complex64')), /to be real/);
    refuses(() => func.jacrev((a: Tensor) => a, { chunkSize: -1 }), /chunkSize must be/);
  });
});

describe('forwardAd', () => {
  const { dualLevel, makeDual, unpackDual } = autograd.forwardAd;
  const v = tensor([1, 2.5]);

  it('carries tangents through operators', () => {
    const { primal, tangent } = dualLevel(() => unpackDual(makeDual(v, tensor([1, 0.5])).mul(v)));
    expect(primal.tolist()).to.deep.equal([1, 6.25]);
    expect(tangent!.tolist()).to.deep.equal([1, 1.25]);
    expect(dualLevel(() => unpackDual(v.sin()).tangent)).to.equal(null);
  });

  it('ends tangents with the level', () => {
    const dual = dualLevel(() => makeDual(v, v));
    expect(unpackDual(dual).tangent).to.equal(null);
    expect(dualLevel(() => unpackDual(dual).tangent)).to.equal(null);
  });

  it('says what does not fit', () => {
    refuses(() => makeDual(v, v), /inside dualLevel/);
    refuses(() => dualLevel(() => makeDual(tensor([1, 2]), v)), /floating point or complex, got int64/);
    refuses(() => dualLevel(() => dualLevel(() => 1)), /cannot be nested/);
    refuses(() => dualLevel(async () => Promise.resolve(1)), /returned a promise/);
    expect(() => dualLevel(() => makeDual(v, tensor([1.5])))).to.throw(/different size/);
  });
});
