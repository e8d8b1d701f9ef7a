import path from 'node:path';

import { nn, optim, registerPlugin, zeros, type Callback, type StepOutput, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, Config, Dataset, experiment, failureOf, Model, runIn, bytesOf, type Batch } from './lab.mjs';

const { crossEntropy } = nn.functional;

type Optimizers = Record<string, optim.Optimizer>;
type Loss = () => Tensor;

function measured(model: Model, { x, labels }: Batch): StepOutput {
  const predictions = model.forward(x);
  return { loss: crossEntropy(predictions, labels), predictions };
}

/** Its own loop: what the two classes below do with the optimizers, by the framework's handles or by themselves. */
abstract class Manual extends Model {
  override automaticOptimization = false;

  override configureOptimizers(_name: string, lr: number): Optimizers {
    return { body: new optim.SGD(this.body.parameters(), { lr, momentum: 0.9 }), head: new optim.Adam(this.head.parameters(), { lr }) }; // prettier-ignore
  }

  abstract learn(name: string, loss: Loss): void;

  override validationStep(batch: Batch): StepOutput {
    return measured(this, batch);
  }

  /** Twice through the batch, in two parts: each optimizer steps after each part, as through time. */
  override trainingStep({ x, labels }: Batch): StepOutput {
    for (const part of [0, 1]) {
      for (const name of ['body', 'head']) {
        this.learn(name, () => crossEntropy(this.forward(x.chunk(2)[part]!), labels.chunk(2)[part]!));
      }
    }
    const predictions = this.forward(x);
    return { loss: crossEntropy(predictions, labels).detach(), predictions };
  }
}

class ByHandles extends Manual {
  learn(name: string, loss: Loss): void {
    const optimizer = this.optimizers[name]!;
    optimizer.zeroGrad();
    this.manualBackward(loss());
    optimizer.step();
  }
}

/** With optimizers that the framework does not have; it steps one of its own, over what nobody uses. */
class ByItself extends Manual {
  #own: Optimizers = {};
  unused = new nn.Parameter(zeros([1]));

  override configureOptimizers(name: string, lr: number): Optimizers {
    this.#own = super.configureOptimizers(name, lr);
    return { unused: new optim.SGD([this.unused], { lr }) };
  }

  override trainingStep(batch: Batch): StepOutput {
    this.optimizers.unused!.step();
    return super.trainingStep(batch);
  }

  learn(name: string, loss: Loss): void {
    this.#own[name]!.zeroGrad();
    loss().backward();
    this.#own[name]!.step();
  }
}

class Searching extends Model {
  override configureOptimizer(_name: string, lr: number): optim.Optimizer {
    return new optim.LBFGS(this.parameters(), { lr, maxIter: 4, historySize: 3 });
  }
}

class SearchingByHandle extends Searching {
  override automaticOptimization = false;

  override validationStep(batch: Batch): StepOutput {
    return measured(this, batch);
  }

  override trainingStep({ x, labels }: Batch): StepOutput {
    const { optimizer } = this.optimizers;
    const loss = optimizer!.step(() => {
      optimizer!.zeroGrad();
      const each = crossEntropy(this.forward(x), labels);
      this.manualBackward(each);
      return each;
    });
    return { loss };
  }
}

class Closing extends ByHandles {
  override learn(): void {
    this.optimizers.body!.step(() => this.head.weight.sum());
  }
}

/** Steps the optimizers themselves. */
class Bare extends ByHandles {
  override learn(name: string, loss: Loss): void {
    this.manualBackward(loss());
    this.optimizers[name]!.optimizer.step();
  }
}

class Never extends ByHandles {
  override learn(): void {
    // Forgets to.
  }
}

class Misspelt extends ByHandles {
  override learn(): void {
    super.learn('haed', () => this.head.weight.sum());
  }
}

class Unasked extends Model {
  override validationStep(batch: Batch): StepOutput {
    return measured(this, batch);
  }

  override trainingStep(batch: Batch): StepOutput {
    this.optimizers.optimizer!.step();
    return super.trainingStep(batch);
  }
}

const plugins = { by_handles: ByHandles, by_itself: ByItself, searching: Searching, searching_by_handle: SearchingByHandle, closing: Closing, bare_steps: Bare, never_steps: Never, misspelt: Misspelt, unasked: Unasked }; // prettier-ignore
for (const [name, Class] of Object.entries(plugins)) registerPlugin({ name, Model: Class, Dataset, Config });

const of = (plugin: keyof typeof plugins, training: object = {}) =>
  experiment({ epochs: 2, ...training }, { modelPlugin: plugin, datasetPlugin: 'lab' });

describe('optimization that a model does itself', () => {
  const folder = temporaryFolder('manual');
  const inside = (name: string) => path.join(folder, name);
  const weightsOf = (directory: string) => {
    const { model } = loadCheckpoint(path.join(directory, 'last.safetensors'));
    return Object.fromEntries(Object.entries(model).map(([name, value]) => [name, value.tolist()]));
  };

  it('gives the bits of a loop of its own, for several optimizers, each with its schedule', async () => {
    const steps: string[] = [];
    const callback: Callback = {
      onOptimizerStepEnd: ({ optimizer, optimizerStep }) => void steps.push(`${optimizer} ${optimizerStep}`),
    };
    const handled = await runIn(inside('handled'), of('by_handles'), { callbacks: [callback] });
    const own = await runIn(inside('own'), of('by_itself'));
    const { unused: _, ...others } = weightsOf(own.runDirectory);
    expect(weightsOf(handled.runDirectory)).to.deep.equal(others);
    expect(steps.slice(0, 5)).to.deep.equal(['body 1', 'head 2', 'body 3', 'head 4', 'body 5']);
    expect(steps).to.have.length(2 * 11 * 4);

    const scheduler = { name: 'StepLR', stepSize: 1, gamma: 0.5, interval: 'epoch' };
    const { runDirectory } = await runIn(inside('scheduled'), of('by_handles', { scheduler }));
    const { schedulers, optimizers } = loadCheckpoint(path.join(runDirectory, 'last.safetensors'));
    expect(schedulers.body!.state).to.deep.include({ last_epoch: 2 });
    expect(schedulers.head!.rates).to.deep.equal({ learning_rate: 0.005 });
    expect(Object.entries(optimizers).map(([name, { className }]) => [name, className])).to.deep.equal([['body', 'SGD'], ['head', 'Adam']]); // prettier-ignore
  });

  it('goes on to the last bit', async () => {
    for (const plugin of ['by_handles', 'searching', 'searching_by_handle'] as const) {
      const whole = await runIn(inside(`${plugin}-whole`), of(plugin));
      const cut = await runIn(inside(`${plugin}-cut`), of(plugin), abortAt(2, 3));
      await runIn(inside(`${plugin}-cut`), of(plugin, { resumeFrom: cut.runDirectory }));
      expect(bytesOf(cut.runDirectory) === bytesOf(whole.runDirectory), plugin).to.equal(true);
    }
  });

  it('computes a loss anew for LBFGS, which the framework does too', async () => {
    const [byFramework, byModel] = [await runIn(inside('lbfgs'), of('searching')), await runIn(inside('own-lbfgs'), of('searching_by_handle'))]; // prettier-ignore
    expect(weightsOf(byFramework.runDirectory)).to.deep.equal(weightsOf(byModel.runDirectory));
    expect(byFramework.history.map(({ train_loss: loss }) => loss)).to.deep.equal(byModel.history.map(({ train_loss: loss }) => loss)); // prettier-ignore
  });

  it('scales the loss in float16, and looks at each optimizer for itself', async () => {
    const seen: boolean[] = [];
    const callback: Callback = { onOptimizerStepEnd: ({ skipped }) => void seen.push(skipped) };
    const { runDirectory, history } = await runIn(inside('float16'), of('by_handles', { precision: 'float16' }), { callbacks: [callback] }); // prettier-ignore
    expect(seen).to.include(false);
    expect(history[1]!.train_loss).to.be.below(history[0]!.train_loss!);
    const { scaler, state } = loadCheckpoint(path.join(runDirectory, 'last.safetensors'));
    expect(scaler!.scale).to.be.at.least(1);
    expect(state.step).to.equal(seen.filter((skipped) => !skipped).length);
  });

  it('is clipped as the experiment says, and its steps are logged', async () => {
    const norms: number[] = [];
    const callback: Callback = {
      onRunStart: ({ optimizers }) => {
        optimizers.body!.registerStepPreHook(() => {
          const grads = optimizers.body!.paramGroups.flatMap(({ params }) => params.map(({ grad }) => grad!));
          norms.push(Math.hypot(...grads.map((grad) => grad.norm().item<number>())));
        });
      },
    };
    await runIn(inside('clipped'), of('by_handles', { gradClipNorm: 0.01 }), { callbacks: [callback] });
    expect(Math.max(...norms)).to.be.closeTo(0.01, 1e-4);
  });

  for (const [what, plugin, training, message] of [
    [
      'a window of batches',
      'by_handles',
      { accumulationSteps: 2 },
      /accumulationSteps: is 2: let the model count batches, and leave this at 1\. The model steps its optimizers itself/,
    ],
    [
      'a name that no optimizer has',
      'misspelt',
      {},
      /There is no optimizer 'haed'. Did you mean 'head'\? .*body, head/,
    ],
    [
      'a step in a model whose optimizer the framework steps',
      'unasked',
      {},
      /optimizers was called outside trainingStep of a run, or of a model whose automaticOptimization is true/,
    ],
    [
      'a loss computed anew in float16',
      'searching',
      { precision: 'float16' },
      /precision.*is 'float16', whose loss is scaled, but LBFGS/,
    ],
    [
      'a closure of its own in float16',
      'closing',
      { precision: 'float16' },
      /closure, whose gradients float16 would not unscale/,
    ],
  ] as const) {
    // prettier-ignore
    it(`refuses ${what}`, async () => {
      expect((await failureOf(runIn(inside('refused'), of(plugin, training)))).message).to.match(message);
    });
  }
});
