import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { AiforgeError } from '#lib/errors.js';
import { dumpConfig, loadExperimentConfig } from '#lib/config/load.js';

const yaml = `experimentName: spam
modelPlugin: transformer_text_plugin
datasetPlugin: spam_dataset
dataPath: ./data/spam
model:
  vocabSize: 5000
  hiddenDims: [64, 64]
training:
  epochs: 3
  learningRate: 1e-4
`;

describe('loadExperimentConfig', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'aiforge-config-'))));
  after(() => rmSync(folder, { recursive: true }));

  const write = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const failure = (work: () => unknown): AiforgeError => {
    try {
      work();
    } catch (error) {
      expect(error).to.be.instanceOf(AiforgeError);
      return error as AiforgeError;
    }
    throw new Error('nothing was thrown');
  };

  describe('files', () => {
    it('reads YAML and fills in the defaults', () => {
      const config = loadExperimentConfig(write('a.yaml', yaml));
      expect(config).to.deep.include({ experimentName: 'spam', preprocessArgs: {}, datasetArgs: {} });
      expect(config.model).to.deep.equal({ vocabSize: 5000, hiddenDims: [64, 64] });
      expect(config.training).to.include({ epochs: 3, learningRate: 1e-4, batchSize: 32 });
    });

    it('reads JSON', () => {
      const config = { experimentName: 'j', modelPlugin: 'm', datasetPlugin: 'd', dataPath: 'p' };
      expect(loadExperimentConfig(write('a.json', JSON.stringify(config)))).to.include(config);
    });

    it('runs a TypeScript file, whose configuration stays as it was', () => {
      const file = write(
        'a.ts',
        `import { join } from 'node:path';
        enum Size { Small = 8 }
        export const config = {
          experimentName: 'ts', modelPlugin: 'm', datasetPlugin: 'd', dataPath: join('data', 'x'),
          model: { width: Size.Small }, training: { epochs: 1 },
        } satisfies object;`,
      );
      expect(loadExperimentConfig(file, ['training.epochs=4', 'model.width=16'])).to.deep.include({
        dataPath: 'data/x',
        model: { width: 16 },
      });
      const again = loadExperimentConfig(file);
      expect(again.training.epochs).to.equal(1);
      expect(again.model).to.deep.equal({ width: 8 });
    });

    it('runs a JavaScript file with a default export, and a CommonJS one', () => {
      const file = write(
        'a.mjs',
        `export default { experimentName: 'js', modelPlugin: 'm', datasetPlugin: 'd', dataPath: 'p' };`,
      );
      expect(loadExperimentConfig(file).experimentName).to.equal('js');
      const common = write(
        'a.cjs',
        `module.exports = { experimentName: 'cjs', modelPlugin: 'm', datasetPlugin: 'd', dataPath: 'p' };`,
      );
      expect(loadExperimentConfig(common).experimentName).to.equal('cjs');
    });

    it('gives back with dumpConfig what it read', () => {
      const config = loadExperimentConfig(write('a.yaml', yaml), ['training.optimizerArgs={weightDecay: 0.01}']);
      expect(loadExperimentConfig(write('b.yaml', dumpConfig(config)))).to.deep.equal(config);
    });
  });

  describe('errors', () => {
    it('suggests the file of a similar name', () => {
      write('spam.yaml', yaml);
      const error = failure(() => loadExperimentConfig(join(folder, 'spma.yaml')));
      expect(error.code).to.equal('FILE_NOT_FOUND');
      expect(error.message).to.include("spma.yaml'").and.to.include("Did you mean 'spam.yaml'?");
    });

    it('refuses a folder and a file of another kind', () => {
      mkdirSync(join(folder, 'd.yaml'));
      expect(failure(() => loadExperimentConfig(join(folder, 'd.yaml'))).code).to.equal('CONFIG_INVALID');
      expect(failure(() => loadExperimentConfig(write('a.toml', ''))).message).to.include('.yaml');
    });

    it('says line and column of broken YAML', () => {
      const error = failure(() => loadExperimentConfig(write('broken.yaml', 'experimentName: x\nmodel: {a: [1}\n')));
      expect(error.code).to.equal('CONFIG_INVALID');
      expect(error.message).to.match(/broken\.yaml:2:\d+: not valid YAML: .+\. Correct it there/);
    });

    it('refuses an alias without an anchor and a key given twice', () => {
      expect(failure(() => loadExperimentConfig(write('alias.yaml', 'model: *gone\n'))).message).to.match(
        /alias\.yaml:\d+:\d+:/,
      );
      expect(failure(() => loadExperimentConfig(write('twice.yaml', 'model: {}\nmodel: {}\n'))).message).to.include(
        ':2:1:',
      );
    });

    it('lists every problem with its line, the value, what was expected and the nearest key', () => {
      const file = write(
        'wrong.yaml',
        yaml.replace('epochs: 3', 'epochs: three').replace('learningRate', 'learning_rat') +
          '  earlyStoppingMode: mim\n',
      );
      const { code, message } = failure(() => loadExperimentConfig(file));
      expect(code).to.equal('CONFIG_INVALID');
      expect(message).to.include('wrong.yaml has 3 problems:');
      expect(message).to.include(
        "training.epochs (line 9): got 'three', expected a number (Passes over the training data; default 10)",
      );
      expect(message).to.include("training.learning_rat (line 10): unknown option, did you mean 'learningRate'?");
      expect(message).to.include(
        "training.earlyStoppingMode (line 11): got 'mim', expected one of min, max, did you mean 'min'?",
      );
    });

    it('says what is missing from an empty file', () => {
      const { message } = failure(() => loadExperimentConfig(write('empty.yaml', '')));
      expect(message)
        .to.include('has 4 problems')
        .and.to.include('dataPath: missing, expected a string (Where the data');
    });

    it('refuses a file that is a list, a module without a configuration and one that throws', () => {
      expect(failure(() => loadExperimentConfig(write('list.yaml', '- 1\n'))).message).to.include('expected a mapping');
      expect(failure(() => loadExperimentConfig(write('none.ts', 'export const x = 1;'))).message).to.include(
        'export const config',
      );
      const error = failure(() => loadExperimentConfig(write('throws.ts', `throw new Error('from inside');`)));
      expect(error.message).to.include('from inside');
      expect(error.cause).to.be.instanceOf(Error);
    });

    it('refuses keys that would reach a prototype', () => {
      for (const key of ['__proto__', 'constructor', 'prototype']) {
        const file = write('proto.yaml', `${yaml}datasetArgs: { deep: [{ ${key}: { polluted: true } }] }\n`);
        expect(failure(() => loadExperimentConfig(file)).message).to.include(
          `'datasetArgs.deep.0.${key}' is not allowed`,
        );
      }
      expect(({} as Record<string, unknown>).polluted).to.equal(undefined);
    });
  });

  describe('overrides', () => {
    const load = (...overrides: string[]) => loadExperimentConfig(write('o.yaml', yaml), overrides);

    it('reads values as YAML', () => {
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
        checkpoint: { everySteps: 50, keepLast: true },
      });
      expect(config.model).to.deep.equal({ vocabSize: 5000, hiddenDims: [8, 8] });
      expect(config.datasetArgs).to.deep.equal({ limit: 10, names: ['a', 'b'] });
      expect(config.preprocessArgs).to.deep.equal({ deep: { er: { text: 'yes' } } });
      expect(config.experimentName).to.equal('a=b');
    });

    it('takes the last of several for one path', () => {
      expect(load('training.epochs=2', 'training.epochs=7').training.epochs).to.equal(7);
    });

    it('names the override in a problem with its value', () => {
      const { message } = failure(() => load('training.epochs=1.5'));
      expect(message).to.include("training.epochs (override 'training.epochs=1.5'): got 1.5, expected a whole number");
    });

    for (const [override, reason] of [
      ['training.epoch=2', "'training.epoch' is an unknown option, did you mean 'epochs'?"],
      ['trainig.epochs=2', "'trainig' is an unknown option, did you mean 'training'?"],
      ['training.checkpoint.every=2', "did you mean 'everySteps'?"],
      ['training.epochs.first=2', "'training.epochs' is a single value"],
      ['model.hiddenDims.first=2', "'model.hiddenDims' holds [64,64], not a mapping"],
      ['training.epochs', 'expected key=value'],
      ['=2', 'expected key=value'],
      ['training..epochs=2', 'empty part'],
      ['model.x=[1', 'not valid YAML'],
      ['model.__proto__.polluted=true', "'__proto__' is not allowed"],
      ['model.constructor=1', "'constructor' is not allowed"],
      ['model={__proto__: {polluted: true}}', "'__proto__' is not allowed"],
    ] as const) {
      it(`refuses ${override}`, () => {
        const error = failure(() => load(override));
        expect(error.code).to.equal('CONFIG_INVALID');
        expect(error.message).to.include(`Override '${override}'`).and.to.include(reason);
        expect(({} as Record<string, unknown>).polluted).to.equal(undefined);
      });
    }
  });
});
