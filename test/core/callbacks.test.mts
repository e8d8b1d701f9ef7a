import path from 'node:path';
import { inspect } from 'node:util';

import {
  AiforgeError,
  Container,
  createToken,
  loadExperimentConfig,
  Orchestrator,
  orchestrator,
  orchestratorOptions,
  readSettings,
  registerPlugin,
  settings,
  singleProcess,
  type Callback,
  type ExperimentConfig,
  type LoadContext,
  type OrchestratorOptions,
  type RunResult,
} from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { Dataset, experiment, failureOf, Model, runIn } from './lab.mjs';

const fail = (work: () => unknown): AiforgeError => {
  try {
    work();
  } catch (error) {
    expect(error, String(error)).to.be.instanceOf(AiforgeError);
    return error as AiforgeError;
  }
  throw new Error('nothing was refused');
};

class Listener implements Callback {
  onEpochEnd(): void {
    // Listens.
  }
}

const nothing = (): void => undefined;

describe('what an orchestrator takes', () => {
  const folder = temporaryFolder('callbacks');
  const containerOf = (): Container => {
    const container = new Container();
    container.experimentConfig.override(experiment({ epochs: 1 }));
    return container;
  };
  const make = (options: unknown) => new Orchestrator(containerOf(), options as OrchestratorOptions);
  const listen = (callback: unknown): Promise<RunResult> =>
    runIn(path.join(folder, 'runs'), experiment({ epochs: 1 }), { callbacks: [callback as Callback] });

  describe('refuses, before anything is run, a callback that nobody would call', () => {
    const foreign: [method: string, ours: string][] = [
      ['on_train_epoch_end', 'onEpochEnd'],
      ['on_epoch_end', 'onEpochEnd'],
      ['onTrainEpochEnd', 'onEpochEnd'],
      ['on_validation_epoch_end', 'onEpochEnd'],
      ['setup', 'onRunStart'],
      ['on_fit_start', 'onRunStart'],
      ['on_train_batch_end', 'onBatchEnd'],
      ['onStepEnd', 'onBatchEnd'],
      ['on_before_optimizer_step', 'onOptimizerStepStart'],
      ['on_load_checkpoint', 'loadStateDict'],
      ['state_dict', 'stateDict'],
      ['on_train_end', 'onRunEnd'],
      ['teardown', 'onRunEnd'],
      ['onEpochEnds', 'onEpochEnd'],
      ['epochEnd', 'onEpochEnd'],
    ];
    for (const [method, ours] of foreign) {
      it(`with ${method}, also of a class and beside one that is called`, () => {
        class Foreign extends Listener {}
        Object.defineProperty(Foreign.prototype, method, { value: nothing });
        for (const callback of [{ [method]: nothing }, new Foreign()]) {
          const { code, message } = fail(() => make({ callbacks: [callback] }));
          expect(code).to.equal('INVALID_ARGUMENT');
          expect(message).to.include(`callbacks[0] has '${method}'`).and.to.include(`Did you mean '${ours}'?`);
        }
      });
    }

    for (const [what, callback, message] of [
      [
        'a class',
        Listener,
        /callbacks\[0\] must be an object with any of onRunStart.*got class Listener; .*new Listener/,
      ],
      ['a function', () => 1, /must be an object .*got/],
      ['an object without any', {}, /got \{\}/],
      ['a number', 5, /got 5/],
      ['a list', [], /got \[\]/],
      ['a text', 'log', /got 'log'/],
      ['null', null, /got null/],
      ['a promise', Promise.resolve(new Listener()), /got Promise/],
      ['a map', new Map([['onRunStart', nothing]]), /got Map/],
      ['a text in place of a method', { onEpochEnd: 'print' }, /onEpochEnd must be a function, got 'print'/],
    ] as [string, unknown, RegExp][]) {
      it(what, () => {
        const error = fail(() => make({ callbacks: [callback] }));
        expect(error.code).to.equal('INVALID_ARGUMENT');
        expect(error.message).to.match(message);
      });
    }

    it('but takes helpers under other names, inherited methods and those that are left out', () => {
      class Named extends Listener {
        print(): void {
          // A helper.
        }
      }
      make({ callbacks: [new Named(), { onRunStart: undefined, onRunEnd: nothing, history: [] }] });
    });
  });

  describe('refuses options of a wrong kind', () => {
    for (const options of [5, 'x', [], new Map(), null, Promise.resolve({})]) {
      it(`as a whole: ${inspect(options)}`, () => {
        expect(fail(() => make(options))).to.include({ code: 'INVALID_ARGUMENT' });
      });
    }

    it('out of an asynchronous factory', () => {
      const container = containerOf();
      container.provide(orchestratorOptions, (() => Promise.resolve({})) as never);
      expect(fail(() => container.get(orchestrator)).message).to.match(/expected an options object.*got Promise/);
    });

    for (const [name, values, message] of [
      ['signal', [new AbortController(), 5, null], /signal must be an AbortSignal/],
      ['callbacks', [{}, 'x', null, new Listener()], /callbacks must be an array of callbacks/],
      ['callbacks', [[null]], /callbacks\[0\] must be an object/],
      [
        'ranks',
        [2, {}, null, { ...singleProcess, rank: 1 }, { ...singleProcess, sum: 1 }],
        /ranks must be ranks: an object with rank/,
      ],
      ['from', [5, null], /from must be a string/],
      ['settings', [5, null, []], /settings must be what readSettings\(\) gives.*got (number|object)/],
      ['settings', [{}, { RUNS_DIR: 'x' }], /DATA_DIR.* (are|is) missing/],
      ['settings', [{ ...readSettings({}), RUNS: 'x' }], /got one called 'RUNS'/],
      ['settings', [{ ...readSettings({}), MLFLOW_TRACKING_URI: 'x' }], /MLFLOW_TRACKING_URI is not what it may be/],
    ] as [string, unknown[], RegExp][]) {
      for (const value of values) {
        it(`${name}: ${JSON.stringify(value)}`, () => {
          const error = fail(() => make({ [name]: value }));
          expect(error.code).to.equal('INVALID_ARGUMENT');
          expect(error.message).to.match(message);
        });
      }
    }

    it('such as an environment, without showing what is in it', () => {
      process.env.AIFORGE_TEST_SECRET = 'do-not-show';
      try {
        expect(fail(() => make({ settings: process.env })).message).to.not.include('do-not-show');
      } finally {
        delete process.env.AIFORGE_TEST_SECRET;
      }
    });

    it('and a container that is none', () => {
      expect(fail(() => new Orchestrator({} as Container)).message).to.match(/container must be a Container, got \{\}/);
    });

    it('but takes what they may be', () => {
      make({ settings, ranks: singleProcess, from: '.', signal: new AbortController().signal, callbacks: [] });
      make({ settings: readSettings({ RUNS_DIR: 'x' }), signal: undefined });
    });
  });

  describe('of a container', () => {
    const token = createToken<number>('token');
    const container = (): Container => new Container();
    for (const [what, use, code, message] of [
      [
        'a file’s name as the configuration',
        (c) => c.experimentConfig.override('x.yaml' as never),
        'CONFIG_INVALID',
        /loadExperimentConfig\('x\.yaml'\)/,
      ],
      [
        'an object that is no configuration',
        (c) => c.experimentConfig.override({ foo: 1 } as never),
        'CONFIG_INVALID',
        /foo.*unknown/s,
      ],
      [
        'a number as an MLflow run',
        (c) => c.mlflowRunId.override(5 as never),
        'INVALID_ARGUMENT',
        /5 is not an MLflow run id/,
      ],
      [
        'a name as a token',
        (c) => c.provide('name' as never, () => 1),
        'INVALID_ARGUMENT',
        /token must be a token of createToken\(\), got 'name'/,
      ],
      [
        'a token without a factory',
        (c) => c.provide(token, undefined as never),
        'INVALID_ARGUMENT',
        /factory must be given/,
      ],
      [
        'a value in place of a factory',
        (c) => c.provide(token, 5 as never),
        'INVALID_ARGUMENT',
        /factory must be a function, got 5/,
      ],
      ['a name to get', (c) => c.get('name' as never), 'INVALID_ARGUMENT', /token must be a token/],
      [
        'an argument',
        () => new (Container as unknown as new (x: number) => Container)(5),
        'INVALID_ARGUMENT',
        /takes no arguments, got 5/,
      ],
      ['a token without a name', () => createToken(undefined as never), 'INVALID_ARGUMENT', /name must be given/],
      [
        'registering a value',
        () => Container.register(token, 5 as never),
        'INVALID_ARGUMENT',
        /factory must be a function/,
      ],
    ] as [string, (c: Container) => unknown, string, RegExp][]) {
      it(`refuses ${what}`, () => {
        const error = fail(() => use(container()));
        expect(error.code).to.equal(code);
        expect(error.message).to.match(message);
      });
    }
  });

  describe('of what a callback returns', () => {
    it('minds nothing, whatever an arrow function happens to give', async () => {
      const seen: number[] = [];
      await listen({
        onBatchEnd: ({ batch }: { batch: number }) => seen.push(batch),
        onEpochEnd: () => Promise.resolve(false),
        onRunEnd: () => -1,
      });
      expect(seen).not.to.have.length(0);
    });
  });

  describe('gives callbacks what cannot change the run', () => {
    const writes: [string, Callback][] = [
      ['the configuration', { onRunStart: ({ config }) => void (config.training.epochs = 7) }],
      ['the numbers of samples', { onRunStart: ({ samples }) => void (samples.train = 1) }],
      ['a step', { onBatchEnd: (step) => void (step.loss = 0) }],
      ['metrics', { onEpochEnd: ({ metrics }) => void (metrics.val_loss = 0) }],
      ['the history', { onRunEnd: ({ history }) => void history.pop() }],
      ['the test', { onRunEnd: ({ test }) => void (test!.metrics.accuracy = 1) }],
    ];
    for (const [what, callback] of writes) {
      it(`so that writing into ${what} is an error`, async () => {
        expect(await failureOf(listen(callback))).to.be.instanceOf(TypeError);
      });
    }

    it('and gives models and data sets copies of their own, which they may change', async () => {
      class Writing extends Model {
        constructor(config: { dropout: number; classes: number }) {
          super(config);
          config.dropout = 0;
        }
      }
      class Written extends Dataset {
        override loadData(_dataPath?: string, context?: LoadContext): void {
          context!.args.size = 2;
        }
      }
      registerPlugin({ name: 'writing', Model: Writing, Dataset: Written });
      for (const plugin of ['modelPlugin', 'datasetPlugin']) {
        const model = { dropout: 0.3, classes: 2 };
        const given = experiment({ epochs: 1 }, { [plugin]: 'writing', model, datasetArgs: { size: 1 } });
        const { runDirectory } = await runIn(path.join(folder, 'runs'), given);
        const recorded = loadExperimentConfig(path.join(runDirectory, 'config.yaml'));
        expect({ ...recorded.model, ...recorded.datasetArgs }, plugin).to.include({ dropout: 0.3, size: 1 });
      }
    });

    it('nor can whoever made the configuration change it while the run goes on', async () => {
      const given = experiment({ epochs: 1 });
      const result = await runIn(path.join(folder, 'runs'), given, {
        callbacks: [{ onRunStart: () => void (given.training.epochs = 7) }],
      });
      expect(result.epochs).to.equal(1);
      expect(loadExperimentConfig(path.join(result.runDirectory, 'config.yaml')).training.epochs).to.equal(1);
    });
  });

  it('fills in the defaults of a configuration that has only what must be given', async () => {
    const container = new Container();
    const given = { experimentName: 'lab', modelPlugin: 'lab', datasetPlugin: 'lab', dataPath: 'none' };
    container.experimentConfig.override({ ...given, training: { epochs: 1 } } as ExperimentConfig);
    const made = new Orchestrator(container, { settings: readSettings({ RUNS_DIR: path.join(folder, 'runs') }) });
    expect((await made.runExperiment()).epochs).to.equal(1);
  });
});
