import { runInThisContext } from 'node:vm';

import { expect } from 'chai';
import { ones, tensor, type Tensor } from '#lib/tensor/index.js';

// What JavaScript allows and TypeScript's types do not.
const js = (x: Tensor): number => x as unknown as number;

describe('JavaScript’s own operators', () => {
  it('take the number of a tensor of one element, as Python’s float(x)', () => {
    const x = tensor([2.5]);
    expect([js(x) * 2, js(x) + 1, +js(x), js(x) < 3, Math.max(js(x), 1)]).to.deep.equal([5, 3.5, 2.5, true, 2.5]);
    expect([Number(tensor(true)), Number(tensor([[7]]))]).to.deep.equal([1, 7]);
    expect('loss ' + js(x)).to.equal('loss 2.5');
  });

  it('refuse others, and say what to use', () => {
    const x = ones([2, 3]);
    const message = /float32\[2, 3\] is no number.*x\.add\(y\), x\.mul\(y\), x\.lt\(y\)/;
    for (const attempt of [
      () => js(x) * js(x),
      () => js(x) + 1,
      () => js(x) < 1,
      () => -js(x),
      () => Number(x),
      () => js(tensor({ re: 1, im: 2 })) + 1,
      () => js(tensor([])) + 1,
    ]) {
      expect(attempt)
        .to.throw(/is no number/)
        .with.property('code', 'INVALID_ARGUMENT');
    }
    expect(() => js(x) * 2).to.throw(message);
  });

  it('leave text, comparisons of objects and sorting as they are', () => {
    const [x, y] = [ones([2]), ones([2])];
    expect(`${x as unknown as string}`).to.equal('tensor([1., 1.])');
    expect(String(x)).to.equal('tensor([1., 1.])');
    const loosely = runInThisContext('(a, b) => a == b') as (a: unknown, b: unknown) => boolean;
    expect([loosely(x, y), loosely(x, x), loosely(x, null)]).to.deep.equal([false, true, false]);
    expect([x, y].includes(y)).to.equal(true);
    expect([y, x].sort()).to.deep.equal([y, x]);
  });

  it('write nested arrays as JSON', () => {
    expect(JSON.stringify({ x: tensor([[1, 2.5]]), y: tensor(true), z: tensor({ re: 1, im: 2 }) })).to.equal(
      '{"x":[[1,2.5]],"y":true,"z":{"re":1,"im":2}}',
    );
    expect(JSON.stringify(tensor([1, 2]))).to.equal('[1,2]');
    expect(JSON.stringify(tensor([NaN, Infinity]))).to.equal('[null,null]');
    expect(() => JSON.stringify(tensor(2n ** 60n + 1n))).to.throw(/JSON do not hold 1152921504606846977/);
  });
});
