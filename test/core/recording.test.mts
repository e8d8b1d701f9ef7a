import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { full, registerPlugin, zeros, type StepOutput, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { readRecords } from '#lib/tracking/jsonlRecords.js';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, breakAt, Config, Dataset, experiment, failureOf, Model, runIn, type Batch } from './lab.mjs';

class Recording extends Model {
  override trainingStep(batch: Batch): StepOutput {
    this.logText('note', `${batch.x.size(0)} samples`);
    this.logHistogram('head.weight', this.head.weight);
    this.logImage('input', batch.x.sigmoid());
    this.logDict({ least: batch.x.min(), samples: batch.x.size(0) }, { reduce: 'min', onStep: true });
    return super.trainingStep(batch);
  }
}
registerPlugin({ name: 'recording', Model: Recording, Dataset, Config });

const recorded = (training: object = {}) =>
  experiment({ epochs: 2, ...training }, { modelPlugin: 'recording', datasetPlugin: 'recording' });

/** A run of a model whose every step does something. */
function runOf(name: string, step: (model: Model, x: Tensor) => void) {
  class Faulty extends Model {
    override trainingStep(batch: Batch): StepOutput {
      step(this, batch.x);
      return super.trainingStep(batch);
    }
  }
  registerPlugin({ name, Model: Faulty, Dataset, Config });
  return experiment({ epochs: 1 }, { modelPlugin: name, datasetPlugin: name });
}

describe('logText, logImage, logHistogram and logDict', () => {
  const folder = temporaryFolder('recording');
  const of = (directory: string, kind: string, name: string) =>
    readRecords(directory).filter((record) => record.kind === kind && record.name === name);
  const points = (directory: string, kind: string, name: string) =>
    of(directory, kind, name).map(({ step, epoch, interval }) => `${interval} ${epoch} ${step}`);

  it('record with each step of training, and once with an epoch of validation and with the test', async () => {
    const { runDirectory, history } = await runIn(
      folder,
      recorded({ batchSize: 40, valFraction: 0.5, testFraction: 0.1 }),
    );
    for (const [kind, name] of [
      ['text', 'note'],
      ['histogram', 'head.weight'],
      ['image', 'input'],
    ] as const) {
      expect(points(runDirectory, kind, `train_${name}`)).to.deep.equal([
        'step 1 1',
        'step 1 2',
        'step 2 3',
        'step 2 4',
      ]);
      expect(points(runDirectory, kind, `val_${name}`)).to.deep.equal(['epoch 1 2', 'epoch 2 4']);
      expect(points(runDirectory, kind, `test_${name}`)).to.deep.equal(['run 2 4']);
    }
    expect(of(runDirectory, 'text', 'val_note')[0]!.text, 'of the first batch').to.equal('40 samples');
    const [histogram] = of(runDirectory, 'histogram', 'train_head.weight');
    expect(histogram!.histogram).to.include({ count: 16, nonFinite: 0 });
    const [image] = of(runDirectory, 'image', 'train_input');
    expect(image).to.include({ file: 'media/train_input/1.png', width: 4, height: 40 });
    expect(existsSync(path.join(runDirectory, image!.file!))).to.equal(true);
    expect(history[0]).to.include({ train_samples: 2, val_samples: 12 });
  });

  it('record of the last batch of each step of the optimizer', async () => {
    const { runDirectory } = await runIn(folder, recorded({ epochs: 1, accumulationSteps: 4 }));
    expect(of(runDirectory, 'text', 'train_note').map(({ text }) => text)).to.deep.equal([
      '8 samples',
      '8 samples',
      '4 samples',
    ]);
  });

  it('record each step once where a run goes on, and leave no file of what is recorded anew', async () => {
    for (const cut of [abortAt(2, 4), breakAt(2, 4)]) {
      const options = { ...cut };
      let directory = '';
      const listening = { onRunStart: (run: { runDirectory: string }) => void (directory = run.runDirectory) };
      options.callbacks = [listening, ...cut.callbacks!];
      await runIn(folder, recorded(), options).catch((error: Error) => expect(error.message).to.equal('power cut'));
      await runIn(folder, recorded({ resumeFrom: directory }));
      const steps = Array.from({ length: 22 }, (_, i) => `step ${i < 11 ? 1 : 2} ${i + 1}`);
      for (const [kind, name] of [
        ['text', 'note'],
        ['histogram', 'head.weight'],
        ['image', 'input'],
      ] as const)
        // prettier-ignore
        expect(points(directory, kind, `train_${name}`)).to.deep.equal(steps);
      const files = readdirSync(path.join(directory, 'media', 'train_input'));
      expect(files).to.have.members(steps.map((_, i) => `${i + 1}.png`));
    }
  });

  it('refuse what they cannot record', async () => {
    const wrong: [string, (model: Model, x: Tensor) => void, RegExp][] = [
      ['twice', (model, x) => (model.logText('a', ''), model.logHistogram('a', x)), /logHistogram was given 'a' twice in one step/],
      ['scalar', (model) => (model.log('a', 1), model.logText('a', '')), /logText was given 'a' twice in one step/],
      ['name', (model) => model.logText('../a', ''), /logText was given '..\/a'; expected a name/],
      ['reserved', (model, x) => model.logImage('loss', x.sigmoid()), /'loss', which the framework computes/],
      ['number', (model) => model.logText('a', 3 as never), /logText: text must be a string, got 3/],
      ['shape', (model, x) => model.logImage('a', x.unsqueeze(0).expand([2, -1, -1])), /logImage: tensor must be a tensor of \(C, H, W\).* got float32\[2, /],
      ['range', (model) => model.logImage('a', full([2, 2], 7.5)), /'a' with numbers from 7.5 to 7.5; expected floats from 0 to 1/],
      ['empty', (model) => model.logHistogram('a', zeros([0])), /logHistogram: tensor must be a tensor of real numbers/],
      ['options', (model) => model.logText('a', ...(['', { onStep: true }] as unknown as [string])), /logText: takes no more than logText\(name, text\)/],
      ['dict', (model) => model.logDict({ a: 'b' } as never), /logDict: record must be an object of names and values/],
      ['dictOption', (model) => model.logDict({ a: 1 }, { on_step: true } as never), /no option 'on_step'. Did you mean 'onStep'/],
    ]; // prettier-ignore
    for (const [name, step, said] of wrong) {
      const { message } = await failureOf(runIn(folder, runOf(`records_${name}`, step)));
      expect(message, name).to.match(said);
    }
  });

  it('cost nothing where nobody records', () => {
    const model = new Model(Config.parse({}));
    // Numbers that a run refuses are not read.
    model.logImage('a', full([2, 2], 7.5));
    model.logText('a', 'twice');
    expect(() => model.logText('a b', '')).to.throw(/expected a name/);
  });
});
