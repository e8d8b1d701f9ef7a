import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AiforgeError, type ExperimentConfig, loadExperimentConfig } from 'aiforge';
import { expect } from 'chai';
import fc from 'fast-check';

import { parseOverride } from '#lib/config/overrides.js';

const yaml = `experimentName: spam
modelPlugin: m
datasetPlugin: d
dataPath: p
model:
  vocabSize: 5000
  hiddenDims: [64, 64]
training:
  epochs: 3
`;

describe('overrides', () => {
  let file: string;
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'aiforge-overrides-'));
    file = join(folder, 'o.yaml');
    writeFileSync(file, yaml);
  });
  after(() => rmSync(folder, { recursive: true }));

  const load = (...overrides: string[]): ExperimentConfig => loadExperimentConfig(file, overrides);
  const failure = (...overrides: string[]): AiforgeError => {
    try {
      load(...overrides);
    } catch (error) {
      expect(error).to.be.instanceOf(AiforgeError);
      return error as AiforgeError;
    }
    throw new Error('nothing was thrown');
  };

  it('set values of every kind', () => {
    const config = load(
      'training.epochs=2',
      'training.learningRate=5e-4',
      'training.gradClipNorm=null',
      'training.optimizerArgs.weightDecay=0.01',
      'training.checkpoint.everySteps=50',
      'model.hiddenDims=[8,8]',
      'datasetArgs={limit: 10, names: [a, b]}',
      'preprocessArgs.deep.er.text=yes',
      'experimentName=a=b',
    );
    expect(config.training).to.deep.include({
      epochs: 2,
      learningRate: 5e-4,
      gradClipNorm: null,
      optimizerArgs: { weightDecay: 0.01 },
    });
    expect(config.training.checkpoint).to.include({ everySteps: 50, keepLast: true });
    expect(config.model).to.deep.equal({ vocabSize: 5000, hiddenDims: [8, 8] });
    expect(config.datasetArgs).to.deep.equal({ limit: 10, names: ['a', 'b'] });
    expect(config.preprocessArgs).to.deep.equal({ deep: { er: { text: 'yes' } } });
    expect(config.experimentName).to.equal('a=b');
  });

  it('take the last of several for one path', () => {
    expect(load('training.epochs=2', 'training.epochs=7').training.epochs).to.equal(7);
  });

  describe('of a text are what follows =, as it stands', () => {
    for (const text of [
      'run #1',
      '|',
      '#',
      '-',
      '1e3',
      'true',
      'null',
      '*x',
      '007',
      '"quoted"',
      '[list]',
      ' spaced ',
      'a: b',
    ]) {
      it(JSON.stringify(text), () => expect(load(`experimentName=${text}`).experimentName).to.equal(text));
    }

    it('also where one may be left out, but for null', () => {
      expect(parseOverride('training.resumeFrom=null').value).to.equal(null);
      expect(parseOverride('training.scheduler.monitor=null').value).to.equal(null);
      expect(parseOverride('training.resumeFrom=1').value).to.equal('1');
    });

    it('also where it is one of several', () => {
      expect(parseOverride('training.earlyStoppingMode=#').value).to.equal('#');
      expect(parseOverride('training.scheduler.name=1').value).to.equal('1');
    });

    it('whatever it is', () => {
      fc.assert(fc.property(fc.string(), (text) => parseOverride(`experimentName=${text}`).value === text));
    });
  });

  describe('of a setting that the plugin knows are what they clearly are, and else a text', () => {
    for (const [text, value] of [
      ['#', '#'],
      ['|', '|'],
      ['-', '-'],
      ['>', '>'],
      ['run #1', 'run #1'],
      ['*x', '*x'],
      ['&x', '&x'],
      ['!x', '!x'],
      ['@x', '@x'],
      ['%x', '%x'],
      ['? a', '? a'],
      ['a: b', 'a: b'],
      ['', ''],
      [' x ', ' x '],
      ['yes', 'yes'],
      ['~', '~'],
      ['007', '007'],
      ['0x1F', '0x1F'],
      ['1_000', '1_000'],
      ['2024-01-01', '2024-01-01'],
      ['"a" and "b"', '"a" and "b"'],
      ['12', 12],
      [' 12 ', 12],
      ['-0.5', -0.5],
      ['.5', 0.5],
      ['5.', 5],
      ['1e-3', 1e-3],
      ['.inf', Infinity],
      ['true', true],
      ['False', false],
      ['null', null],
      ['"12"', '12'],
      ['"a\\tb"', 'a\tb'],
      ["'it''s'", "it's"],
      ['[1, a, "#"]', [1, 'a', '#']],
      ['{a: 1, <<: {b: 2}}', { a: 1, b: 2 }],
      ['9007199254740992', 9007199254740992],
    ] as [string, unknown][]) {
      it(JSON.stringify(text), () => expect(load(`datasetArgs.x=${text}`).datasetArgs.x).to.deep.equal(value));
    }
  });

  it('are named in a problem with their value', () => {
    const { message } = failure('training.epochs=1.5');
    expect(message).to.include("training.epochs (override 'training.epochs=1.5'): got 1.5, expected a whole number");
    expect(failure('training.epochs=many').message).to.include("got 'many', expected a whole number");
    expect(failure('training.epochs=').message).to.include("got '', expected a whole number");
    expect(failure('experimentName=').message).to.include("got '', expected at least 1 character");
    expect(failure('training.useDistributed=yes').message).to.include("got 'yes', expected true or false");
    expect(failure('dataPath=a/../../b').message).to.include("got 'a/../../b', expected a name inside DATA_DIR");
  });

  it('of which only one form is a mapping are told by that, and a name where a mapping has it by it', () => {
    const { message } = failure('training.freeze=[{match: "l1.*", epoch: 1}]');
    expect(message).to.include("training.freeze.0.epoch (override 'training.freeze=[{match: \"l1.*\", epoch: 1}]'): unknown option, did you mean 'epochs'?"); // prettier-ignore
    expect(failure('training.scheduler=StepLR').message).to.include('such as { name: StepLR }');
  });

  for (const [override, reason] of [
    ['training.epoch=2', "'training.epoch' is an unknown option, did you mean 'epochs'?"],
    ['training.limitPredictBatches=2', 'unknown option, predictions are of all items: give aiforge predict an --input with fewer'], // prettier-ignore
    ['training.gradient_clip_val=1', "did you mean 'gradClipNorm'?"],
    ['training.accumulate_grad_batches=2', "did you mean 'accumulationSteps'?"],
    ['training.lr=1', "did you mean 'learningRate'?"],
    ['epochs=1', "'epochs' is no setting, did you mean 'training.epochs'?"],
    ['trainer.max_epochs=3', "'trainer.max_epochs' is no setting, did you mean 'training.epochs'?"],
    ['optimizer.lr=1', "did you mean 'training.learningRate'?"],
    ['every_steps=1', "did you mean 'training.checkpoint.everySteps'?"],
    ['+training.epochs=3', "written without '+': training.epochs=3"],
    ['~training.epochs', 'not removed by an override'],
    ['trainig.epochs=2', "'trainig' is an unknown option, did you mean 'training'?"],
    ['training.checkpoint.every=2', "did you mean 'everySteps'?"],
    ['training.epochs.first=2', "'training.epochs' is a single value"],
    ['training.scheduler.schedulers.0.gamma=1', "no list is given as 'training.scheduler.schedulers'"],
    ['model.hiddenDims.first=2', "'model.hiddenDims' holds [64,64], not a mapping"],
    ['training.epochs', 'expected key=value'],
    ['=2', 'expected key=value'],
    ['training..epochs=2', 'empty part'],
    ['model.x=[1', `not valid YAML: Flow sequence must end with a ]; a text that begins so stands in quotes: '"[1"'`],
    ['model.x=[*gone]', 'the alias *gone has no anchor'],
    ['model.x={a: 1, a: 2}', 'Map keys must be unique'],
    ['datasetArgs.x=1234567890123456789', 'too large to be kept exactly'],
    ['training.seed=1234567890123456789', 'too large to be kept exactly'],
    ['model.x=[9007199254740993]', 'too large to be kept exactly'],
    ['datasetArgs.x=1e400', 'larger than any number'],
    ['model.__proto__.polluted=true', "'__proto__' is not allowed"],
    ['model.constructor=1', "'constructor' is not allowed"],
    ['model={__proto__: {polluted: true}}', "'__proto__' is not allowed"],
  ] as const) {
    it(`refuses ${override}`, () => {
      const error = failure(override);
      expect(error.code).to.equal('CONFIG_INVALID');
      expect(error.message).to.include(`Override '${override}'`).and.to.include(reason);
      expect(({} as Record<string, unknown>).polluted).to.equal(undefined);
    });
  }
});
