import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { AiforgeError } from '#lib/errors.js';
import { Generator, cat, full, manualSeed, ones, ops, rand, tensor, zeros, type Tensor } from '#lib/tensor/index.js';

function failure(action: () => unknown): AiforgeError {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(AiforgeError);
    return error as AiforgeError;
  }
  throw new Error('it did not fail');
}

describe('operators', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);

  it('choose the overload by the kinds of the arguments', () => {
    expect(x.add(1).tolist()).to.deep.equal([
      [2, 3],
      [4, 5],
    ]);
    expect(x.add(x).tolist()).to.deep.equal([
      [2, 4],
      [6, 8],
    ]);
    expect(x.add(0.5).dtype).to.equal('float32');
    expect(x.add(1).dtype).to.equal('int64');
    expect(x.sum().item()).to.equal(10);
    expect(x.sum(0).tolist()).to.deep.equal([4, 6]);
    expect(x.sum([0, 1]).item()).to.equal(10);
    expect(x.max().item()).to.equal(4);
    expect(x.split(1).length).to.equal(2);
    expect(x.split([1, 1], 1)[1]!.tolist()).to.deep.equal([[2], [4]]);
  });

  it('take options, also for positional arguments, and defaults for the rest', () => {
    expect(x.sum({ dim: 1, keepdim: true }).tolist()).to.deep.equal([[3], [7]]);
    expect(x.sum(1, { keepdim: true } as never).tolist()).to.deep.equal([[3], [7]]);
    expect(x.sum(0, undefined).tolist()).to.deep.equal([4, 6]);
    expect(x.sum({ dtype: 'float64' }).dtype).to.equal('float64');
    expect(x.add(x, { alpha: 10 }).sum().item()).to.equal(110);
  });

  it('refuse unknown options, doubled arguments and too many', () => {
    const unknown = failure(() => x.sum({ dims: 1 } as never));
    expect(unknown.message).to.match(/has no option 'dims'\. Did you mean 'dim'\? It takes /);
    expect(unknown.args.length).to.be.greaterThan(0);
    for (const wrong of [
      () => x.sum(1, { dim: 0 } as never),
      () => (x.add as (...a: unknown[]) => unknown).call(x, x, 1, 2, 3),
      () => zeros([2], { requiresGrad: 'yes' as never }),
    ]) {
      const error = failure(wrong);
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.message).to.include('Its forms are:');
      expect(error.args.length).to.be.greaterThan(0);
    }
  });

  it('take sizes one by one or as a list', () => {
    expect(x.view(4).shape).to.deep.equal([4]);
    expect(x.view(1, -1, 1).shape).to.deep.equal([1, 4, 1]);
    expect(x.view([2, 2, 1]).shape).to.deep.equal([2, 2, 1]);
    expect(x.permute(1, 0).tolist()).to.deep.equal(x.t().tolist());
    expect(zeros([2, 3]).shape).to.deep.equal([2, 3]);
    expect(full([2], 3).tolist()).to.deep.equal([3, 3]);
    expect(x.repeat(1, 2).shape).to.deep.equal([2, 4]);
  });

  it('name the items of a tuple', () => {
    const both = x.max(1);
    expect(both).to.have.length(2);
    const named = both as unknown as { values: Tensor; indices: Tensor };
    expect(named.values).to.equal(both[0]);
    expect(named.indices.tolist()).to.deep.equal([1, 1]);
    const [values, indices] = tensor([3, 1, 2]).sort();
    expect(values.tolist()).to.deep.equal([1, 2, 3]);
    expect(indices.tolist()).to.deep.equal([1, 2, 0]);
  });

  it('return the very tensor that they changed', () => {
    const y = ones([2]);
    expect(y.add_(1).mul_(3)).to.equal(y);
    expect(y.tolist()).to.deep.equal([6, 6]);
    expect(y.zero_()).to.equal(y);
    expect(ops.aten('add_.Tensor')(y, y)).to.equal(y);
  });

  it('return the tensor given for out', () => {
    const out = zeros([2, 2], { dtype: 'int64' });
    expect(ops.aten('add.out')(x, x, { out })).to.equal(out);
    expect(out.sum().item()).to.equal(20);
    const [values, indices] = [zeros([2], { dtype: 'int64' }), zeros([2], { dtype: 'int64' })];
    const both = ops.aten('max.dim_max')(x, 1, { max: values, maxValues: indices }) as Tensor[];
    expect(both[0]).to.equal(values);
    expect(both[1]).to.equal(indices);
    expect(values.tolist()).to.deep.equal([2, 4]);
  });
});

describe('ops.aten', () => {
  it('takes lists of tensors, optional tensors, scalars, dtypes, layouts and memory formats', () => {
    const x = ones([2, 2]);
    expect((ops.aten('cat')([x, x], 1) as Tensor).shape).to.deep.equal([2, 4]);
    const picked = ops.aten('index.Tensor')(tensor([[1, 2], [3, 4]]), [null, tensor([1, 0])]) as Tensor; // prettier-ignore
    expect(picked.tolist()).to.deep.equal([
      [2, 1],
      [4, 3],
    ]);
    expect((ops.aten('clamp')(tensor([-1.5, 3]), null, 2) as Tensor).tolist()).to.deep.equal([-1.5, 2]);
    expect((ops.aten('mul.Scalar')(x, { re: 0, im: 1 }) as Tensor).dtype).to.equal('complex64');
    const made = ops.aten('empty.memory_format')([1, 2, 3, 4], {
      dtype: 'float64',
      layout: 'strided',
      device: 'cpu',
      memoryFormat: 'channels_last',
    }) as Tensor;
    expect([made.dtype, made.stride()]).to.deep.equal(['float64', [24, 1, 8, 2]]);
    expect((ops.aten('sum.dim_IntList')(x, null) as Tensor).item()).to.equal(4);
    expect((ops.aten('linspace')(0, 1, 3) as Tensor).tolist()).to.deep.equal([0, 0.5, 1]);
    expect(ops.aten('equal')(x, x)).to.equal(true);
    expect(
      (ops.aten('where.self')(tensor([true, false]), tensor([1, 1]), tensor([2, 2])) as Tensor).tolist(),
    ).to.deep.equal([1, 2]);
  });

  it('takes a generator, which is then the one that is drawn from', () => {
    const draw = (generator: Generator | null) => (ops.aten('rand.generator')([3], { generator }) as Tensor).tolist();
    const seeded = () => new Generator().manualSeed(5);
    expect(draw(seeded())).to.deep.equal(draw(seeded()));
    manualSeed(5);
    expect(draw(null)).to.deep.equal(draw(seeded()));
    expect(failure(() => draw(Object.create(Generator.prototype) as Generator)).code).to.equal('INVALID_ARGUMENT');
    expect(failure(() => draw({} as Generator)).code).to.equal('INVALID_ARGUMENT');
  });

  it('resolves every schema that it lists, in a process that opts in', () => {
    const script = `
      const { ops } = require('aiforge');
      ops.unsafe();
      const names = ops.schemas().map((schema) => /^aten::([^(]+)\\(/.exec(schema)[1]);
      console.log(names.filter((name) => typeof ops.aten(name) === 'function').length, ops.schemas().length);`;
    const [resolved, listed] = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim().split(' ');
    expect(Number(listed)).to.be.greaterThan(3000);
    expect(resolved).to.equal(listed);
  });
});

describe('an operator that fails', () => {
  const thisFile = /operators\.test\.m/;

  it('names itself, its arguments and the mismatch for a wrong shape', () => {
    const error = failure(() => ones([2, 3]).matmul(ones([4, 5])));
    expect(error.code).to.equal('OPERATOR_FAILED');
    expect(error.op).to.equal('aten::matmul');
    expect(error.args.join()).to.match(/float32\[2, 3\].*float32\[4, 5\]/);
    expect(error.message).to.include('2x3 and 4x5');
    expect(error.stack).to.match(thisFile);
  });

  it('says what is wrong with a dtype', () => {
    const error = failure(() => ones([2]).matmul(ones([2], { dtype: 'int64' })));
    expect(error.code).to.equal('OPERATOR_FAILED');
    expect(error.args).to.deep.equal(['self: float32[2]', 'other: int64[2]']);
    expect(error.message).to.match(/dtype|Float|Long/);
    expect(error.stack).to.match(thisFile);
  });

  it('shows the forms for a wrong kind of argument', () => {
    for (const bad of ['1', null, [1], Symbol('s'), () => 1, NaN.toString()]) {
      const error = failure(() => ones([2]).add(bad as never));
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.op).to.equal('aten::add');
      expect(error.args[0]).to.equal('float32[2]');
      expect(error.message).to.include('add.Tensor(Tensor self, Tensor other');
      expect(error.stack).to.match(thisFile);
    }
    expect(failure(() => cat([ones([1]), null as never])).message).to.include('float32[1], null');
  });

  it('is unknown', () => {
    for (const name of ['no_such_operator', 'add.NoOverload', '', 'aten::', '../add']) {
      const error = failure(() => ops.aten(name));
      expect(error.code).to.equal('UNKNOWN_OPERATOR');
      expect(error.message).to.include(`'${name}'`);
      expect(error.stack).to.match(thisFile);
    }
  });

  it('shows no C++ backtrace', () => {
    const failing = [
      () => ones([2]).view(3),
      () => ones([2]).select(5, 0),
      () => rand([2, 3]).inverse(),
      () => ones([2, 2]).select(0, 9),
      () => zeros([-1]),
      () => ones([1], { dtype: 'int64' }).softmax(0),
      () => ones([2]).expand(3),
    ];
    for (const action of failing) {
      const { message } = failure(action);
      expect(message).not.to.match(/Exception raised from|frame #|\.so|\.cpp:\d+/);
      expect(message).to.match(/^aten::\w+(\.\w+)?\(/);
    }
  });

  it('says out of memory, and goes on', () => {
    expect(failure(() => zeros([2 ** 50])).code).to.equal('OUT_OF_MEMORY');
    expect(zeros([2]).tolist()).to.deep.equal([0, 0]);
  });
});
