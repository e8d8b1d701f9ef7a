import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import type { ExperimentConfig } from 'aiforge';
import {
  Container,
  loadExperimentConfig,
  loadRun,
  Orchestrator,
  orchestrator,
  readSettings,
  type Callback,
  type OrchestratorOptions,
  type RunResult,
} from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';

interface JsonLine {
  kind: string;
  metrics?: Record<string, number>;
  status?: string;
  params?: object;
}

describe('Orchestrator', () => {
  const folder = temporaryFolder('orchestrator');

  function config(...overrides: string[]): ExperimentConfig {
    return loadExperimentConfig('experiments/simple_nn.yaml', [
      `dataPath=${path.join(folder, 'points.safetensors')}`,
      'model.hiddenDims=[16]',
      'model.dropout=0.2',
      'datasetArgs.numSamples=200',
      'training.numThreads=1',
      'training.batchSize=16',
      'training.epochs=3',
      ...overrides,
    ]);
  }

  function runExperiment(given: ExperimentConfig, runs: string, options: OrchestratorOptions = {}): Promise<RunResult> {
    const container = new Container();
    container.experimentConfig.override(given);
    const settings = readSettings({ RUNS_DIR: path.join(folder, runs) });
    return new Orchestrator(container, { settings, ...options }).runExperiment();
  }

  const records = (directory: string): JsonLine[] =>
    readFileSync(path.join(directory, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonLine);

  const weights = (directory: string) => readFileSync(path.join(directory, 'last.safetensors'));

  /** Aborts after so many steps, counted over all epochs. */
  function abortAfter(steps: number): Pick<OrchestratorOptions, 'signal' | 'callbacks'> {
    const controller = new AbortController();
    let done = 0;
    const callback: Callback = {
      onBatchEnd: () => {
        if (++done === steps) controller.abort();
      },
    };
    return { signal: controller.signal, callbacks: [callback] };
  }

  it('trains, tests and leaves the whole run in its folder', async () => {
    const result = await runExperiment(config(), 'whole');
    expect(result.status).to.equal('finished');
    expect(result.epochs).to.equal(3);
    expect(result.history).to.have.length(3);
    expect(result.test!.confusion!.flat().reduce((a, b) => a + b)).to.equal(20);
    expect(readdirSync(result.runDirectory).sort()).to.deep.equal([
      'best-checkpoint.safetensors',
      'best.safetensors',
      'config.yaml',
      'last.safetensors',
      'log.jsonl',
      'manifest.json',
      'metrics.jsonl',
    ]);
    const kinds = records(result.runDirectory).map((record) => record.kind);
    expect(kinds[0]).to.equal('start');
    expect(kinds).to.include('params');
    expect(records(result.runDirectory).at(-1)).to.include({ kind: 'finish', status: 'FINISHED' });
    const saved = loadExperimentConfig(path.join(result.runDirectory, 'config.yaml'));
    expect(saved.model).to.deep.equal({ inputDim: 10, hiddenDims: [16], outputDim: 2, dropout: 0.2 });
  });

  it('is made by a container, which keeps one for itself', async () => {
    const container = new Container();
    container.experimentConfig.override(config());
    expect(container.get(orchestrator)).to.be.instanceOf(Orchestrator);
    expect(container.get(orchestrator)).to.equal(container.get(orchestrator));
    expect(() => new Container().get(orchestrator)).to.throw('experimentConfig.override');
  });

  it('gives the same bytes for the same seed, and others for another', async () => {
    const [a, b, c] = [
      await runExperiment(config(), 'a'),
      await runExperiment(config(), 'b'),
      await runExperiment(config('training.seed=7'), 'c'),
    ];
    expect(weights(a.runDirectory).equals(weights(b.runDirectory))).to.equal(true);
    expect(weights(a.runDirectory).equals(weights(c.runDirectory))).to.equal(false);
  });

  for (const steps of [1, 7, 10, 17]) {
    it(`goes on to the same bytes after an interruption at step ${steps} of 30`, async () => {
      const whole = await runExperiment(config(), `uninterrupted-${steps}`);
      const cut = await runExperiment(config(), `interrupted-${steps}`, abortAfter(steps));
      expect(cut.status).to.equal('interrupted');
      expect(records(cut.runDirectory).at(-1)).to.include({ status: 'KILLED' });
      const resumed = await runExperiment(config(`training.resumeFrom=${cut.runDirectory}`), 'unused');
      expect(resumed.runDirectory).to.equal(cut.runDirectory);
      expect(weights(resumed.runDirectory).equals(weights(whole.runDirectory))).to.equal(true);
      expect(resumed.test).to.deep.equal(whole.test);
      expect(resumed.history.at(-1)).to.deep.equal(whole.history.at(-1));
    });
  }

  it('saves within an epoch when it is told to, and what it saves can be resumed', async () => {
    const cut = await runExperiment(config('training.checkpoint.everySteps=4'), 'every', {
      callbacks: [
        {
          onBatchEnd: ({ batch, epoch }) => {
            if (epoch === 2 && batch === 6) throw new Error('power cut');
          },
        },
      ],
    }).catch((error: Error) => error);
    expect(cut).to.be.instanceOf(Error);
    const experiment = path.join(folder, 'every', 'simple_nn');
    const directory = path.join(experiment, readdirSync(experiment)[0]!);
    expect(records(directory).at(-1)).to.include({ status: 'FAILED' });
    const resumed = await runExperiment(config(`training.resumeFrom=${directory}`), 'unused');
    const whole = await runExperiment(config(), 'whole-again');
    expect(weights(resumed.runDirectory).equals(weights(whole.runDirectory))).to.equal(true);
  });

  it('stops early, tests the best epoch and says so', async () => {
    const result = await runExperiment(
      config('training.epochs=40', 'training.learningRate=0.3', 'training.earlyStoppingPatience=2'),
      'early',
    );
    expect(result.stoppedEarly).to.equal(true);
    expect(result.epochs).to.equal(result.bestEpoch! + 2);
    const losses = result.history.map((metrics) => metrics.val_loss!);
    expect(losses[result.bestEpoch! - 1]).to.equal(Math.min(...losses));
  });

  it('accumulates gradients to those of the larger batch', async () => {
    const options = ['model.dropout=0', 'training.optimizerName=SGD', 'training.epochs=1', 'training.learningRate=0.1'];
    const large = await runExperiment(config(...options, 'training.batchSize=32'), 'large');
    const small = await runExperiment(
      config(...options, 'training.batchSize=16', 'training.accumulationSteps=2'),
      'small',
    );
    expect(small.history[0]!.val_loss).to.be.closeTo(large.history[0]!.val_loss!, 1e-6);
  });

  it('gives the trained model back', async () => {
    const result = await runExperiment(config(), 'reload');
    const run = loadRun<{ features: unknown; labels: unknown }>(result.runDirectory);
    expect(run.model.training).to.equal(false);
    expect([...run.model.parameters()]).to.have.length(4);
  });

  describe('refuses, naming the value and the remedy', () => {
    const cases: [string, string[], RegExp][] = [
      ['an unknown plugin', ['modelPlugin=simple_nm'], /no plugin 'simple_nm'.*did you mean 'simple_nn'/is],
      ['a plugin name that leaves its folder', ['modelPlugin=a/../../b'], /not a plugin name/],
      ['an unknown optimizer', ['training.optimizerName=Adma'], /no 'Adma'.*did you mean 'Adam'/is],
      ['an unknown loss', ['training.lossFnName=CrossEntropyLos'], /no 'CrossEntropyLos'.*CrossEntropyLoss/is],
      ['an unknown metric to monitor', ['training.earlyStoppingMonitor=val_los'], /no metric 'val_los'.*val_loss/is],
      ['a model setting of the wrong kind', ['model.inputDim=ten'], /model\.inputDim.*ten/is],
      ['an unknown model setting', ['model.hiddenDim=3'], /hiddenDim.*hiddenDims/is],
      ['a model that does not fit the data', ['model.inputDim=11'], /float32\[16, 10\]/],
      ['a missing checkpoint', ['training.resumeFrom=/nowhere/at/all'], /no file \/nowhere\/at\/all/],
    ];
    for (const [what, overrides, message] of cases) {
      it(what, async () => {
        const error = await runExperiment(config(...overrides), 'refused').catch((caught: Error) => caught);
        expect(error).to.be.instanceOf(Error);
        expect((error as Error).message).to.match(message);
      });
    }

    it('a truncated checkpoint, at every place', async () => {
      const result = await runExperiment(config('training.epochs=1'), 'truncated');
      const bytes = weights(result.runDirectory);
      for (const length of [0, 4, 8, 100, 1000, bytes.length - 1]) {
        const file = path.join(folder, `cut-${length}.safetensors`);
        writeFileSync(file, bytes.subarray(0, length));
        const error = await runExperiment(config(`training.resumeFrom=${file}`), 'refused').catch(
          (caught: Error) => caught,
        );
        expect(error).to.include({ code: 'FILE_INVALID' });
      }
    });

    it('and leaves no run folder behind when the experiment cannot begin', () => {
      const begun = path.join(folder, 'never');
      return runExperiment(config('modelPlugin=nothing_here'), 'never').then(
        () => expect.fail('it ran'),
        () => expect(existsSync(begun)).to.equal(false),
      );
    });
  });
});
