import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { expect } from 'chai';

import { refusalOf } from '../support/refusal.mjs';
import { parse } from 'yaml';
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

  describe('paths', () => {
    const names = ['modelPlugin', 'datasetPlugin', 'dataPath'] as const;
    const text = (at: string) =>
      [...names.map((name) => `${name}: ${at}`), 'experimentName: x', `training: { resumeFrom: ${at} }`].join('\n');

    for (const at of ['./here', '../above', '.', '..', '/root']) {
      it(`are relative to the file: ${at}`, () => {
        const expected = resolve(folder, at);
        for (const file of [
          write('paths.yaml', text(at)),
          write(`paths${encodeURIComponent(at)}.mts`, `export const config = ${JSON.stringify(parse(text(at)))};`),
        ]) {
          const config = loadExperimentConfig(relative(process.cwd(), file));
          for (const name of names) expect(config[name], name).to.equal(expected);
          expect(config.training.resumeFrom).to.equal(expected);
        }
      });

      it(`of overrides are relative to the working directory: ${at}`, () => {
        const overrides = names.map((name) => `${name}=${at}`);
        const config = loadExperimentConfig(write('paths.yaml', text('./x')), [
          ...overrides,
          `training={"resumeFrom": "${at}"}`,
        ]);
        for (const name of names) expect(config[name], name).to.equal(resolve(at));
        expect(config.training.resumeFrom).to.equal(resolve(at));
      });
    }

    it('are not names: those of plugins, of data and of packages stay', () => {
      const config = loadExperimentConfig(write('names.yaml', text('name')));
      for (const name of names) expect(config[name]).to.equal('name');
      expect(config.training.resumeFrom, 'a checkpoint has no name').to.equal(join(folder, 'name'));
      const npm = loadExperimentConfig(write('names.yaml', text('name')), ['dataPath=npm:@scope/data']);
      expect(npm.dataPath).to.equal('npm:@scope/data');
    });
  });

  describe('errors', () => {
    it('suggests the file of a similar name', () => {
      write('spam.yaml', yaml);
      const error = refusalOf(() => loadExperimentConfig(join(folder, 'spma.yaml')));
      expect(error.code).to.equal('FILE_NOT_FOUND');
      expect(error.message).to.include("spma.yaml'").and.to.include("Did you mean 'spam.yaml'?");
    });

    it('refuses a folder and a file of another kind', () => {
      mkdirSync(join(folder, 'd.yaml'));
      expect(refusalOf(() => loadExperimentConfig(join(folder, 'd.yaml'))).code).to.equal('CONFIG_INVALID');
      expect(refusalOf(() => loadExperimentConfig(write('a.toml', ''))).message).to.include('.yaml');
    });

    it('says line and column of broken YAML', () => {
      const error = refusalOf(() => loadExperimentConfig(write('broken.yaml', 'experimentName: x\nmodel: {a: [1}\n')));
      expect(error.code).to.equal('CONFIG_INVALID');
      expect(error.message).to.match(/broken\.yaml:2:\d+: not valid YAML: .+\. Correct it there/);
    });

    it('refuses an alias without an anchor and a key given twice', () => {
      expect(refusalOf(() => loadExperimentConfig(write('alias.yaml', 'model: *gone\n'))).message).to.match(
        /alias\.yaml:\d+:\d+:/,
      );
      expect(refusalOf(() => loadExperimentConfig(write('twice.yaml', 'model: {}\nmodel: {}\n'))).message).to.include(
        ':2:1:',
      );
    });

    it('lists every problem with file, line and column, the value, what was expected and the nearest key', () => {
      const file = write(
        'wrong.yaml',
        yaml.replace('epochs: 3', 'epochs: three').replace('learningRate', 'learning_rat') +
          '  earlyStoppingMode: mim\n',
      );
      const { code, message } = refusalOf(() => loadExperimentConfig(file));
      expect(code).to.equal('CONFIG_INVALID');
      expect(message).to.include('wrong.yaml has 3 problems:');
      expect(message).to.include(
        `training.epochs (${file}:9:11): got 'three', expected a whole number (Passes over the training data; default 10)`,
      );
      expect(message).to.include(`training.learning_rat (${file}:10:3): unknown option, did you mean 'learningRate'?`);
      expect(message).to.include(
        `training.earlyStoppingMode (${file}:11:22): got 'mim', expected one of min, max, did you mean 'min'?`,
      );
    });

    it('says what is missing from an empty file', () => {
      const { message } = refusalOf(() => loadExperimentConfig(write('empty.yaml', '')));
      expect(message)
        .to.include('has 4 problems')
        .and.to.include('dataPath: missing, expected a string (Where the data');
    });

    it('refuses a file that is a list, a module without a configuration and one that throws', () => {
      expect(refusalOf(() => loadExperimentConfig(write('list.yaml', '- 1\n'))).message).to.include(
        'expected a mapping',
      );
      expect(refusalOf(() => loadExperimentConfig(write('none.ts', 'export const x = 1;'))).message).to.include(
        'export const config',
      );
      const error = refusalOf(() => loadExperimentConfig(write('throws.ts', `throw new Error('from inside');`)));
      expect(error.message).to.include('from inside');
      expect(error.cause).to.be.instanceOf(Error);
    });

    for (const [what, value] of [
      ['a date', 'new Date(0)'],
      ['a function', '() => 1'],
      ['a bigint', '2n'],
      ['a map', 'new Map()'],
      ['an object of a class', 'new (class Size { a = 1; })()'],
      ['one that holds itself', '(() => { const a = {}; a.b = a; return a; })()'],
    ] as const) {
      it(`refuses ${what} in a TypeScript file, which config.yaml could not record`, () => {
        const file = write(
          'odd.mts',
          `export const config = { experimentName: 'x', modelPlugin: 'm', datasetPlugin: 'd', dataPath: 'p', model: { at: [${value}] } };`,
        );
        const error = refusalOf(() => loadExperimentConfig(file));
        expect(error.code).to.equal('CONFIG_INVALID');
        expect(error.message).to.include("odd.mts: 'model.at.0");
      });
    }

    for (const name of ['../elsewhere', 'a/../../b', '..', '~/data']) {
      const isPath = name.startsWith('..');
      it(`${isPath ? 'takes the path' : 'refuses the data path'} ${name}, ${isPath ? 'which says that it is one' : 'which leaves DATA_DIR'}`, () => {
        const file = write('inside.yaml', yaml.replace('./data/spam', name));
        if (isPath) return void expect(loadExperimentConfig(file).dataPath).to.equal(join(folder, name));
        const { code, message } = refusalOf(() => loadExperimentConfig(file));
        expect(code).to.equal('CONFIG_INVALID');
        expect(message).to.include(`dataPath (${file}:4:11): got '${name}', expected a name inside DATA_DIR`);
      });
    }

    it('refuses keys that would reach a prototype', () => {
      for (const key of ['__proto__', 'constructor', 'prototype']) {
        const file = write('proto.yaml', `${yaml}datasetArgs: { deep: [{ ${key}: { polluted: true } }] }\n`);
        expect(refusalOf(() => loadExperimentConfig(file)).message).to.include(
          `'datasetArgs.deep.0.${key}' is not allowed`,
        );
      }
      expect(({} as Record<string, unknown>).polluted).to.equal(undefined);
    });
  });
});
