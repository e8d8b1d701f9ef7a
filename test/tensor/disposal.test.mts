import { execFileSync } from 'node:child_process';

import { expect } from 'chai';
import { TensorDisposedError } from '#lib/errors.js';
import * as internals from '#lib/tensor/tensor.js';
import {
  Generator,
  Tensor,
  cat,
  memory,
  ones,
  saveSafetensors,
  setRngState,
  tensor,
  where,
  zeros,
} from '#lib/tensor/index.js';
import { grad } from '#lib/autograd/index.js';

// Not part of the typed surface.
const { handleOf } = internals as unknown as { handleOf: (tensor: Tensor) => number };

function gone(): Tensor {
  const made = ones([2]);
  made.dispose();
  return made;
}

describe('a disposed tensor', () => {
  const fine = ones([2]);
  const uses: [string, () => unknown, string?][] = [
    ['as this', () => gone().add(1), 'aten::add.Scalar'],
    ['as an argument', () => fine.add(gone()), 'aten::add.Tensor'],
    ['in an in-place operator', () => fine.add_(gone()), 'aten::add_.Tensor'],
    ['in a list', () => cat([fine, gone()]), 'aten::cat'],
    ['in an optional list', () => fine.indexPut_([gone()], fine), 'aten::index_put_'],
    ['in an option', () => fine.add({ other: gone() }), 'aten::add.Tensor'],
    ['as the last of three', () => where(tensor([true, false]), fine, gone()), 'aten::where.self'],
    ['item', () => gone().item()],
    ['tolist', () => gone().tolist()],
    ['toTypedArray', () => gone().toTypedArray()],
    ['viewTypedArray', () => gone().viewTypedArray()],
    ['shape', () => gone().shape],
    ['dtype', () => gone().dtype],
    ['numel', () => gone().numel()],
    ['grad', () => gone().grad],
    ['requiresGrad', () => gone().requiresGrad],
    ['requiresGrad_', () => gone().requiresGrad_()],
    ['backward', () => gone().backward()],
    ['a gradient', () => fine.backward({ gradient: gone() })],
    ['grad()', () => grad(gone(), fine)],
    ['setData', () => zeros([2]).setData(gone())],
    ['to', () => gone().to('float64')],
    ['to another', () => fine.to(gone())],
    ['setRngState', () => setRngState(gone())],
    ['setState', () => new Generator().setState(gone())],
    ['saveSafetensors', () => saveSafetensors('/nonexistent/x', { gone: gone() })],
  ];
  for (const [place, use, op] of uses) {
    it(`is refused: ${place}`, () => {
      expect(use)
        .to.throw(TensorDisposedError, /disposed/)
        .with.property('code', 'TENSOR_DISPOSED');
      if (op === undefined) return;
      expect(use).to.throw().with.property('op', op);
      expect(use).to.throw(op);
      expect(use).to.throw(/a disposed tensor|TENSOR|disposed/);
    });
  }

  it('can be disposed again, and by `using`', () => {
    const made = ones([2]);
    expect(made.isDisposed).to.equal(false);
    made.dispose();
    made.dispose();
    made[Symbol.dispose]();
    expect(made.isDisposed).to.equal(true);
    const before = memory.stats().tensors;
    {
      using inner = ones([3]);
      expect(inner.sum().item()).to.equal(3);
    }
    expect(memory.stats().tensors).to.be.at.most(before + 1);
  });

  it('never stands for another tensor, however often its slot is used again', () => {
    // In a process of its own: slots that the collector frees meanwhile would be used before this one.
    const script = `
      const { ones, zeros } = require('./dist/lib/index.js');
      const { handleOf } = require('./dist/lib/tensor/tensor.js');
      const assert = require('node:assert');
      const first = zeros([1]);
      const slot = handleOf(first) % 2 ** 26;
      first.dispose();
      let reused = 0;
      for (let i = 0; i < 1000; ++i) {
        const next = ones([1]);
        if (handleOf(next) % 2 ** 26 === slot) ++reused;
        assert.notStrictEqual(handleOf(next), handleOf(first));
        assert.strictEqual(first.isDisposed, true);
        first.dispose();
        assert.strictEqual(next.item(), 1);
        next.dispose();
      }
      console.log(reused);`;
    const reused = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(Number(reused)).to.equal(1000);
  });

  it('leaves its storage to views', () => {
    const base = tensor([1, 2, 3]);
    const view = base.narrow(0, 1, 2);
    base.dispose();
    expect(view.tolist()).to.deep.equal([2, 3]);
  });
});

describe('a forged tensor', () => {
  const real = ones([2]);
  const forged: [string, () => Tensor][] = [
    ['Object.create', () => Object.create(Tensor.prototype) as Tensor],
    ['a Proxy', () => new Proxy(real, {})],
    ['an object that inherits', () => Object.create(real) as Tensor],
    ['an object', () => ({ shape: [2], dtype: 'float32', dispose: () => {} }) as unknown as Tensor],
    ['a handle', () => handleOf(real) as unknown as Tensor],
  ];
  for (const [kind, make] of forged) {
    it(`is refused: ${kind}`, () => {
      expect(Tensor.isTensor(make())).to.equal(false);
      expect(() => cat([real, make()])).to.throw(/no form of cat/);
      expect(() => grad(real, make())).to.throw(/Expected a Tensor/);
      expect(() => real.setData(make())).to.throw(/Expected a Tensor/);
      if (kind !== 'a handle')
        expect(() => real.mm(make())).to.throw(/no form of mm|has no option 'shape'|Expected a Tensor/);
      if (kind !== 'a handle' && kind !== 'an object') {
        expect(() => make().add(1)).to.throw();
        expect(() => make().shape).to.throw(TypeError);
        expect(() => make().dispose()).to.throw(TypeError);
      }
    });
  }

  it('cannot be constructed', () => {
    const Make = Tensor as unknown as new (...args: unknown[]) => Tensor;
    expect(() => new Make()).to.throw(/no public constructor/);
    expect(() => new Make(Symbol('tensor'), handleOf(real))).to.throw(/no public constructor/);
  });
});
