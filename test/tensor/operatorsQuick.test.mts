import * as library from 'aiforge';
import { arange, ones, ops, tensor, testing, type Tensor } from 'aiforge';
import { expect } from 'chai';

const x = arange(6, { dtype: 'float32' }).view(2, 3).add(1);
const y = ones([2, 3]).mul(2);
const index = tensor([1, 0]);

// Calls that skip the matching of overloads, beside the operator that Python's argument parser would choose for them.
const calls: [function_: string, args: unknown[], operator: string, lowered?: unknown[]][] = [
  ['add', [x, y], 'add.Tensor'],
  ['add', [x, 2], 'add.Tensor'],
  ['sub', [x, 2.5], 'sub.Tensor'],
  ['mul', [x, y], 'mul.Tensor'],
  ['div', [x, 2], 'div.Tensor'],
  ['matmul', [x, y.t()], 'matmul'],
  ['mm', [x, y.t()], 'mm'],
  ['bmm', [x.unsqueeze(0), y.t().unsqueeze(0)], 'bmm'],
  ['sum', [x], 'sum.default'],
  ['sum', [x, 1], 'sum.dim_IntList', [x, [1]]],
  ['sum', [x, [0, 1], true], 'sum.dim_IntList'],
  ['mean', [x, -1], 'mean.dim', [x, [-1]]],
  ['max', [x], 'max.default'],
  ['max', [x, y], 'max.other'],
  ['argmax', [x, 1], 'argmax'],
  ['softmax', [x, 1], 'softmax.int'],
  ['relu', [x], 'relu'],
  ['exp', [x], 'exp'],
  ['log', [x], 'log'],
  ['sqrt', [x], 'sqrt'],
  ['transpose', [x, 0, 1], 'transpose.int'],
  ['reshape', [x, [3, 2]], 'reshape'],
  ['reshape', [x, 3, -1], 'reshape', [x, [3, -1]]],
  ['permute', [x, 1, 0], 'permute', [x, [1, 0]]],
  ['cat', [[x, y]], 'cat'],
  ['cat', [[x, y], 1], 'cat'],
  ['stack', [[x, y], -1], 'stack'],
  ['unsqueeze', [x, 1], 'unsqueeze'],
  ['squeeze', [x.unsqueeze(0)], 'squeeze.default'],
  ['squeeze', [x.unsqueeze(0), 0], 'squeeze.dim'],
  ['gt', [x, 3], 'gt.Scalar'],
  ['gt', [x, y], 'gt.Tensor'],
  ['where', [x.gt(2), x, y], 'where.self'],
  ['where', [x.gt(2), x, 0], 'where.ScalarOther'],
  ['where', [x.gt(2), 1, 0], 'where.Scalar'],
  ['clamp', [x, 2, 4], 'clamp'],
  ['clamp', [x, y], 'clamp.Tensor'],
  ['indexSelect', [x, 0, index], 'index_select'],
  ['layerNorm', [x, [3]], 'layer_norm'],
  ['pow', [x, 2], 'pow.Tensor_Scalar'],
  ['pow', [2, x], 'pow.Scalar'],
  ['pow', [x, y], 'pow.Tensor_Tensor'],
  ['zeros', [2, 3], 'zeros', [[2, 3]]],
  ['flip', [x, [0, 1]], 'flip'],
  ['cumsum', [x, 1], 'cumsum'],
];

describe('the quick paths of operators', () => {
  for (const [name, args, operator, lowered = args] of calls) {
    const shown = args.map((arg) => (library.isTensor(arg) ? 'Tensor' : JSON.stringify(arg))).join(', ');
    it(`call ${operator} for ${name}(${shown})`, () => {
      const direct = (library as unknown as Record<string, (...args: unknown[]) => Tensor>)[name]!(...args);
      testing.assertClose(direct, ops.aten(operator)(...lowered), { rtol: 0, atol: 0 });
    });
  }

  it('leave out no argument that comes after an absent one', () => {
    expect(x.sum(undefined, true).shape).to.deep.equal([1, 1]);
    expect(x.argmax(undefined, true).shape).to.deep.equal([1, 1]);
    expect(x.clamp(undefined, 2).max().item()).to.equal(2);
  });

  it('leave mistakes to the error that shows the forms', () => {
    for (const wrong of [
      () => x.sum('1' as never),
      () => x.transpose(0.5, 1),
      () => x.view(3, 2.5),
      () => library.cat([x, 1 as never]),
      () => library.zeros(2, '3' as never),
    ]) {
      expect(wrong).to.throw('Its forms are:');
    }
  });
});
