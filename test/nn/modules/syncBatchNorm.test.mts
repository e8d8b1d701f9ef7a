import { AiforgeError, nn, randn } from 'aiforge';
import { expect } from 'chai';

import { runTwo } from '../../distributed/ranks.mjs';
import { combine, expectAsInPython } from './cases.mjs';

describe('SyncBatchNorm', function () {
  this.timeout(120_000);

  it('is a batch norm where there is no process group', function () {
    const options = [{}, { momentum: null }, { affine: false }, { bias: false }, { trackRunningStats: false }];
    expectAsInPython(this, [
      ...combine(
        'SyncBatchNorm',
        [3],
        options,
        [
          [5, 3],
          [2, 3, 4, 5],
        ],
        { steps: 2 },
      ),
      ...combine('SyncBatchNorm', [3], [{}], [[3], [2, 0], [1, 3]]),
    ]);
  });

  it('wants a GPU where there is one, as in Python', async () => {
    for (const { status, results, output } of await runTwo('sync-batch-norm.mjs')) {
      expect(status, output).to.equal(0);
      const { training, ...rest } = results[0]!;
      expect(training).to.match(/^INVALID_ARGUMENT: .*must be on a GPU, got one on cpu/);
      const gathered = [
        [0, 10],
        [1, 10],
      ];
      expect(rest).to.deep.equal({ alone: null, evaluation: null, gathered, reduced: [3, 20], afterwards: null });
    }
  });

  it('takes the place of none in what is no module', () => {
    for (const wrong of [null, undefined, {}, 1]) {
      expect(() => nn.SyncBatchNorm.convertSyncBatchnorm(wrong as never))
        .to.throw(AiforgeError, /convertSyncBatchnorm: module must be/)
        .with.property('code', 'INVALID_ARGUMENT');
    }
    const convert = () => nn.SyncBatchNorm.convertSyncBatchnorm(new nn.Linear(1, 1), {} as never);
    expect(convert).to.throw(AiforgeError, /processGroup must be a process group/);
  });

  it('takes the place of every batch norm of a model', () => {
    class Block extends nn.Module {
      norm: nn.Module = new nn.BatchNorm2d(4, { momentum: null });
      override forward(): void {}
    }
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3));
    const first = model.at(1) as nn.BatchNorm1d;
    first.forward(randn([4, 3]));
    expect(nn.SyncBatchNorm.convertSyncBatchnorm(model)).to.equal(model);
    const norm = model.at(1) as nn.SyncBatchNorm;
    expect(norm).to.be.instanceOf(nn.SyncBatchNorm);
    expect([norm.weight, norm.runningMean]).to.deep.equal([first.weight, first.runningMean]);
    expect(norm.numBatchesTracked!.item()).to.equal(1);
    const block = nn.SyncBatchNorm.convertSyncBatchnorm(new Block().eval());
    expect(String(block.norm)).to.match(/^SyncBatchNorm\(4, eps=1e-05, momentum=None/);
    expect(block.norm.training).to.equal(false);
  });
});
