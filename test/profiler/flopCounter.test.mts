import { nn, noGrad, ones, vmap } from 'aiforge';
import { flopCounter } from 'aiforge/profiler';
import { expect } from 'chai';

describe('flopCounter', () => {
  it('counts products of matrices, in batches and with a summand', () => {
    const [a, b] = [ones([3, 4]), ones([4, 5])];
    const counts = flopCounter(() => {
      a.mm(b);
      ones([3, 5]).addmm(a, b);
      ones([2, 3, 4]).bmm(ones([2, 4, 5]));
      ones([2, 3, 5]).baddbmm(ones([2, 3, 4]), ones([2, 4, 5]));
      a.matmul(b).add(1).exp();
    });
    const one = 2 * 3 * 4 * 5;
    const each = { 'aten::mm': 2 * one, 'aten::addmm': one, 'aten::bmm': 2 * one, 'aten::baddbmm': 2 * one };
    expect(counts.byOperator).to.deep.equal(each);
    expect(counts.total).to.equal(7 * one);
    expect(counts.byModule).to.deep.equal({});
    expect(String(counts)).to.match(/^Total +840 +100\.00%\n {2}aten::mm +240 +28\.57%/);
  });

  it('counts all items under vmap', () => {
    const counts = flopCounter(() => vmap((x, y) => x.mm(y))(ones([7, 3, 4]), ones([7, 4, 5])));
    expect(counts.byOperator).to.deep.equal({ 'aten::bmm': 7 * 2 * 3 * 4 * 5 });
  });

  it('gives a promise for a body that waits, and the backward pass of a thread beside to its module', async () => {
    const model = new nn.Sequential(new nn.Linear(4, 8), new nn.Linear(8, 2));
    const count = async (): Promise<void> =>
      model
        .forward(ones([3, 4]))
        .sum()
        .backwardAsync();
    const counts = await flopCounter(count, { modules: model });
    const [first, second] = [2 * 3 * 4 * 8, 2 * 3 * 8 * 2];
    expect(counts.byModule['Sequential.0']).to.deep.equal({ 'aten::addmm': first, 'aten::mm': first });
    expect(counts.byModule['Sequential.1']).to.deep.equal({ 'aten::addmm': second, 'aten::mm': 2 * second });
    expect(noGrad(() => flopCounter(() => model.forward(ones([3, 4])))).total).to.equal(first + second);
  });

  it('refuses what it does not know', () => {
    expect(() => flopCounter(() => 1, { module: 1 } as never)).to.throw(
      /has no option 'module'. Did you mean 'modules'\?/,
    );
    expect(() => flopCounter(() => 1, { modules: 1 as never })).to.throw(/modules must be a module, got 1/);
  });
});
