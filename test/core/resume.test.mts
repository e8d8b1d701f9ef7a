import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import {
  loadExperimentConfig,
  loadSafetensors,
  loadWeights,
  nn,
  singleProcess,
  type OrchestratorOptions,
} from 'aiforge';
import { expect } from 'chai';

import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';
import { saveChecked } from '#lib/core/checkpoints/checksum.js';
import { RunLock } from '#lib/core/runs/runLock.js';
import { splitDataset } from '#lib/core/runs/splits.js';
import { Agreement, RunRequests } from '#lib/core/training/agreement.js';
import { Callbacks } from '#lib/core/callbacks/callbacks.js';
import { evaluate } from '#lib/core/training/evaluation.js';
import { Placement } from '#lib/core/training/placement.js';
import { Precision } from '#lib/core/training/optimization/precision.js';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, breakAt, bytesOf, Dataset, experiment, failureOf, linesOf, Model, runIn } from './lab.mjs';

describe('resuming a run', () => {
  const folder = temporaryFolder('resume');
  const inside = (name: string): string => path.join(folder, name);

  /** The only run in a folder of runs. */
  function runOf(runs: string): string {
    const [name] = readdirSync(path.join(runs, 'lab'));
    return path.join(runs, 'lab', name!);
  }

  const hasCheckpoint = (runs: string): boolean =>
    existsSync(path.join(runs, 'lab')) &&
    readdirSync(path.join(runs, 'lab')).some((name) => existsSync(path.join(runs, 'lab', name, 'last.safetensors')));

  /** Runs to a cut, goes on, and compares with a run that was never cut. */
  async function expectSameBytes(name: string, training: object, cut: Partial<OrchestratorOptions>): Promise<void> {
    const whole = await runIn(inside(`${name}-whole`), experiment(training));
    await runIn(inside(name), experiment(training), cut).catch((error: Error) => {
      if (error.message !== 'power cut') throw error;
    });
    const directory = runOf(inside(name));
    const resumed = await runIn(inside(name), experiment({ ...training, resumeFrom: directory }));
    expect(resumed.status).to.equal('finished');
    for (const file of ['last.safetensors', 'best.safetensors', 'config.yaml']) {
      expect(bytesOf(directory, file) === bytesOf(whole.runDirectory, file), file).to.equal(true);
    }
    expect(resumed.test).to.deep.equal(whole.test);
    const metrics = (run: string) => linesOf(run).filter(({ kind }) => kind === 'metrics');
    const shown = (run: string) =>
      metrics(run).map(({ step, epoch, interval, metrics: m }) => ({ step, epoch, interval, m }));
    expect(shown(directory)).to.deep.equal(shown(whole.runDirectory));
  }

  describe('ends with the bytes of a run that never stopped, each step recorded once', () => {
    for (const [epoch, batch] of [
      [1, 3],
      [2, 1],
      [2, 11],
      [3, 5],
    ] as const) {
      it(`stopped after batch ${batch} of epoch ${epoch}`, () =>
        expectSameBytes(`abort-${epoch}-${batch}`, {}, abortAt(epoch, batch)));
      if (epoch > 1) {
        it(`broken off after batch ${batch} of epoch ${epoch}, from the end of the epoch before`, () =>
          expectSameBytes(`break-${epoch}-${batch}`, {}, breakAt(epoch, batch)));
      }
    }

    for (const batch of [4, 5, 6, 7, 8, 9, 10, 11]) {
      it(`stopped after batch ${batch} in steps of 4 batches`, () =>
        expectSameBytes(`window-${batch}`, { accumulationSteps: 4, epochs: 2 }, abortAt(1, batch)));
    }

    it('broken off with checkpoints every 2 steps of 3 batches', () =>
      expectSameBytes(
        'every',
        { accumulationSteps: 3, epochs: 2, checkpoint: { everySteps: 2, keepLast: true } },
        breakAt(2, 8),
      ));

    it('stopped in validation, which begins again', () => {
      const controller = new AbortController();
      let batches = 0;
      const counted = {
        onBatchEnd: () => {
          // The abort comes when the epoch's last batch is done and nobody asks any more before validation.
          if (++batches === 22) setImmediate(() => controller.abort());
        },
      };
      return expectSameBytes('validation', {}, { signal: controller.signal, callbacks: [counted] });
    });

    it('stopped before the first batch', () => {
      const controller = new AbortController();
      const callback = { onRunStart: () => controller.abort() };
      return expectSameBytes('start', {}, { signal: controller.signal, callbacks: [callback] });
    });

    for (const last of [1, 2]) {
      it(`stopped between epochs ${last} and ${last + 1}`, () => {
        const controller = new AbortController();
        const callback = {
          onEpochEnd: ({ epoch }: { epoch: number }) => {
            if (epoch === last) controller.abort();
          },
        };
        return expectSameBytes(`between-${last}`, {}, { signal: controller.signal, callbacks: [callback] });
      });
    }

    it('stopped before the test', () => {
      const controller = new AbortController();
      const callback = {
        onEpochEnd: ({ epoch }: { epoch: number }) => {
          if (epoch === 3) controller.abort();
        },
      };
      return expectSameBytes('test', {}, { signal: controller.signal, callbacks: [callback] });
    });

    it('broken off three times, in windows of three batches', async () => {
      const steady = { accumulationSteps: 3, checkpoint: { everySteps: 1, keepLast: true } };
      const whole = await runIn(inside('thrice-whole'), experiment(steady));
      const runs = inside('thrice');
      let training: object = steady;
      for (const [epoch, batch] of [
        [1, 5],
        [1, 8],
        [2, 7],
      ] as const) {
        await failureOf(runIn(runs, experiment(training), breakAt(epoch, batch)));
        training = { ...training, resumeFrom: runOf(runs) };
      }
      await runIn(runs, experiment(training));
      expect(bytesOf(runOf(runs)) === bytesOf(whole.runDirectory)).to.equal(true);
    });
  });

  it('finds the best weights to give exactly the recorded value', async () => {
    const { runDirectory, bestEpoch, history } = await runIn(inside('best'), experiment());
    const dataset = new Dataset();
    const { val } = splitDataset(dataset, experiment().training);
    const model = new Model({ dropout: 0.3, classes: 2 });
    model.lossFn = new nn.CrossEntropyLoss();
    loadWeights(path.join(runDirectory, 'best.safetensors'), model);
    const parallel = await singleProcess.parallelize(model);
    const agreement = new Agreement(new RunRequests(new AbortController().signal), singleProcess);
    const at = { placement: new Placement(model, 'cpu', false), precision: new Precision('float32', 'cpu') };
    const parts = {
      model,
      samples: dataset,
      indices: val,
      batchSize: 8,
      loading: {},
      ranks: singleProcess,
      parallel,
      agreement,
      ...at,
      callbacks: new Callbacks([]),
      stage: 'validation' as const,
      counters: { epoch: 1, epochs: 1, optimizerStep: 0, trainedBatches: 0 },
    };
    expect((await evaluate(parts))!.values.loss).to.equal(history[bestEpoch! - 1]!.val_loss);
  });

  it('leaves a checkpoint that loads, whenever the process is killed', async () => {
    const runs = inside('killed');
    const script = `
      import('aiforge').then(async ({ Container, Orchestrator, readSettings }) => {
        const { experiment } = await import(${JSON.stringify(path.resolve('build/test/core/lab.mjs'))});
        const container = new Container();
        container.experimentConfig.override(experiment({ epochs: 1000, checkpoint: { everySteps: 1, keepLast: true } }));
        await new Orchestrator(container, { settings: readSettings({ RUNS_DIR: ${JSON.stringify(runs)} }) }).runExperiment();
      });`;
    for (let i = 0; i < 5; i++) {
      rmSync(runs, { recursive: true, force: true });
      const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit'] });
      const ended = once(child, 'exit');
      while (!hasCheckpoint(runs)) await sleep(20);
      await sleep(37 * i);
      child.kill('SIGKILL');
      await ended;
      expect(loadCheckpoint(path.join(runOf(runs), 'last.safetensors')).state.step).to.be.greaterThan(0);
    }
  }).timeout(180_000);

  it('refuses a checkpoint with a right checksum and what no run writes', async () => {
    const { runDirectory } = await runIn(inside('forged'), experiment({ epochs: 1 }));
    const file = path.join(runDirectory, 'last.safetensors');
    const { tensors, metadata } = loadSafetensors(file);
    const { sha256: _old, ...rest } = metadata;
    const forged: Record<string, string>[] = [
      { state: '{' },
      { state: '{"epoch":-1}' },
      { state: '{"__proto__":{"epoch":0}}' },
      { config: '[]' },
      { plugins: 'null' },
      { optimizers: '{' },
      { optimizers: 'null' },
      { optimizers: '{"optimizer":{"className":"Adam","options":"{\\"state\\":null,\\"paramGroups\\":7}"}}' },
      { schedulers: '{"optimizer":{"name":"constructor"}}' },
      { callbacks: '[]' },
    ];
    for (const change of forged) {
      saveChecked(file, tensors, { ...rest, ...change });
      const failure = await failureOf(runIn(inside('forged'), experiment({ epochs: 2, resumeFrom: runDirectory })));
      expect(failure, JSON.stringify(change)).to.include({ name: 'AiforgeError' });
    }
  });

  describe('with another configuration', () => {
    const everything = (directory: string) =>
      Object.fromEntries(
        readdirSync(directory).map((name) => [name, readFileSync(path.join(directory, name), 'utf8')]),
      );

    const refused: [string, object, object, RegExp][] = [
      ['seed', { seed: 7 }, {}, /training\.seed was 42 and cannot become 7: every random draw/],
      ['valFraction', { valFraction: 0.2 }, {}, /valFraction was 0\.1 and cannot become 0\.2: it would move samples/],
      ['lossFnName', { lossFnName: 'MultiMarginLoss' }, {}, /lossFnName .* cannot become "MultiMarginLoss"/],
      ['optimizerName', { optimizerName: 'SGD' }, {}, /optimizerName was "Adam" and cannot become "SGD"/],
      ['optimizerArgs', { optimizerArgs: { weightDecay: 1 } }, {}, /optimizerArgs\.weightDecay was not set/],
      ['a monitor', { earlyStoppingMonitor: 'train_loss' }, {}, /earlyStoppingMonitor .*best value so far/],
      ['a schedule', { scheduler: { name: 'StepLR', stepSize: 1 } }, {}, /training\.scheduler/],
      ['a model option', {}, { model: { dropout: 0.5 } }, /model\.dropout was 0\.3 and cannot become 0\.5/],
      ['a model option that there is none of', {}, { model: { dropuot: 0.5 } }, /did you mean 'dropout'/],
      ['batchSize in mid-epoch', { batchSize: 16 }, {}, /batchSize was 8 and cannot become 16: .*middle of an epoch/],
    ];
    for (const [what, training, rest, message] of refused) {
      it(`refuses ${what} and leaves the run as it was`, async () => {
        const runs = inside(`refused-${what.replaceAll(' ', '-')}`);
        const { runDirectory } = await runIn(runs, experiment(), abortAt(2, 4));
        const before = everything(runDirectory);
        const failure = await failureOf(runIn(runs, experiment({ ...training, resumeFrom: runDirectory }, rest)));
        expect(failure).to.include({ name: 'AiforgeError', code: 'CONFIG_INVALID' });
        expect(failure.message).to.match(message);
        expect(everything(runDirectory)).to.deep.equal(before);
      });
    }

    it('takes another learning rate, more epochs and, between epochs, another batch size, and records them', async () => {
      const runs = inside('changed');
      const first = await runIn(runs, experiment({ epochs: 1 }));
      const changed = { epochs: 2, learningRate: 0.5, batchSize: 16, resumeFrom: first.runDirectory };
      const resumed = await runIn(runs, experiment(changed));
      expect(resumed.epochs).to.equal(2);
      const changes = linesOf(first.runDirectory).find(({ kind }) => kind === 'changes')!;
      expect(changes).to.deep.include({
        step: 11,
        epoch: 2,
        changes: {
          'training.epochs': { from: 1, to: 2 },
          'training.learningRate': { from: 0.01, to: 0.5 },
          'training.batchSize': { from: 8, to: 16 },
        },
      });
      // 84 samples in batches of 16: six steps.
      expect(
        linesOf(first.runDirectory).filter(({ interval, epoch }) => interval === 'step' && epoch === 2),
      ).to.have.length(6);
      const steady = await runIn(inside('steady'), experiment({ epochs: 2 }));
      expect(bytesOf(resumed.runDirectory) === bytesOf(steady.runDirectory)).to.equal(false);
      expect(loadExperimentConfig(path.join(first.runDirectory, 'config.yaml')).training).to.include({
        learningRate: 0.5,
        epochs: 2,
      });
    });

    it('applies the learning rate: with next to none, weights stay where they were', async () => {
      const runs = inside('rate');
      const sgd = { optimizerName: 'SGD', epochs: 1 };
      const { runDirectory } = await runIn(runs, experiment(sgd));
      const weight = () =>
        loadSafetensors(path.join(runDirectory, 'last.safetensors')).tensors['model.head.weight']!.tolist();
      const before = weight();
      await runIn(runs, experiment({ ...sgd, epochs: 2, learningRate: 1e-30, resumeFrom: runDirectory }));
      expect(weight()).to.deep.equal(before);
      await runIn(runs, experiment({ ...sgd, epochs: 3, learningRate: 0.1, resumeFrom: runDirectory }));
      expect(weight()).not.to.deep.equal(before);
    });
  });

  it('refuses a run that another process works on, and takes over what a dead one left', async () => {
    const runs = inside('locked');
    const { runDirectory } = await runIn(runs, experiment(), abortAt(1, 4));
    const config = experiment({ resumeFrom: runDirectory });
    const other = RunLock.acquire(runDirectory);
    const failure = await failureOf(runIn(runs, config));
    expect(failure.message).to.include(`being worked on by process ${process.pid}`);
    other.release();

    writeFileSync(path.join(runDirectory, 'lock.7'), JSON.stringify({ pid: 2 ** 22, host: 'elsewhere' }));
    expect((await failureOf(runIn(runs, config))).message).to.match(/process 4194304 on elsewhere.*remove .*lock\.7/);
  });

  it('takes over what a killed process held that nobody has buried yet', async () => {
    const directory = inside('buried');
    mkdirSync(directory, { recursive: true });
    const library = JSON.stringify(path.resolve('dist/lib/core/runs/runLock.js'));
    const script = `require(${library}).RunLock.acquire(${JSON.stringify(directory)}); console.log(process.pid); setInterval(() => {}, 1e6);`;
    // A shell that has become another program never asks how its child ended.
    const parent = spawn('sh', ['-c', '"$0" -e "$1" & exec sleep 60', process.execPath, script]);
    try {
      const [said] = (await once(parent.stdout, 'data')) as [Buffer];
      expect(() => RunLock.requireFree(directory)).to.throw(/being worked on by process/);
      process.kill(Number(String(said)), 'SIGKILL');
      for (let waited = 0; RunLock.isHeld(directory) && waited < 10_000; waited += 10) await sleep(10);
      expect(readFileSync(`/proc/${String(said).trim()}/stat`, 'utf8')).to.include(') Z ');
      RunLock.acquire(directory).release();
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('refuses a second run in the process of one that is under way', async () => {
    const both = await Promise.allSettled([runIn(inside('two'), experiment()), runIn(inside('two'), experiment())]);
    expect(both.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected']);
    expect(((both[1] as PromiseRejectedResult).reason as Error).message).to.match(/Another experiment is running/);
  });

  it('gives 200 runs that start at once 200 folders', async () => {
    const runs = inside('at-once');
    const script = `
      const { createRunDirectory } = require(${JSON.stringify(path.resolve('dist/lib/core/runs/runDirectory.js'))});
      for (let i = 0; i < 25; i++) console.log(createRunDirectory(${JSON.stringify(runs)}, 'lab', new Date(0)));`;
    const starts = Array.from({ length: 8 }, () => promisify(execFile)(process.execPath, ['-e', script]));
    const folders = (await Promise.all(starts)).flatMap(({ stdout }) => stdout.trim().split('\n'));
    expect(folders).to.have.length(200);
    expect(new Set(folders).size).to.equal(200);
  });

  it('removes what a process left that was killed while it wrote', async () => {
    const runs = inside('half-written');
    const { runDirectory } = await runIn(runs, experiment(), abortAt(1, 4));
    writeFileSync(path.join(runDirectory, '.last.safetensors.0.tmp'), 'half');
    await runIn(runs, experiment({ resumeFrom: runDirectory }));
    expect(readdirSync(runDirectory).filter((name) => name.startsWith('.') || name.startsWith('lock'))).to.deep.equal(
      [],
    );
  });
});
