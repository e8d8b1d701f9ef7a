import { memory, ones, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

describe('state dicts of optimizers', () => {
  it('give the state itself, as Python does, but for its graph', () => {
    const parameter = new nn.Parameter(ones([2]));
    const optimizer = new optim.Adam([parameter]);
    parameter.grad = ones([2]);
    optimizer.step();
    const before = memory.stats().tensors;
    const { state } = optimizer.stateDict();
    expect(memory.stats().tensors).to.equal(before);
    for (const [name, value] of Object.entries(optimizer.state.get(parameter)!))
      expect(state[0]![name]).to.equal(value);
    const computed = parameter.clone();
    computed.grad = ones([2], { requiresGrad: true }).mul(2);
    const differentiable = new optim.Adagrad([computed], { differentiable: true });
    differentiable.step();
    const own = differentiable.state.get(computed)!['sum'] as Tensor;
    const given = differentiable.stateDict().state[0]!['sum'] as Tensor;
    expect([own.requiresGrad, given.requiresGrad, given.tolist()]).to.deep.equal([true, false, [4, 4]]);
  });
});
