import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import {
  loadSafetensors,
  tensor,
  type Callback,
  type Counters,
  type RunStart,
  type StageEnd,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, experiment, failureOf, linesOf, runIn } from './lab.mjs';

const names = [
  'onRunStart',
  'onStageStart',
  'onStageEnd',
  'onEpochStart',
  'onBatchStart',
  'onForwardStart',
  'onForwardEnd',
  'onBackwardStart',
  'onBackwardEnd',
  'onOptimizerStepStart',
  'onOptimizerStepEnd',
  'onBatchEnd',
  'onCheckpointStart',
  'onCheckpointEnd',
  'onEpochEnd',
  'onRunEnd',
  'onException',
] as const;

interface Told extends Partial<Counters> {
  stage?: string;
  batch?: number;
  kind?: string;
}

/** Writes down every event, in a word each. */
function recorder(): { log: string[]; callback: Callback } {
  const log: string[] = [];
  const tell = (name: string) => (event: Told) => {
    const where = [event.stage, event.kind, event.batch].filter((part) => part !== undefined).join(' ');
    log.push(`${name.slice(2)}${where === '' ? '' : ` ${where}`}`);
  };
  return { log, callback: Object.fromEntries(names.map((name) => [name, tell(name)])) };
}

const short = { epochs: 1, limitTrainBatches: 3, accumulationSteps: 2 };

describe('the events of a run', () => {
  const folder = temporaryFolder('events');
  const inside = (name: string) => path.join(folder, name);

  it('are told in their order, of every stage', async () => {
    const { log, callback } = recorder();
    await runIn(inside('order'), experiment(short), { callbacks: [callback] });
    const pass = (batch: number) => [`ForwardStart ${batch}`, `ForwardEnd ${batch}`, `BackwardStart ${batch}`, `BackwardEnd ${batch}`]; // prettier-ignore
    const evaluated = (stage: string) => [
      `StageStart ${stage}`,
      ...[1, 2].flatMap((batch) => [`BatchStart ${stage} ${batch}`, `BatchEnd ${stage} ${batch}`]),
      `StageEnd ${stage}`,
    ];
    const saved = (kind: string) => [`CheckpointStart ${kind}`, `CheckpointEnd ${kind}`];
    expect(log).to.deep.equal([
      'RunStart',
      'StageStart sanity',
      'StageEnd sanity',
      'EpochStart',
      'StageStart train',
      ...['BatchStart train 1', ...pass(1), 'BatchEnd train 1'],
      ...['BatchStart train 2', ...pass(2), 'OptimizerStepStart', 'OptimizerStepEnd', 'BatchEnd train 2'],
      ...['BatchStart train 3', ...pass(3), 'OptimizerStepStart', 'OptimizerStepEnd', 'BatchEnd train 3'],
      'StageEnd train',
      ...evaluated('validation').slice(0, -1),
      'StageEnd validation',
      ...saved('best'),
      ...saved('last'),
      'EpochEnd',
      ...evaluated('test'),
      'RunEnd',
    ]);
  });

  it('have counters, the measures of their stage, and the model', async () => {
    const steps: number[] = [];
    const stages: StageEnd[] = [];
    let start: RunStart | undefined;
    const callback: Callback = {
      onRunStart: (run) => void (start = run),
      onOptimizerStepEnd: ({ optimizerStep, trainedBatches, skipped }) => {
        expect(skipped).to.equal(false);
        steps.push(optimizerStep, trainedBatches);
      },
      onStageEnd: (stage) => void stages.push(stage),
      onForwardEnd: ({ loss }) => expect(loss).to.be.above(0),
    };
    const { history } = await runIn(inside('counters'), experiment(short), { callbacks: [callback] });
    expect(steps).to.deep.equal([1, 1, 2, 2]);
    expect(start!.model.constructor.name).to.equal('Model');
    expect(Object.keys(start!.optimizers)).to.deep.equal(['optimizer']);
    const [sanity, train, validation, test] = stages;
    expect(sanity!.metrics).to.deep.equal({});
    expect(train!.metrics.train_loss).to.equal(history[0]!.train_loss);
    expect(validation!.metrics.val_loss).to.equal(history[0]!.val_loss);
    expect(test!.metrics).to.have.property('test_loss');
    expect(train).to.include({ epoch: 1, epochs: 1, optimizerStep: 2, batches: 3, interrupted: false });
  });

  it('are waited for, but for the two in the middle of a pass', async () => {
    const order: string[] = [];
    const slow = (name: string) => async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      order.push(name);
    };
    const first: Callback = { onBackwardEnd: slow('backward'), onBatchEnd: slow('batch') };
    const second: Callback = {
      onBackwardEnd: () => void order.push('after'),
      onBatchEnd: () => void order.push('after'),
    };
    const config = experiment({ epochs: 1, limitTrainBatches: 1, limitValBatches: 0, testFraction: 0, earlyStoppingMonitor: 'train_loss' }); // prettier-ignore
    await runIn(inside('waited'), config, { callbacks: [first, second] });
    expect(order).to.deep.equal(['backward', 'after', 'batch', 'after']);
    for (const name of ['onForwardEnd', 'onBackwardStart'] as const) {
      const error = await failureOf(runIn(inside('promised'), experiment(short), { callbacks: [{ [name]: async () => Promise.resolve() }] })); // prettier-ignore
      expect(error).to.have.property('code', 'PLUGIN_INVALID');
      expect(error.message).to.match(
        new RegExp(`callbacks\\[0\\]\\.${name} returned a promise, but must be synchronous: await in an event that is waited for, such as onBatchEnd`), // prettier-ignore
      );
    }
  });

  it('tell of an error, and what fails meanwhile hides it not', async () => {
    const seen: unknown[] = [];
    const thrown = new Error('a wrong sample');
    const callback: Callback = {
      onBatchEnd: () => {
        throw thrown;
      },
      onException: ({ error, epoch, trainedBatches }) => {
        seen.push(error, epoch, trainedBatches);
        throw new Error('and this');
      },
    };
    expect(await failureOf(runIn(inside('exception'), experiment(short), { callbacks: [callback] }))).to.equal(thrown);
    expect(seen).to.deep.equal([thrown, 1, 1]);
  });

  const wrong = new Error('a wrong sample');
  const fail = (): never => {
    throw wrong;
  };
  const stopping = new AbortController();
  const passes: [where: string, callback: Callback, signal?: AbortSignal][] = [
    ['onRunStart', { onRunStart: fail }],
    ['the batches validated for sanity', { onRunStart: ({ model }) => void (model.validationStep = fail) }],
    ['onStageEnd after them', { onStageEnd: fail }],
    ['the state of a callback', { onEpochStart: () => undefined, stateDict: fail }],
    ['onBatchStart', { onBatchStart: fail }],
    ['the test', { onStageStart: ({ stage }) => void (stage === 'test' && fail()) }],
    ['a stop by an error', { onBatchEnd: () => stopping.abort(wrong) }, stopping.signal],
    ['onRunEnd', { onRunEnd: fail }],
  ];
  for (const [where, failing, signal] of passes) {
    it(`tell once, and before the run is closed, of an error in ${where}`, async () => {
      const told: unknown[] = [];
      const runs = inside(where);
      const listening: Callback = {
        onException: ({ error }) => {
          const [directory] = readdirSync(path.join(runs, 'lab'));
          told.push(
            error,
            linesOf(path.join(runs, 'lab', directory!)).some(({ kind }) => kind === 'finish'),
          );
        },
      };
      const error = await failureOf(runIn(runs, experiment(short), { callbacks: [failing, listening], ...(signal && { signal }) })); // prettier-ignore
      expect(error).to.equal(wrong);
      expect(told).to.deep.equal([wrong, false]);
    });
  }
});

/** Counts, and keeps a running mean in a tensor. */
class Counting implements Callback {
  readonly name: string | undefined;
  batches = 0;
  readonly mean: Tensor = tensor([0, 0], { dtype: 'float64' });
  before: number | undefined;

  constructor(name?: string) {
    this.name = name;
  }

  onRunStart(): void {
    this.before = this.batches;
  }

  onBatchEnd({ stage, loss }: { stage: string; loss: number }): void {
    if (stage !== 'train') return;
    ++this.batches;
    this.mean.add_(tensor([loss, 1], { dtype: 'float64' }));
  }

  stateDict() {
    return { batches: this.batches, nested: [{ mean: this.mean }], text: 'as it is', none: null, rate: Infinity };
  }

  loadStateDict({ batches, nested, ...rest }: ReturnType<Counting['stateDict']>): void {
    expect(rest).to.deep.equal({ text: 'as it is', none: null, rate: Infinity });
    this.batches = batches;
    this.mean.copy_(nested[0]!.mean);
  }
}

describe('the state of a callback', () => {
  const folder = temporaryFolder('callback-states');
  const inside = (name: string) => path.join(folder, name);

  it('goes on with the run, to the last bit', async () => {
    const whole = new Counting();
    const { runDirectory } = await runIn(inside('whole'), experiment(), { callbacks: [whole] });
    const stop = abortAt(2, 4);
    const cut = await runIn(inside('cut'), experiment(), { ...stop, callbacks: [new Counting(), ...stop.callbacks!] });
    const resumed = new Counting();
    await runIn(inside('cut'), experiment({ resumeFrom: cut.runDirectory }), { callbacks: [resumed] });
    expect(resumed.before).to.equal(15);
    expect(resumed.batches).to.equal(whole.batches);
    expect(resumed.mean.tolist()).to.deep.equal(whole.mean.tolist());
    expect(bytesOf(cut.runDirectory)).to.equal(bytesOf(runDirectory));
    expect(Object.keys(loadSafetensors(path.join(runDirectory, 'last.safetensors')).tensors)).to.include('callbacks.0');
  });

  it('is given and taken at once: a promise is told what to do in its place', async () => {
    const event = { name: 'late', onEpochEnd: () => undefined };
    const saving: Callback = { ...event, stateDict: () => Promise.resolve({}) };
    const saved = await failureOf(runIn(inside('late'), experiment(short), { callbacks: [saving] }));
    expect(saved.message).to.match(/callbacks\[0\]\.stateDict returned a promise, but must be synchronous: await in an event .*give here what came of it/); // prettier-ignore
    const own: Callback = { ...event, stateDict: () => ({ seen: 1 }) };
    const { runDirectory } = await runIn(inside('late'), experiment(short), { callbacks: [own] });
    const loading = { ...own, loadStateDict: async () => Promise.resolve() };
    const config = experiment({ ...short, epochs: 2, resumeFrom: runDirectory });
    const loaded = await failureOf(runIn(inside('late'), config, { callbacks: [loading] }));
    expect(loaded.message).to.match(/callbacks\[0\]\.loadStateDict returned a promise, but must be synchronous: keep the state .*onRunStart/); // prettier-ignore
  });

  it('that nobody takes is told', async () => {
    const { runDirectory } = await runIn(inside('dropped'), experiment(short), { callbacks: [new Counting('mine')] });
    await runIn(inside('dropped'), experiment({ ...short, epochs: 2, resumeFrom: runDirectory }));
    const log = readFileSync(path.join(runDirectory, 'log.jsonl'), 'utf8');
    expect(log).to.include('has the state of mine, which no callback of this run takes');
  });

  it('has a name of its own, and what a file can hold', async () => {
    const twice = await failureOf(runIn(inside('twice'), experiment(short), { callbacks: [new Counting(), new Counting()] })); // prettier-ignore
    expect(twice.message).to.match(/callbacks\[1\] has the name 'Counting' of another one, and both have a state/);
    const odd: Callback = { name: 'odd', onRunEnd: () => undefined, stateDict: () => ({ at: [new Date(0)] }) };
    const error = await failureOf(runIn(inside('odd'), experiment(short), { callbacks: [odd] }));
    expect(error.message).to.match(/state of a callback has .*1970.* at state\.odd\.at\[0\]/);
  });
});
