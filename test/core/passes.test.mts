import { existsSync } from 'node:fs';
import path from 'node:path';

import { metrics, nn, registerPlugin, tensor, type Callback, type RunStart, type StepOutput } from 'aiforge';
import { expect } from 'chai';
import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';

import { temporaryFolder } from '../support/project.mjs';
import { bytesOf, Config, Dataset, experiment, failureOf, Model, runIn, type Batch } from './lab.mjs';

/** One metric for training and for validation. */
class Counting extends Model {
  count = new metrics.SumMetric();

  override trainingStep(batch: Batch): StepOutput {
    return this.counted(batch, 1);
  }

  override validationStep(batch: Batch): StepOutput {
    return this.counted(batch, 100);
  }

  private counted(batch: Batch, by: number): StepOutput {
    this.count.update(tensor(by));
    this.log('count', this.count);
    return super.trainingStep(batch);
  }
}

/** Its norm never learns statistics. */
class Frozen extends Model {
  static modes: boolean[] = [];

  constructor(config: { dropout: number; classes: number }) {
    super(config);
    this.norm.eval();
  }

  get norm(): nn.BatchNorm1d {
    return [...this.body.children()][1] as nn.BatchNorm1d;
  }

  override trainingStep(batch: Batch): StepOutput {
    Frozen.modes.push(this.norm.training, this.head.training);
    return super.trainingStep(batch);
  }

  override validationStep(batch: Batch): StepOutput {
    Frozen.modes.push(this.norm.training, !this.head.training);
    return super.trainingStep(batch);
  }
}

registerPlugin({ name: 'one_count', Model: Counting, Dataset, Config });
registerPlugin({ name: 'frozen_norm', Model: Frozen, Dataset, Config });

const of = (plugin: string, training: object) => experiment(training, { modelPlugin: plugin, datasetPlugin: 'lab' });

describe('the passes of a run', () => {
  const folder = temporaryFolder('passes');
  const inside = (name: string) => path.join(folder, name);

  it('do not count in each other, where they measure by one metric', async () => {
    for (const valCheckInterval of [null, 2, 5]) {
      const { history } = await runIn(inside('counts'), of('one_count', { epochs: 2, valCheckInterval }));
      expect(history.map(({ train_count: train, val_count: val }) => [train, val])).to.deep.equal([[11, 200], [11, 200]]); // prettier-ignore
    }
  });

  it('leave each module the mode that its model gave it', async () => {
    Frozen.modes = [];
    const { runDirectory } = await runIn(inside('frozen'), of('frozen_norm', { epochs: 2, valCheckInterval: 4 }));
    expect(Frozen.modes.filter((_, i) => i % 2 === 0).includes(true)).to.equal(false);
    expect(Frozen.modes.filter((_, i) => i % 2 === 1).includes(false)).to.equal(false);
    const { model } = loadCheckpoint(path.join(runDirectory, 'last.safetensors'));
    expect(model['body.1.num_batches_tracked']!.item()).to.equal(0);
  });

  it('have the best of a metric by what its name says, and ask where it says nothing', async () => {
    const config = experiment({ epochs: 6, learningRate: 0.05, earlyStoppingMonitor: 'val_accuracy' });
    const { history, bestEpoch } = await runIn(inside('direction'), config);
    const best = Math.max(...history.map(({ val_accuracy: accuracy }) => accuracy!));
    expect(history[bestEpoch! - 1]!.val_accuracy).to.equal(best);
    const error = await failureOf(runIn(inside('unsaid'), of('one_count', { earlyStoppingMonitor: 'val_count' })));
    expect(error.message).to.match(/earlyStoppingMode: is not given, and the name 'val_count' does not say whether less or more/); // prettier-ignore
    expect(existsSync(inside('unsaid'))).to.equal(false);
  });

  it('compute activations again without counting in norms, one module within another or not', async () => {
    const whole = await runIn(inside('kept'), experiment({ epochs: 2 }));
    for (const [i, patterns] of [['body.1'], ['body', 'body.1'], ['*']].entries()) {
      const { runDirectory } = await runIn(inside(`again-${i}`), experiment({ epochs: 2, activationCheckpointing: patterns })); // prettier-ignore
      expect(bytesOf(runDirectory, 'best.safetensors') === bytesOf(whole.runDirectory, 'best.safetensors'), patterns.join()).to.equal(true); // prettier-ignore
    }
  });

  it('refuse a model whose layers are replaced when its optimizer is made, and one that learns nothing', async () => {
    const callback: Callback = {
      onRunStart: ({ model }: RunStart) => void ((model as Model).head = new nn.Linear(8, 2)),
    };
    const replaced = await failureOf(runIn(inside('replaced'), experiment(), { callbacks: [callback] }));
    expect(replaced.message).to.match(/onRunStart changed the model: the parameter 'head\.weight' is another one/);
    expect((await failureOf(runIn(inside('all'), experiment({ freeze: ['*'] })))).message).to.match(/freezes every parameter/); // prettier-ignore
    expect(() => experiment({ detectAnomaly: true, precision: 'float16' })).to.throw(/expected precision float32/);
  });
});
