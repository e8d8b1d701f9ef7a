import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

import { writeFiles } from '../support/project.mjs';
import { refusalOf } from '../support/refusal.mjs';
import { AiforgeError } from 'aiforge';
import { definePlugin } from '#lib/core/plugins/plugin.js';
import { loadPlugin, registerPlugin } from '#lib/core/plugins/plugins.js';

const modelSource = `
import { AiforgeError } from 'aiforge';
import { width } from './layers';
export class Model {
  static AiforgeError = AiforgeError;
  width = width;
  forward() {}
  trainingStep() {}
  validationStep() {}
}`;
const layersSource = `enum Size { Small = 8 }\nexport const width = Size.Small satisfies number;`;
const datasetSource = `export class Dataset { get length() { return 0; } get() {} loadData() {} }`;

class Model {
  forward(): void {}
  trainingStep(): void {}
  validationStep(): void {}
}

describe('loadPlugin', () => {
  let folder: string;
  beforeEach(() => (folder = realpathSync(mkdtempSync(join(tmpdir(), 'aiforge-plugins-')))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (files: Record<string, string>): string => writeFiles(folder, files);

  describe('finds', () => {
    it('a TypeScript folder without node_modules, whose aiforge is the running one', () => {
      const from = write({
        'mine/model.ts': modelSource,
        'mine/layers.ts': layersSource,
        'mine/dataset.ts': datasetSource,
      });
      const plugin = loadPlugin('./mine', { from, kind: 'model' });
      expect(plugin).to.include({ name: 'mine', directory: join(folder, 'mine') });
      expect(plugin.Model).to.have.property('AiforgeError', AiforgeError);
      expect(new plugin.Model!()).to.have.property('width', 8);
      expect(plugin.Dataset).to.be.a('function');
      expect(plugin.Preprocessor).to.equal(undefined);
    });

    it('a path above the configuration file, and an absolute one', () => {
      write({ 'mine/dataset.ts': datasetSource, 'configs/a.yaml': '' });
      const from = join(folder, 'configs');
      expect(loadPlugin('../mine', { from, kind: 'dataset' }).directory).to.equal(join(folder, 'mine'));
      expect(loadPlugin(join(folder, 'mine'), { from }).directory).to.equal(join(folder, 'mine'));
    });

    it("a name in the project's plugins folder, from below it", () => {
      write({ 'package.json': '{}', 'plugins/mine/dataset.ts': datasetSource, 'experiments/deep/a.yaml': '' });
      const plugin = loadPlugin('mine', { from: join(folder, 'experiments', 'deep') });
      expect(plugin.directory).to.equal(join(folder, 'plugins', 'mine'));
    });

    it('the plugins folder beside the configuration file where there is no package.json', () => {
      expect(loadPlugin('mine', { from: write({ 'plugins/mine/dataset.ts': datasetSource }) }).name).to.equal('mine');
    });

    it('packages: CommonJS, ESM with exports, with a scope, and TypeScript without an entry point', () => {
      const from = write({
        'node_modules/aiforge-plugin-common/package.json': '{}',
        'node_modules/aiforge-plugin-common/index.js': `const { definePlugin } = require('aiforge');
          const { Model } = require('./inner.js');
          exports.plugin = definePlugin({ name: 'common', version: '1.2.3', Model });`,
        'node_modules/aiforge-plugin-common/inner.js': `const { AiforgeError } = require('aiforge');
          exports.Model = class { static AiforgeError = AiforgeError; forward() {} trainingStep() {} validationStep() {} };`,
        'node_modules/aiforge-plugin-modern/package.json':
          '{ "type": "module", "exports": { "import": "./dist/index.js" } }',
        'node_modules/aiforge-plugin-modern/dist/index.js': '',
        'node_modules/aiforge-plugin-modern/dist/model.js': modelSource.replace('./layers', './layers.js'),
        'node_modules/aiforge-plugin-modern/dist/layers.js': 'export const width = 3;',
        'node_modules/@lab/aiforge-plugin-data/package.json': '{}',
        'node_modules/@lab/aiforge-plugin-data/dataset.ts': datasetSource,
      });
      const common = loadPlugin('common', { from });
      expect(common.metadata).to.deep.equal({ name: 'common', version: '1.2.3' });
      expect(common.Model).to.have.property('AiforgeError', AiforgeError);
      const modern = loadPlugin('modern', { from });
      expect(modern.Model).to.have.property('AiforgeError', AiforgeError);
      expect(modern.name).to.equal('modern');
      expect(loadPlugin('aiforge-plugin-modern', { from }).Model).to.equal(modern.Model);
      expect(loadPlugin('@lab/data', { from, kind: 'dataset' }).name).to.equal('@lab/data');
    });

    it('the running aiforge for a plugin in a project that has another copy of it', () => {
      const from = write({
        'node_modules/aiforge/package.json': '{ "name": "aiforge", "version": "9.9.9", "main": "main.js" }',
        'node_modules/aiforge/main.js': `exports.AiforgeError = 'another copy';`,
        'typed/model.ts': modelSource,
        'typed/layers.ts': layersSource,
        'plain/model.js': `module.exports = require('./inner.js');`,
        'plain/inner.js': `const { AiforgeError } = require('aiforge');
          exports.Model = class { static AiforgeError = AiforgeError; forward() {} trainingStep() {} validationStep() {} };`,
      });
      for (const name of ['./typed', './plain']) {
        expect(loadPlugin(name, { from }).Model).to.have.property('AiforgeError', AiforgeError);
      }
    });

    it('the same classes when it is asked again', () => {
      const from = write({ 'mine/model.ts': modelSource, 'mine/layers.ts': layersSource });
      expect(loadPlugin('./mine', { from }).Model).to.equal(loadPlugin('./mine', { from }).Model);
    });

    it('a linked folder', () => {
      write({ 'elsewhere/dataset.ts': datasetSource, 'project/plugins/.keep': '' });
      symlinkSync(join(folder, 'elsewhere'), join(folder, 'project/plugins/linked'));
      expect(loadPlugin('linked', { from: join(folder, 'project') }).name).to.equal('linked');
    });

    it('an object, registered by name before any folder or given itself', () => {
      const from = write({ 'plugins/registered_one/dataset.ts': datasetSource });
      const plugin = definePlugin({ name: 'registered_one', description: 'In memory', Model });
      registerPlugin(plugin);
      expect(loadPlugin('registered_one', { from })).to.deep.include({ Model, directory: undefined });
      expect(loadPlugin(plugin).metadata).to.deep.equal({ name: 'registered_one', description: 'In memory' });
    });

    it("a configuration schema, named Config or the file's only one", () => {
      const schema = `import { z } from 'zod';\nimport { ModelConfig } from 'aiforge';\n`;
      const from = write({
        'a/dataset.ts': datasetSource,
        'a/config.ts': `${schema}export const Config = ModelConfig.extend({ width: z.int().default(4) });\nexport const Other = z.object({});`,
        'b/dataset.ts': datasetSource,
        'b/config.ts': `${schema}export const WideConfig = ModelConfig.extend({ width: z.int().default(5) });`,
      });
      expect(loadPlugin('./a', { from }).Config!.parse({})).to.deep.equal({ width: 4 });
      expect(loadPlugin('./b', { from }).Config!.parse({})).to.deep.equal({ width: 5 });
    });
  });

  describe('does not find', () => {
    it('an unknown name: every place searched and the nearest one', () => {
      const from = write({ 'package.json': '{}', 'plugins/transformer_text/dataset.ts': datasetSource });
      const { code, message } = refusalOf(() => loadPlugin('tranformer_text', { from }));
      expect(code).to.equal('PLUGIN_NOT_FOUND');
      expect(message).to.include("Did you mean 'transformer_text'?");
      expect(message).to.include(`the folder ${join(folder, 'plugins', 'tranformer_text')}`);
      expect(message).to.include(`the folder ${join(process.cwd(), 'plugins', 'tranformer_text')}`);
      expect(message).to.include(`the package aiforge-plugin-tranformer_text, from ${folder}`);
    });

    it('a path that is no folder', () => {
      const from = write({ 'mine/dataset.ts': datasetSource });
      const { code, message } = refusalOf(() => loadPlugin('./mime', { from }));
      expect(code).to.equal('PLUGIN_NOT_FOUND');
      expect(message).to.include("Did you mean 'mine'?");
      expect(refusalOf(() => loadPlugin('./mine/dataset.ts', { from })).message).to.include('is not a folder');
    });

    for (const [given, hint] of [
      ['plugins/mine', /Did you mean '\.\/plugins\/mine'\?/],
      ['elsewhere/mine/', /Did you mean 'mine'\?/],
      ['mine.ts', /Did you mean 'mine'\?/],
      ['./mine', /There is a plugin 'mine': did you mean its name, without the path\?/],
      ['./plugins/mine/dataset.ts', /did you mean '\.\/plugins\/mine'\?/],
      ['nobody', /Plugins that are here: .*mine, .*simple_nn.*@lab\/packed\.$/],
    ] as const) {
      it(`what is nearly a plugin: ${given}`, () => {
        const from = write({
          'package.json': '{}',
          'plugins/mine/dataset.ts': datasetSource,
          'node_modules/@lab/aiforge-plugin-packed/dataset.ts': datasetSource,
        });
        const { code, message } = refusalOf(() => loadPlugin(given, { from }));
        expect(code).to.equal('PLUGIN_NOT_FOUND');
        expect(message).to.match(hint);
      });
    }

    for (const name of [
      'a/../../secret',
      'a..b',
      '@scope/../x',
      '@../x',
      'a\\b',
      'a\0b',
      './a\0b',
      '',
      ' a',
      '~/x',
      'C:x',
      '@scope/',
    ]) {
      it(`a name that is none: ${JSON.stringify(name)}`, () => {
        const error = refusalOf(() => loadPlugin(name, { from: folder }));
        expect(error.code).to.equal('PLUGIN_NOT_FOUND');
        expect(error.message).to.include('is not a plugin name');
      });
    }
  });

  describe('refuses', () => {
    for (const [what, files, expected] of [
      ['a class of another name', { 'model.ts': 'export class Net {}' }, "does not export 'Model'; it exports Net"],
      [
        'a Model without its methods',
        { 'model.ts': 'export class Model { forward() {} }' },
        'class Model has no trainingStep, validationStep',
      ],
      ['a Model that is no class', { 'model.ts': 'export const Model = 3;' }, 'Model is not a class'],
      [
        'a Dataset without length',
        { 'dataset.ts': 'export class Dataset { get() {} loadData() {} }' },
        'class Dataset has no length',
      ],
      [
        'a Preprocessor without save and load',
        {
          'dataset.ts': datasetSource,
          'preprocessor.ts': 'export class Preprocessor { fit() {} transform() {} inverseTransform() {} }',
        },
        'class Preprocessor has no save, load',
      ],
      [
        'a Config that is no schema',
        { 'dataset.ts': datasetSource, 'config.ts': 'export const Config = {};' },
        'Config is not a zod object schema',
      ],
      [
        'a config file without a schema',
        { 'dataset.ts': datasetSource, 'config.ts': 'export const width = 1;' },
        'exports no zod object schema',
      ],
      [
        'a file that throws',
        { 'model.ts': `throw new Error('from inside');` },
        'model.ts could not be run: from inside',
      ],
      ['a file with a syntax error', { 'model.ts': 'export class {' }, 'model.ts could not be run'],
      ['an empty folder', { 'readme.md': '' }, 'has neither a Model nor a Dataset'],
      [
        'an unknown key in definePlugin',
        {
          'dataset.ts': datasetSource,
          'index.ts': `import { definePlugin } from 'aiforge';\nexport const plugin = definePlugin({ name: 'x', vesion: '1' } as never);`,
        },
        "did you mean 'version'?",
      ],
      [
        'an index that exports no object',
        { 'dataset.ts': datasetSource, 'index.ts': 'export const plugin = 3;' },
        'definePlugin({ name: … })',
      ],
    ] as [string, Record<string, string>, string][]) {
      it(what, () => {
        const from = write(
          Object.fromEntries(Object.entries(files).map(([name, content]) => [`mine/${name}`, content])),
        );
        const error = refusalOf(() => loadPlugin('./mine', { from }));
        expect(error.code).to.equal('PLUGIN_INVALID');
        expect(error.message).to.include(expected);
      });
    }

    it('a plugin without the class it is asked for', () => {
      const from = write({ 'mine/dataset.ts': datasetSource });
      const error = refusalOf(() => loadPlugin('./mine', { from, kind: 'model' }));
      expect(error.code).to.equal('PLUGIN_INVALID');
      expect(error.message).to.include("The plugin 'mine'").and.to.include('has no Model; add model.ts');
    });

    it('a plugin for another version of aiforge, or with a range that is none', () => {
      for (const range of ['^0.1.0', '>=0.1.0 <1', '0.1.x', '*']) {
        expect(loadPlugin({ name: 'x', aiforge: range, Model }).name).to.equal('x');
      }
      const error = refusalOf(() => loadPlugin({ name: 'x', version: '2.0.0', aiforge: '^7.0.0', Model }));
      expect(error.code).to.equal('PLUGIN_INVALID');
      expect(error.message).to.match(/'x' 2\.0\.0 works with aiforge \^7\.0\.0, and this is \d/);
      expect(refusalOf(() => loadPlugin({ name: 'x', aiforge: 'latest', Model })).message).to.include(
        'not a version range',
      );
    });
  });
});
