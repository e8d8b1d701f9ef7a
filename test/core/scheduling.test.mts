import { readFileSync } from 'node:fs';
import path from 'node:path';

import {
  BaseModel,
  Container,
  loadExperimentConfig,
  nn,
  optim,
  Orchestrator,
  ones,
  readSettings,
  tensor,
  TrainingConfig,
  type Callback,
  type ConfiguredScheduler,
  type ExperimentConfig,
  type OrchestratorOptions,
  type RunResult,
  type StepOutput,
} from 'aiforge';
import { Counter } from '#lib/counter.js';
import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';
import { fromJson, toJson } from '#lib/core/checkpoints/checkpointJson.js';
import { Scheduling } from '#lib/core/training/optimization/scheduling.js';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { experiment, failureOf, runIn } from './lab.mjs';

interface JsonLine {
  kind: string;
  epoch?: number;
  metrics?: Record<string, number>;
}

describe('scheduling', () => {
  const folder = temporaryFolder('scheduling');

  it('reduces the rate on the plateau of a metric of which more is better', async () => {
    const scheduler = { name: 'ReduceLROnPlateau', monitor: 'val_accuracy', patience: 0 };
    const { runDirectory } = await runIn(folder, experiment({ epochs: 2, scheduler }));
    const { schedulers, config } = loadCheckpoint(path.join(runDirectory, 'last.safetensors'));
    expect(schedulers.optimizer!.state).to.include({ mode: 'max' });
    expect(config.training.scheduler).to.include({ mode: 'max' });
    const unsaid = await failureOf(runIn(folder, experiment({ scheduler: { ...scheduler, monitor: 'val_wibble' } })));
    expect(unsaid.message).to.match(/scheduler\.mode: is not given, and the name 'val_wibble' does not say/);
  });

  // 160 samples in batches of 16: ten steps an epoch.
  function config(...overrides: string[]): ExperimentConfig {
    return loadExperimentConfig('experiments/simple_nn.yaml', [
      `dataPath=${path.join(folder, 'points.safetensors')}`,
      'model.hiddenDims=[16]',
      'model.dropout=0.2',
      'datasetArgs.numSamples=200',
      'training.numThreads=1',
      'training.batchSize=16',
      'training.epochs=3',
      'training.learningRate=0.01',
      ...overrides,
    ]);
  }

  function run(given: ExperimentConfig, runs: string, options: OrchestratorOptions = {}): Promise<RunResult> {
    const container = new Container();
    container.experimentConfig.override(given);
    const settings = readSettings({ RUNS_DIR: path.join(folder, runs) });
    return new Orchestrator(container, { settings, ...options }).runExperiment();
  }

  const failed = (overrides: string[]): Promise<Error> =>
    run(config(...overrides), 'failed').then(
      () => expect.fail('it ran'),
      (error: Error) => error,
    );

  function metricsOf({ runDirectory }: RunResult): Record<string, number>[] {
    const lines = readFileSync(path.join(runDirectory, 'metrics.jsonl'), 'utf8').trim().split('\n');
    return lines.map((line) => (JSON.parse(line) as JsonLine).metrics ?? {});
  }

  const stepRates = (result: RunResult): number[] =>
    metricsOf(result).flatMap((metrics) =>
      metrics.train_loss_step === undefined ? [] : [metrics.learning_rate ?? Number.NaN],
    );

  const epochRates = (result: RunResult): number[] =>
    metricsOf(result).flatMap((metrics) => (metrics.val_loss === undefined ? [] : [metrics.learning_rate!]));

  const weights = (directory: string) => readFileSync(path.join(directory, 'last.safetensors'));

  function abortAfter(steps: number): Pick<OrchestratorOptions, 'signal' | 'callbacks'> {
    const controller = new AbortController();
    let done = 0;
    const callback: Callback = { onBatchEnd: () => void (++done === steps && controller.abort()) };
    return { signal: controller.signal, callbacks: [callback] };
  }

  const sequence = `{ name: SequentialLR, interval: step, milestones: [4], schedulers: [
    { name: LinearLR, startFactor: 0.25, totalIters: 4 }, { name: CosineAnnealingLR } ] }`;

  it('steps after epochs', async () => {
    const result = await run(config('training.scheduler={ name: StepLR, stepSize: 1, gamma: 0.5 }'), 'epochs');
    expect(stepRates(result)).to.deep.equal([0.01, 0.005, 0.0025].flatMap((rate) => Array<number>(10).fill(rate)));
    expect(epochRates(result)).to.deep.equal([0.01, 0.005, 0.0025]);
  });

  it('steps after steps of the optimizer, over the whole run', async () => {
    const result = await run(config('training.scheduler={ name: CosineAnnealingLR, interval: step }'), 'steps');
    const optimizer = new optim.SGD([ones([1])], { lr: 0.01 });
    const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, 30);
    const expected = Array.from({ length: 30 }, () => {
      const [rate] = scheduler.getLastLr();
      optimizer.step();
      scheduler.step();
      return rate;
    });
    expect(stepRates(result)).to.deep.equal(expected);
    expect(epochRates(result)).to.deep.equal([expected[9], expected[19], expected[29]]);
  });

  it('counts steps of the optimizer where gradients accumulate', async () => {
    const result = await run(
      config('training.accumulationSteps=4', 'training.learningRate=0.1', 'training.scheduler={ name: OneCycleLR }'),
      'accumulated',
    );
    const rates = stepRates(result);
    expect(rates).to.have.length(9);
    expect(rates[0]).to.be.closeTo(0.1 / 25, 1e-12);
    expect(epochRates(result)[2]).to.be.lessThan(1e-3);
  });

  it('lowers the rate when the monitored metric does not get better', async () => {
    const scheduler = '{ name: ReduceLROnPlateau, monitor: train_loss, mode: max, patience: 0, factor: 0.5 }';
    const result = await run(config('training.epochs=5', `training.scheduler=${scheduler}`), 'plateau');
    const losses = result.history.map((metrics) => metrics.train_loss!);
    const optimizer = new optim.SGD([ones([1])], { lr: 0.01 });
    const plateau = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { mode: 'max', patience: 0, factor: 0.5 });
    const expected = losses.map((loss) => {
      const [rate] = plateau.getLastLr();
      plateau.step(loss);
      return rate;
    });
    expect(epochRates(result)).to.deep.equal(expected);
    expect(epochRates(result).at(-1)).to.be.lessThan(0.01);
  });

  it('logs no rate where none is scheduled', async () => {
    const result = await run(config('training.epochs=1'), 'constant');
    expect(metricsOf(result).some((metrics) => 'learning_rate' in metrics)).to.equal(false);
  });

  for (const [what, scheduler] of Object.entries({
    'after epochs': '{ name: MultiStepLR, milestones: [1, 2], gamma: 0.7 }',
    'after steps, in sequence': sequence,
    'with momentum': '{ name: OneCycleLR, maxLr: 0.02 }',
    'with a metric': '{ name: ReduceLROnPlateau, monitor: train_loss, mode: max, patience: 0 }',
  })) {
    it(`goes on to the same bytes after interruptions, ${what}`, async () => {
      const given = [`training.scheduler=${scheduler}`];
      const name = what.replace(/\W+/g, '-');
      const whole = await run(config(...given), `uninterrupted-${name}`);
      for (const steps of [3, 10, 24]) {
        const cut = await run(config(...given), `interrupted-${name}-${steps}`, abortAfter(steps));
        expect(cut.status).to.equal('interrupted');
        const resumed = await run(config(...given, `training.resumeFrom=${cut.runDirectory}`), 'unused');
        expect(weights(resumed.runDirectory).equals(weights(whole.runDirectory)), `${steps} steps`).to.equal(true);
        expect(stepRates(resumed)).to.deep.equal(stepRates(whole));
      }
    });
  }

  it('refuses to go on with another schedule, and a metric that there is none of', async () => {
    const cut = await run(config('training.scheduler={ name: StepLR, stepSize: 1 }'), 'cut', abortAfter(3));
    const resume = `training.resumeFrom=${cut.runDirectory}`;
    expect(await failed([resume]))
      .to.have.property('message')
      .that.matches(/training\.scheduler was .*StepLR.* and cannot become null: the schedule is under way/);
    const other = await failed([resume, 'training.scheduler={ name: ExponentialLR, gamma: 0.5 }']);
    expect(other).to.include({ code: 'CONFIG_INVALID' });
    const unknown = await failed(['training.scheduler={ name: ReduceLROnPlateau, monitor: val_los, mode: min }']);
    expect(unknown.message).to.match(/scheduler\.monitor.*val_los.*did you mean 'val_loss'/is);
  });

  describe('configureScheduler', () => {
    class Model extends BaseModel {
      readonly layer = new nn.Linear(2, 2);
      constructor(private readonly given: unknown) {
        super({});
      }
      forward(): void {}
      trainingStep(): StepOutput {
        throw new Error('is not called');
      }
      validationStep(): StepOutput {
        throw new Error('is not called');
      }
      override configureScheduler(): ConfiguredScheduler {
        return this.given as ConfiguredScheduler;
      }
    }

    const schedulingOf = (make: (optimizer: optim.Optimizer) => unknown) => {
      const optimizer = new optim.SGD([ones([1])], { lr: 1 });
      optimizer.step();
      return Scheduling.of(new Model(make(optimizer)), optimizer, TrainingConfig.parse({}), {
        epochs: 10,
        stepsPerEpoch: 10,
      });
    };

    it('takes a scheduler alone, with its interval, or none', () => {
      const alone = schedulingOf((optimizer) => new optim.lrScheduler.LambdaLR(optimizer, (epoch) => 1 / (epoch + 1)));
      for (const rate of [1, 0.5]) {
        alone.endStep();
        alone.endStep();
        expect(alone.rates).to.deep.equal({ learning_rate: rate });
        alone.endEpoch({}, true);
      }
      const each = schedulingOf((optimizer) => ({
        scheduler: new optim.lrScheduler.ExponentialLR(optimizer, 0.5),
        interval: 'step',
      }));
      for (const rate of [1, 0.5]) {
        each.endStep();
        each.endEpoch({}, true);
        expect(each.rates).to.deep.equal({ learning_rate: rate });
      }
      const none = schedulingOf(() => null);
      none.endStep();
      none.endEpoch({}, true);
      expect(none.rates).to.deep.equal({});
      expect(none.save()).to.equal(null);
    });

    it('refuses what is no scheduler, and one of metrics after steps', () => {
      const refused = (make: (optimizer: optim.Optimizer) => unknown, message: RegExp) =>
        expect(() => schedulingOf(make))
          .to.throw(message)
          .with.property('code', 'PLUGIN_INVALID');
      refused(() => ({ scheduler: 3 }), /got 3/);
      refused(
        (optimizer) => ({ scheduler: new optim.lrScheduler.ReduceLROnPlateau(optimizer), interval: 'step' }),
        /ReduceLROnPlateau/,
      );
    });

    it('models can be averaged', () => {
      const model = new Model(null);
      const averaged = new optim.swaUtils.AveragedModel(model);
      averaged.updateParameters(model);
      expect(averaged.module.config).to.deep.equal({});
    });
  });

  it('a checkpoint keeps infinities and rates that are tensors', () => {
    const given = {
      best: Infinity,
      worst: -Infinity,
      none: NaN,
      rates: [0.1, tensor(0.1)],
      name: null,
      counts: Counter.of([3, 3]),
    };
    const back = fromJson(toJson(given)) as typeof given;
    expect({ ...back, rates: [] }).to.deep.equal({ ...given, rates: [] });
    expect(back.rates[0]).to.equal(0.1);
    const rate = back.rates[1] as ReturnType<typeof tensor>;
    expect([rate.dtype, rate.item()]).to.deep.equal(['float32', Math.fround(0.1)]);
  });
});
