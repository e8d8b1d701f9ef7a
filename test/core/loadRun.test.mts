import type { Tensor } from 'aiforge';
import {
  BaseModel,
  BasePreprocessor,
  cat,
  loadRun,
  nn,
  registerPlugin,
  scope,
  tensor,
  type LoadedRun,
  type StepOutput,
} from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import type { Model as Classifier } from './lab.mjs';
import { Dataset, experiment, failureOf, runIn, type Batch } from './lab.mjs';

interface Item {
  x: Tensor;
  target?: number;
}

type Sample = Record<'left' | 'right' | 'targets', Tensor>;

class Points extends Dataset {
  override get(index: number): Batch {
    return { ...super.get(index), target: 1 } as unknown as Batch;
  }
}

/** Divides a point in two; an item without a target gives a sample without one. */
class Halves extends BasePreprocessor<Item, Partial<Sample>> {
  fit(): void {}
  transform({ x, target }: Item): Partial<Sample> {
    const targets = target === undefined ? {} : { targets: tensor(target, { dtype: 'float32' }) };
    return { left: x.narrow(0, 0, 2), ...targets, right: x.narrow(0, 2, 2) };
  }
  inverseTransform(): Item {
    throw new Error('There is no way back.');
  }
  state(): unknown {
    return {};
  }
  restore(): void {}
}

class NeedsTarget extends Halves {
  override transform(item: Item): Partial<Sample> {
    return super.transform({ ...item, target: item.target!.valueOf() });
  }
}

/** Regression from two inputs: (batch, 2) and (batch, 2) in, (batch,) out. */
class Regressor extends BaseModel<object, Sample> {
  linear = new nn.Linear(4, 1);
  dropout = new nn.Dropout(0.5);

  forward(left: Tensor, right: Tensor): Tensor {
    return this.linear.forward(this.dropout.forward(cat([left, right.mul(2)], 1))).squeeze(1);
  }
  trainingStep({ left, right, targets }: Sample): StepOutput {
    return { loss: this.forward(left, right).sub(targets).square().mean() };
  }
  validationStep(batch: Sample): StepOutput {
    return this.trainingStep(batch);
  }
}

/** Gives for a point a sequence, and what it thinks of it. */
class Sequencer extends Regressor {
  override predictStep({ left, right }: Sample): { steps: Tensor; sure: boolean } {
    return { steps: cat([left, right], 1).unsqueeze(2).expand(-1, -1, 3), sure: true };
  }
}

class Listed extends Regressor {
  override predictStep(batch: Sample, batchIdx: number): unknown {
    return super.predictStep([batch.left] as never, batchIdx);
  }
}

registerPlugin({ name: 'regressor', Model: Regressor });
registerPlugin({ name: 'sequencer', Model: Sequencer });
registerPlugin({ name: 'listed', Model: Listed });
registerPlugin({ name: 'halves', Dataset: Points, Preprocessor: Halves });
registerPlugin({ name: 'needs_target', Dataset: Points, Preprocessor: NeedsTarget });

describe('loadRun', () => {
  const runs = temporaryFolder('load-run');
  const train = async (modelPlugin: string, datasetPlugin: string): Promise<string> =>
    (await runIn(runs, experiment({ epochs: 1 }, { modelPlugin, datasetPlugin }))).runDirectory;

  const items = [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [0, 0, 0, 0],
  ].map((x) => ({ x: tensor(x, { dtype: 'float32' }) }));
  const failure = (work: () => unknown): Promise<Error & { code?: string }> =>
    failureOf(Promise.resolve().then(work) as never);

  describe('of a regression with a preprocessor', () => {
    let run: LoadedRun<Item>;
    before(async () => (run = loadRun(await train('regressor', 'halves'))));

    it('predicts for items without targets: forward of the inputs in their order', () => {
      const answers = run.predict(items);
      const { weight, bias } = (run.model as Regressor).linear;
      const [a, b, c, d] = weight.tolist<number[][]>()[0]!;
      const expected = items
        .map(({ x }) => x.tolist<[number, number, number, number]>())
        .map((x) => a! * x[0] + b! * x[1] + 2 * c! * x[2] + 2 * d! * x[3] + bias!.tolist<[number]>()[0]);
      expect(answers.shape).to.deep.equal([3]);
      answers.tolist<number[]>().forEach((answer, i) => expect(answer).to.be.closeTo(expected[i]!, 1e-5));
    });

    it('leaves targets out', () => {
      const given = items.map((item) => ({ ...item, target: 7 }));
      expect(run.predict(given).tolist()).to.deep.equal(run.predict(items).tolist());
    });

    it('is in evaluation mode, without gradients, whatever became of the model', () => {
      const before = run.predict(items);
      run.model.train();
      const again = run.predict(items);
      expect(again.tolist()).to.deep.equal(before.tolist());
      expect(again.requiresGrad).to.equal(false);
      expect(run.model.training).to.equal(false);
    });

    it('gives tensors that are the caller’s', () => {
      const kept = run.predict(items);
      expect(kept.isDisposed).to.equal(false);
      const scoped = scope(() => [run.predict(items)].map((answer) => answer.tolist()));
      expect(scoped).to.deep.equal([kept.tolist()]);
    });

    it('needs an item, and classes to classify', async () => {
      expect(await failure(() => run.predict([]))).to.include({ code: 'INVALID_ARGUMENT' });
      const { code, message } = await failure(() => run.classify(items));
      expect(code).to.equal('PLUGIN_INVALID');
      expect(message).to.include('(batch, classes), got a tensor of shape [3]; use predict');
    });
  });

  it('gives what a predictStep of the model’s own gives', async () => {
    const run = loadRun<Item, { steps: Tensor; sure: boolean }>(await train('sequencer', 'halves'));
    const { steps, sure } = run.predict(items);
    expect(steps.shape).to.deep.equal([3, 4, 3]);
    expect(steps.select(2, 1).tolist()).to.deep.equal(items.map(({ x }) => x.tolist()));
    expect(sure).to.equal(true);
  });

  it('says what to do where the preprocessor needs a label, or the batch has another form', async () => {
    const needs = await failure(async () => loadRun<Item>(await train('regressor', 'needs_target')).predict(items));
    expect(needs.code).to.equal('PLUGIN_INVALID');
    expect(needs.message).to.match(/cannot transform item 0: .*\. Where the item has no label, let transform leave/);
    const listed = await failure(async () => loadRun<Item>(await train('listed', 'halves')).predict(items));
    expect(listed.code).to.equal('PLUGIN_INVALID');
    expect(listed.message).to.include('override predictStep');
  });

  it('classifies by predictions, without labels and without a preprocessor', async () => {
    const run = loadRun<{ x: Tensor }>(await train('lab', 'lab'));
    expect(run.preprocessor).to.equal(undefined);
    const logits = run.predict(items);
    expect(logits.shape).to.deep.equal([3, 2]);
    expect(logits.tolist()).to.deep.equal(
      (run.model as Classifier).forward(cat(items.map(({ x }) => x.unsqueeze(0)))).tolist(),
    );
    const answers = run.classify(items);
    expect(answers.map(({ label }) => label)).to.deep.equal(logits.argmax(1).tolist());
    expect(answers.map(({ probabilities }) => probabilities)).to.deep.equal(logits.softmax(1).tolist());
    expect(run.classify([])).to.deep.equal([]);
  });
});
