import { AiforgeError, add, arange, full, linalg, fft, max, mul, ones, ops, pow, special, tensor, where, zeros, type Tensor } from 'aiforge'; // prettier-ignore
import { native } from '#lib/native.js';
import { expect } from 'chai';

import { collectGarbage } from '../support/garbage.mjs';

function failure(action: () => unknown): AiforgeError {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(AiforgeError);
    return error as AiforgeError;
  }
  throw new Error('it did not fail');
}

const run = (name: string, ...args: unknown[]) => ops.aten(name)(...args);

describe('arguments of operators', () => {
  before(() => ops.unsafe());
  const x = arange(6, { dtype: 'float32' }).view(2, 3);

  it('are any integer of 64 bits, and no larger one', () => {
    for (const value of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]) {
      expect(full([1], value).item()).to.equal(value);
      expect(run('full', [1], value)).to.have.property('dtype', 'int64');
    }
    expect(full([1], 2n ** 64n - 1n, { dtype: 'uint64' }).item()).to.equal(2n ** 64n - 1n);
    expect(failure(() => full([1], 2n ** 64n)).message).to.include('at most 64 bits');
    expect(failure(() => full([1], -(2n ** 63n) - 1n)).message).to.include('at most 64 bits');
    expect(failure(() => x.select(2n ** 70n, 0)).message).to.include('at most 64 bits');
    expect(run('sum.dim_IntList', x, [1n])).to.have.property('ndim', 1);
  });

  it('are complex numbers', () => {
    expect(full([1], { re: 1, im: -2 }).item()).to.deep.equal({ re: 1, im: -2 });
    expect(x.mul({ re: 0, im: 1 }).dtype).to.equal('complex64');
    expect(run('_foreach_mul.ScalarList', [x, x], [{ re: 0, im: 1 }, 2])).to.have.length(2);
  });

  it('are tensors without a dimension where Python takes them for numbers', () => {
    const two = tensor(2);
    expect(x.add(1, { alpha: two }).tolist()).to.deep.equal(x.add(2).tolist());
    expect(full([2], two).tolist()).to.deep.equal([2, 2]);
    expect(x.transpose(tensor(0) as never, 1).shape).to.deep.equal([3, 2]);
    expect(zeros([two as never, 1]).shape).to.deep.equal([2, 1]);
    expect(failure(() => full([2], tensor([2]))).code).to.equal('INVALID_ARGUMENT');
    expect(failure(() => full([2], tensor(2.5, { requiresGrad: true }))).code).to.equal('INVALID_ARGUMENT');
    expect(failure(() => x.select(tensor(0.5) as never, 0)).code).to.equal('INVALID_ARGUMENT');
  });

  it('are numbers for tensors where Python takes them, with the promotion of numbers', () => {
    expect(mul(2, x).tolist()).to.deep.equal(x.mul(2).tolist());
    expect(add(1, 2).item()).to.equal(3);
    expect(mul(0.5, tensor([2])).dtype).to.equal('float32');
    expect(mul(2, tensor([2], { dtype: 'int8' })).dtype).to.equal('int8');
    expect(run('add.Tensor', x, 2.5, { alpha: 2 })).to.have.property('dtype', 'float32');
    expect(pow(2, x).tolist()).to.deep.equal([[1, 2, 4], [8, 16, 32]]); // prettier-ignore
    expect(where(x.gt(1), x, 0).tolist()).to.deep.equal([[0, 0, 2], [3, 4, 5]]); // prettier-ignore
    expect(
      x
        .clone()
        .copy_(3 as never)
        .sum()
        .item(),
    ).to.equal(18);
    expect(failure(() => x.maximum(2 as never)).code).to.equal('INVALID_ARGUMENT');
  });

  it('leave no tensor of their own behind', () => {
    const live = () => native.memory().tensors;
    collectGarbage();
    const before = live();
    const made = [mul(2, x), add(x, 1, { alpha: tensor(2) })];
    expect(live() - before).to.equal(made.length + 1);
    for (const one of made) one.dispose();
  });

  it('may be given by position and by name in any mix', () => {
    expect(x.sum(1, { keepdim: true }).shape).to.deep.equal([2, 1]);
    expect(x.sum(undefined as never, true).shape).to.deep.equal([1, 1]);
    expect(x.sum(1, true, { dtype: 'float64' }).dtype).to.equal('float64');
    expect(x.transpose(0, { dim1: 1 }).shape).to.deep.equal([3, 2]);
    expect(add({ input: x, other: x, alpha: 2 }).sum().item()).to.equal(45);
    expect(zeros(2, 3).shape).to.deep.equal([2, 3]);
    expect(zeros({ size: [2, 3], dtype: 'int8' }).dtype).to.equal('int8');
    expect(x.expand(2, 2, 3).shape).to.deep.equal([2, 2, 3]);
    expect(x.where(x.gt(1), x.neg()).tolist()).to.deep.equal([[-0, -1, 2], [3, 4, 5]]); // prettier-ignore
  });

  it('are read once: a getter cannot change its answer', () => {
    let reads = 0;
    const options = {
      get dim() {
        return ++reads > 1 ? 'hostile' : 1;
      },
    };
    expect(x.sum(options as never).shape).to.deep.equal([2]);
    expect(reads).to.equal(1);
  });
});

describe('results of operators', () => {
  const x = arange(6, { dtype: 'float32' }).view(2, 3);

  it('are written to `out`', () => {
    const out = zeros([2, 3]);
    expect(add(x, x, { out })).to.equal(out);
    expect(out.tolist()).to.deep.equal([[0, 2, 4], [6, 8, 10]]); // prettier-ignore
    const [values, indices] = [zeros([2]), zeros([2], { dtype: 'int64' })];
    const both = max(x, 1, { out: [values, indices] });
    expect(both).to.have.property('values', values);
    expect(both[1]).to.equal(indices);
    expect(add(x, x, { out: null }).shape).to.deep.equal([2, 3]);
    expect(failure(() => add(x, x, { out: [out] as never })).code).to.equal('INVALID_ARGUMENT');
    expect(failure(() => max(x, 1, { out: [values] as never })).code).to.equal('INVALID_ARGUMENT');
    const columns = [zeros([3]), zeros([3])];
    expect(run('unbind_copy.int_out', x, 0, { out: columns })).to.equal(columns);
    expect(columns[1]!.tolist()).to.deep.equal([3, 4, 5]);
  });

  it('are dtypes, layouts and schemes by name, and numbers as they are', () => {
    expect(run('promote_types', 'int8', 'float16')).to.equal('float16');
    expect(run('result_type.Tensor', x, tensor([1], { dtype: 'float64' }))).to.equal('float64');
    const quantized = run('quantize_per_tensor', x, 0.1, 0, 'qint8');
    expect(run('qscheme', quantized)).to.equal('per_tensor_affine');
    expect(run('q_scale', quantized)).to.equal(0.1);
    expect(run('is_complex', x)).to.equal(false);
    expect(run('sym_numel', x)).to.equal(6);
    expect(run('_local_scalar_dense', full([1], 2n ** 60n + 1n))).to.equal(2n ** 60n + 1n);
  });
});

describe('ops.aten', () => {
  const x = ones([2, 2]);

  it('takes one overload, or whichever of a name fits', () => {
    expect((ops.aten('where')(x.gt(0), x, 0) as Tensor).tolist()).to.deep.equal(x.tolist());
    expect(ops.aten('where')(x.gt(0))).to.have.length(2);
    expect(failure(() => ops.aten('where.self')(x.gt(0))).message).not.to.include('ScalarSelf');
    expect((ops.aten('sum.default')(x) as Tensor).item()).to.equal(4);
    expect(failure(() => ops.aten('sum.default')(x, 1)).code).to.equal('INVALID_ARGUMENT');
    expect((ops.aten('aten::sum')(x, 1) as Tensor).shape).to.deep.equal([2]);
    expect(failure(() => ops.aten(3 as never)).code).to.equal('INVALID_ARGUMENT');
  });

  it('refuses what no JavaScript value stands for, and says what to use', () => {
    const refused = {
      'set_.source_Storage': /'source' is a Storage: use setData/,
      record_stream: /'s' is a Stream/,
      'quantized_lstm.data': /'params' is packed weights/,
      get_gradients: /it returns a Dict/,
    };
    for (const [name, reason] of Object.entries(refused)) {
      const error = failure(() => ops.aten(name)(x, x));
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.message).to.match(reason);
    }
  });
});

describe('namespaces', () => {
  it('have the names of Python’s torch.linalg, torch.fft and torch.special', () => {
    const { S } = linalg.svd(tensor([[3, 0], [0, 4.5]])); // prettier-ignore
    expect(S.tolist()).to.deep.equal([4.5, 3]);
    expect(linalg.norm(tensor([3.0, 4.0]).to('float32')).item()).to.equal(5);
    expect(fft.fft(tensor([1.5, 0])).tolist()).to.deep.equal([{ re: 1.5, im: 0 }, { re: 1.5, im: 0 }]); // prettier-ignore
    expect(fft.fftfreq(2).tolist()).to.deep.equal([0, -0.5]);
    expect(special.gammaln(tensor([3], { dtype: 'float64' })).item()).to.be.closeTo(Math.log(2), 1e-15);
    expect(special.expit(tensor([0.0]).to('float32')).item()).to.equal(0.5);
  });

  it('leave out what Python has under no public name', async () => {
    const library = (await import('aiforge')) as unknown as Record<string, unknown>;
    for (const name of ['set', 'resize', 'linalgSvd', 'fftFft', 'add_', 'constantPadNdBackward']) {
      expect(library, name).not.to.have.property(name);
    }
    const member = (name: string) => (ones(1) as unknown as Record<string, unknown>)[name];
    for (const name of ['resize', 'linalgSvd', 'gelu', 'conv2d']) expect(member(name), name).to.equal(undefined);
    expect(member('add_')).to.be.a('function');
  });
});
