import { expect } from 'chai';
import { tensor } from 'aiforge';
import { PearsonCorrCoef } from 'aiforge/metrics';
import { nodeRank, runCommands } from '../distributed/ranks.mjs';

describe('metrics over ranks', () => {
  it('are those of one process that has all batches, on every rank, also on one without a batch', async () => {
    const ranks = await runCommands([0, 1, 2].map(() => nodeRank('metrics.mjs')));
    const own = [2, 5, null];
    const numbers = tensor([1, 2, 3, -4, 5, 6], { dtype: 'float64' });
    const expected = new PearsonCorrCoef().forward(numbers, numbers.square()).item();
    ranks.forEach(({ status, results, output }, rank) => {
      expect(status, output).to.equal(0);
      const { correlation, ...values } = results[0] as { correlation: number };
      expect(correlation).to.be.closeTo(expected, 1e-12);
      expect(values).to.deep.equal({
        mae: 3.5,
        mse: 91 / 6,
        all: [[1], [2], [3], [-4], [5], [6]],
        least: -4,
        own: own[rank],
      });
    });
  });
});
