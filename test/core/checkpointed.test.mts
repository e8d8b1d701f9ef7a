import { BaseModel, nn, registerPlugin, tensor, type OrchestratorOptions, type StepOutput, type Tensor } from 'aiforge';
import type { Optimizer } from 'aiforge/optim';
import { expect } from 'chai';
import path from 'node:path';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, Dataset, experiment, failureOf, runIn, type Batch } from './lab.mjs';

/** A model that changes what learns while it trains, and keeps a count of its own. */
class Thawing extends BaseModel<object, Batch> {
  body = new nn.Linear(4, 8);
  head = new nn.Linear(8, 2);
  steps = new nn.Buffer(tensor(0));
  seen = { batches: 0 };

  constructor(config: object) {
    super(config);
    this.body.requiresGrad_(false);
  }

  forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x).relu());
  }

  trainingStep(batch: Batch): StepOutput {
    this.steps.add_(1);
    ++this.seen.batches;
    if (this.steps.item() === 5) this.body.requiresGrad_(true);
    return this.validationStep(batch);
  }

  validationStep({ x, labels }: Batch): StepOutput {
    const predictions = this.forward(x);
    return { loss: this.lossFn.forward(predictions, labels), predictions };
  }

  override getExtraState(): unknown {
    return { ...this.seen, rate: Infinity };
  }

  override setExtraState(state: unknown): void {
    this.seen = { batches: (state as { batches: number }).batches };
  }
}

/** Its body gets a group of its own in the second epoch. */
class Widening extends Thawing {
  #optimizer: Optimizer | undefined;

  override configureOptimizer(): Optimizer {
    this.#optimizer = super.configureOptimizer('SGD', 0.01, { momentum: 0.9 });
    this.#optimizer.paramGroups[0]!.params = [...this.head.parameters()];
    return this.#optimizer;
  }

  override trainingStep(batch: Batch): StepOutput {
    const output = super.trainingStep(batch);
    if (this.steps.item() === 6) this.#optimizer!.addParamGroup({ params: [...this.body.parameters()] });
    return output;
  }
}

class Unkept extends Thawing {
  override getExtraState(): unknown {
    return { when: new Date(0) };
  }
}

registerPlugin({ name: 'thawing', Model: Thawing, Dataset });
registerPlugin({ name: 'widening', Model: Widening, Dataset });
registerPlugin({ name: 'unkept', Model: Unkept, Dataset });

describe('a checkpoint', () => {
  const folder = temporaryFolder('checkpointed');
  const run = (name: string, plugin: string, training: object = {}, cut: Partial<OrchestratorOptions> = {}) =>
    runIn(
      path.join(folder, name),
      experiment({ epochs: 2, ...training }, { modelPlugin: plugin, datasetPlugin: plugin }),
      cut,
    );

  for (const [what, plugin] of [
    ['which parameters learn, and extra state', 'thawing'],
    ['groups of parameters that were added on the way', 'widening'],
  ] as const) {
    it(`has ${what}`, async () => {
      const whole = await run(`${plugin}-whole`, plugin);
      const { runDirectory } = await run(plugin, plugin, {}, abortAt(1, 9));
      await run(plugin, plugin, { resumeFrom: runDirectory });
      for (const file of ['last.safetensors', 'best.safetensors']) {
        expect(bytesOf(runDirectory, file) === bytesOf(whole.runDirectory, file), file).to.equal(true);
      }
    });
  }

  it('is impossible with extra state that no file holds, which is told before training', async () => {
    const failure = await failureOf(run('unkept', 'unkept'));
    expect(failure).to.include({ code: 'PLUGIN_INVALID' });
    expect(failure.message).to.match(/getExtraState of the model gave .* as '_extra_state'/);
  });
});
