import { arange, manualSeed, nn, randn, tensor, type DType, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { reference } from '../../support/reference.mjs';

const { groupedMm, scaledMm } = nn.functional;
const values = (x: Tensor): unknown => x.to('float64').tolist();

function grouped(dtype: DType, rows: number[], experts: number[], offs: number[] | null): unknown[] {
  manualSeed(0);
  const a = randn(rows, { dtype, requiresGrad: true });
  const b = randn(experts, { dtype, requiresGrad: true });
  const made = groupedMm(a, b, { offs: offs === null ? null : tensor(offs, { dtype: 'int32' }) });
  made.to('float32').square().sum().backward();
  return [made, a.grad!, b.grad!].map(values);
}

function scaled(kind: 'TensorWise' | 'RowWise', scaleA: Tensor, scaleB: Tensor, isBiased: boolean): unknown {
  manualSeed(0);
  const x = randn([16, 32]).to('float8_e4m3fn');
  const y = randn([16, 32]).to('float8_e4m3fn').t();
  const bias = isBiased ? randn([16], { dtype: 'bfloat16' }) : null;
  return values(scaledMm(x, y, scaleA, kind, scaleB, kind, { bias, outputDtype: 'bfloat16' }));
}

describe('products of groups and of narrow numbers', () => {
  it('are those of Python, with their gradients', function () {
    const python = JSON.parse(reference(this, 'matrix_products.py')) as { grouped: unknown[]; scaled: unknown[] };
    const ours = (['bfloat16', 'float32'] as const).flatMap((dtype) => [
      grouped(dtype, [8, 16], [2, 16, 8], [3, 8]),
      grouped(dtype, [3, 4, 8], [3, 8, 16], null),
      grouped(dtype, [8, 16], [16, 8], [8, 16]),
    ]);
    expect(ours).to.deep.equal(python.grouped);
    const eighths = arange(1, 17).div(8).unsqueeze(1);
    const quarters = arange(1, 17).div(4).unsqueeze(0);
    const narrow = [false, true].flatMap((isBiased) => [
      scaled('TensorWise', tensor(1.5), tensor(0.3), isBiased),
      scaled('RowWise', eighths, quarters, isBiased),
    ]);
    expect(narrow).to.deep.equal(python.scaled);
  });

  it('refuse what makes no sense', () => {
    const x = randn([16, 32]).to('float8_e4m3fn');
    const scale = tensor(1);
    expect(() => scaledMm(x, x.t(), scale, 'Rowwise' as 'RowWise', scale, 'RowWise')).to.throw(/got 'Rowwise'/);
    expect(() => groupedMm(randn([8, 16]), randn([2, 8, 16])))
      .to.throw()
      .with.property('code', 'OPERATOR_FAILED');
  });
});
