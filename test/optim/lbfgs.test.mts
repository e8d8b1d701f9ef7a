import { memory, tensor, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

import { collectGarbage } from '../support/garbage.mjs';

function rosenbrock(): { point: nn.Parameter; closureOf: (optimizer: optim.Optimizer) => () => Tensor } {
  const point = new nn.Parameter(tensor([-1.2, 1], { dtype: 'float64' }));
  const closureOf = (optimizer: optim.Optimizer) => (): Tensor => {
    optimizer.zeroGrad();
    const [x, y] = point.unbind() as [Tensor, Tensor];
    const loss = y.sub(x.square()).square().mul(100).add(x.sub(1).square());
    loss.backward();
    return loss;
  };
  return { point, closureOf };
}

describe('LBFGS', () => {
  it('finds the minimum of a curved valley with its line search', () => {
    const { point, closureOf } = rosenbrock();
    const optimizer = new optim.LBFGS([point], { lineSearchFn: 'strong_wolfe', maxIter: 50, toleranceChange: 1e-15 });
    const closure = closureOf(optimizer);
    const first = optimizer.step(closure).item();
    expect(first).to.be.closeTo(24.2, 1e-9);
    for (let i = 0; i < 4; ++i) optimizer.step(closure);
    for (const value of point.tolist<number[]>()) expect(value).to.be.closeTo(1, 1e-6);
  });

  it('needs a closure that returns the loss, and one group of parameters', () => {
    const { point } = rosenbrock();
    const optimizer = new optim.LBFGS([point]);
    expect(() => optimizer.step())
      .to.throw(/closure/)
      .with.property('code', 'INVALID_ARGUMENT');
    expect(() => optimizer.step(() => 'loss')).to.throw(/closure must return the loss/);
    const other = new nn.Parameter(tensor([1.5]));
    expect(() => optimizer.addParamGroup({ params: other })).to.throw(/one group/);
    expect(() => new optim.LBFGS([{ params: point }, { params: other }])).to.throw(/one group/);
  });

  it('keeps no tensors but its state, however many steps it takes', () => {
    const { point, closureOf } = rosenbrock();
    const optimizer = new optim.LBFGS([point], { historySize: 3, maxIter: 4, lr: 0.001 });
    const closure = closureOf(optimizer);
    const step = (): void => optimizer.step(closure).dispose();
    for (let i = 0; i < 3; ++i) step();
    collectGarbage();
    const before = memory.stats().tensors;
    for (let i = 0; i < 10; ++i) step();
    collectGarbage();
    expect(memory.stats().tensors).to.be.at.most(before);
  });

  it('goes on from its state dict', () => {
    const [a, b] = [rosenbrock(), rosenbrock()];
    const first = new optim.LBFGS([a.point], { maxIter: 5, lr: 0.01 });
    const closure = a.closureOf(first);
    first.step(closure);
    b.point.setData(a.point.detach().clone());
    const second = new optim.LBFGS([b.point]);
    second.loadStateDict(first.stateDict());
    first.step(closure);
    second.step(b.closureOf(second));
    expect(b.point.tolist()).to.deep.equal(a.point.tolist());
    expect(second.paramGroups[0]!.maxIter).to.equal(5);
  });
});
