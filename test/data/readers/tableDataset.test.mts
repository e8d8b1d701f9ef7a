import { AiforgeError, data, tensor, type Tensor } from 'aiforge';
import { expect } from 'chai';

describe('TableDataset', () => {
  const columns = {
    city: ['Oslo', 'Rio', 'Bonn'],
    delay: tensor([3, -1, 0.5], { dtype: 'float32' }),
    code: tensor([[1, 2], [3, 4], [5, 6]]).to('uint16'), // prettier-ignore
  };

  it('gives rows as objects, one by one and at once', () => {
    const table = new data.TableDataset(columns);
    const shown = (row: Record<string, Tensor | string>): unknown[] =>
      Object.values(row).map((value) => (typeof value === 'string' ? value : [value.dtype, value.tolist()]));
    expect(table.length).to.equal(3);
    expect(shown(table.get(1))).to.deep.equal(['Rio', ['float32', -1], ['uint16', [3, 4]]]);
    expect(table.getBatch([2, 0, 2]).map(shown)).to.deep.equal([2, 0, 2].map((i) => shown(table.get(i))));
    const [batch] = new data.DataLoader(table, { batchSize: 3 });
    const { city, delay } = batch as unknown as { city: string[]; delay: Tensor };
    expect([city, delay.dtype, delay.tolist()]).to.deep.equal([columns.city, 'float32', [3, -1, 0.5]]);
  });

  it('refuses what is no table, and rows that there are not', () => {
    const refused = (attempt: () => unknown, message: RegExp): void => {
      expect(attempt).to.throw(AiforgeError, message).with.property('code', 'INVALID_ARGUMENT');
    };
    refused(() => new data.TableDataset({}), /a column or more/);
    refused(() => new data.TableDataset({ a: tensor(1) }), /a tensor with rows/);
    refused(() => new data.TableDataset({ a: [1] as never }), /array of strings/);
    refused(() => new data.TableDataset({ a: ['x'], b: ['y', 'z'] }), /columns of one length, got a 1, b 2/);
    refused(() => new data.TableDataset(columns).get(3), /index 3 is outside/);
    refused(() => new data.TableDataset(columns).getBatch([0, -1]), /index -1 is outside/);
  });
});
