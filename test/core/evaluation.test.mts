import path from 'node:path';

import { memory, registerPlugin, type StepOutput } from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { Config, Dataset, experiment, Model, runIn, type Batch } from './lab.mjs';

class Long extends Dataset {
  override get length(): number {
    return 50_000;
  }

  override get(index: number): Batch {
    return super.get(index % 104);
  }

  override splits() {
    const all = Array.from({ length: this.length }, (_, i) => i);
    return { train: all.slice(0, 64), val: all.slice(64), test: [] };
  }
}

class Watching extends Model {
  static live: number[] = [];

  override validationStep(batch: Batch): StepOutput {
    Watching.live.push(memory.stats().tensors);
    this.log('largest', batch.x.abs().max(), { reduce: 'max' });
    return super.trainingStep(batch);
  }
}

registerPlugin({ name: 'watching', Model: Watching, Dataset: Long, Config });

describe('validation', () => {
  const folder = temporaryFolder('evaluation');

  it('holds as many tensors in a long split as in a short one', async () => {
    const most: number[] = [];
    for (const limitValBatches of [5, 400]) {
      Watching.live = [];
      const config = experiment({ epochs: 1, limitValBatches }, { modelPlugin: 'watching', datasetPlugin: 'watching' });
      const { history } = await runIn(path.join(folder, String(limitValBatches)), config);
      expect(history[0]!.val_largest).to.be.above(0);
      expect(Watching.live).to.have.length(limitValBatches + 1);
      most.push(Math.max(...Watching.live.slice(1)) - Watching.live[1]!);
    }
    expect(most[1]).to.be.at.most(most[0]! + 2);
  }).timeout(60_000);
});
