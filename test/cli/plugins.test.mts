import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { temporaryFolder, writeFiles, type Finished } from '../support/project.mjs';

const cli = path.resolve('dist/lib/cli/aiforge.js');

const dataset = `
import { BaseDataset, tensor } from 'aiforge';
export class Dataset extends BaseDataset {
  get length() { return 40; }
  get(index) { return { x: tensor([index / 40, 1]), labels: tensor(index % 2) }; }
  loadData() {}
}`;
const model = `
import { BaseModel, nn } from 'aiforge';
export class Model extends BaseModel {
  constructor(config) {
    super(config);
    this.line = new nn.Linear(2, config.classes);
  }
  forward(x) { return this.line.forward(x); }
  trainingStep({ x, labels }) {
    const predictions = this.forward(x);
    return { loss: this.lossFn.forward(predictions, labels), predictions };
  }
  validationStep(batch) { return this.trainingStep(batch); }
}`;
const config = `
import { ModelConfig } from 'aiforge';
import { z } from 'zod';
export const Config = ModelConfig.extend({
  classes: z.int().min(2).describe('Classes to tell apart'),
  width: z.int().default(3),
});`;
const experiment = `
experimentName: checked
modelPlugin: checked
datasetPlugin: checked
dataPath: none
model: { classes: 2 }
training: { batchSize: 8 }
`;

interface Listed {
  name: string;
  version: string | null;
  description: string | null;
  parts: string[];
  from: string;
  directory: string | null;
  error: string | null;
}

describe('aiforge plugins', () => {
  const folder = temporaryFolder('plugins');
  const env = { ...process.env, OMP_NUM_THREADS: '1', NO_COLOR: '1', LOG_LEVEL: 'silent' };
  const aiforge = (...args: string[]): Finished =>
    spawnSync(process.execPath, [cli, 'plugins', ...args], { cwd: folder, env, encoding: 'utf8' });

  before(() =>
    writeFiles(folder, {
      'package.json': '{}',
      'plugins/checked/model.mjs': model,
      'plugins/checked/dataset.mjs': dataset,
      'plugins/checked/config.mjs': config,
      'plugins/broken/model.mjs': 'export class Model { forward() {} }',
      'plugins/plain/model.mjs': 'export class Model { forward() {} trainingStep() {} validationStep() {} }',
      'plugins/unused/dataset.mjs': dataset,
      'plugins/unused/config.mjs': config,
      'plugins/failing/model.mjs': model.replace(
        'validationStep(batch) {',
        `validationStep(batch) { throw new Error('no'); `,
      ),
      'plugins/failing/config.mjs': config,
      'plugins/.cache/x': '',
      'node_modules/aiforge-plugin-packed/package.json': '{ "version": "2.1.0" }',
      'node_modules/aiforge-plugin-packed/dataset.mjs': dataset,
      'node_modules/@lab/aiforge-plugin-scoped/package.json': '{ "version": "0.3.0" }',
      'node_modules/@lab/aiforge-plugin-scoped/index.mjs': `import { definePlugin } from 'aiforge';
        export const plugin = definePlugin({ name: 'scoped', version: '9.0.0', description: 'From a package' });`,
      'node_modules/@lab/aiforge-plugin-scoped/dataset.mjs': dataset,
      'node_modules/other/package.json': '{}',
      'experiments/checked.yaml': experiment,
      'experiments/failing.yaml': experiment.replace('modelPlugin: checked', 'modelPlugin: failing'),
      'experiments/wrong.yaml': experiment.replace('classes: 2', 'classes: 2, widht: 3'),
    }),
  );

  it('ls lists folders, packages and aiforge’s own; a broken one has its error', () => {
    const { status, stdout, stderr } = aiforge('ls', '--json');
    expect(status, stderr).to.equal(0);
    const listed = new Map((JSON.parse(stdout) as Listed[]).map((plugin) => [plugin.name, plugin]));
    expect([...listed.keys()]).to.include.members(['checked', 'broken', 'packed', '@lab/scoped', 'simple_nn']);
    expect([...listed.keys()]).not.to.include.oneOf(['.cache', 'other']);
    expect(listed.get('checked')).to.deep.equal({
      name: 'checked',
      version: null,
      from: 'folder',
      description: null,
      parts: ['Model', 'Dataset', 'Config'],
      directory: path.join(folder, 'plugins/checked'),
      error: null,
    });
    expect(listed.get('broken')!.error).to.include('class Model has no trainingStep, validationStep');
    expect(listed.get('packed')).to.deep.include({ version: '2.1.0', from: 'package', parts: ['Dataset'] });
    expect(listed.get('@lab/scoped')).to.deep.include({ version: '9.0.0', description: 'From a package' });
    const text = aiforge('ls');
    expect(text.status).to.equal(0);
    expect(text.stdout).to.match(/^@lab\/scoped 9\.0\.0 {2}From a package\n {2}Dataset\n {2}node_modules/);
    expect(text.stdout).to.match(/broken\n {2}broken: The plugin in .* class Model has no trainingStep/);
  });

  it('check tells parts, folder and settings, by name and by path', () => {
    for (const name of ['checked', './plugins/checked', 'plugins/checked/', path.join(folder, 'plugins/checked')]) {
      const { status, stdout, stderr } = aiforge('check', name);
      expect(status, stderr).to.equal(0);
      expect(stdout).to.include('Model, Dataset, Config').and.to.include('plugins/checked');
      expect(stdout).to.include('model.classes (must be given): Classes to tell apart\n');
      expect(stdout).to.match(/ model\.width\n/);
    }
    const { ok, parts } = JSON.parse(aiforge('check', 'packed', '--json').stdout) as { ok: boolean; parts: string[] };
    expect({ ok, parts }).to.deep.equal({ ok: true, parts: ['Dataset'] });
  });

  it('check --experiment does a step of each kind, and makes no run', () => {
    const { status, stdout, stderr } = aiforge(
      'check',
      'checked',
      '--experiment',
      'experiments/checked.yaml',
      '--json',
    );
    expect(status, stderr).to.equal(0);
    const { tried } = JSON.parse(stdout) as { tried: Record<string, unknown> };
    expect(tried).to.deep.include({
      parameters: { all: 6, trainable: 6 },
      samples: { train: 32, val: 4, test: 4 },
      batch: { x: 'float32[8, 2]', labels: 'int64[8]' },
    });
    expect(tried.trainLoss).to.be.within(0.1, 3);
    expect(tried.valLoss).to.be.within(0.1, 3);
    const text = aiforge('check', 'plugins/checked', '--experiment', 'experiments/checked.yaml').stdout;
    expect(text)
      .to.match(/batch +x: float32\[8, 2\]\n/)
      .and.to.match(/loss +\d\.\d{4} in training, \d\.\d{4} in validation\n/);
    expect(existsSync(path.join(folder, 'runs'))).to.equal(false);
  }).timeout(30_000);

  for (const [what, args, expected] of [
    ['a class without its methods', ['broken'], /^PLUGIN_INVALID .*broken: class Model has no trainingStep/],
    ['a model that extends nothing', ['plain'], /class Model must extend BaseModel/],
    ['a schema that nothing uses', ['unused'], /its Config is used by nothing, .*; add model\.ts/],
    [
      'a near miss, and what there is',
      ['chekced'],
      /Did you mean 'checked'\?[^]*Plugins that are here: .*@lab\/scoped/,
    ],
    ['the path of a file', ['./plugins/checked/model.mjs'], /did you mean '\.\/plugins\/checked'\?/],
    ['a path to a plugin of another place', ['./packed'], /There is a plugin 'packed': did you mean its name/],
    [
      'an experiment of others',
      ['packed', '--experiment', 'experiments/checked.yaml'],
      /uses the plugins 'checked', not 'packed'/,
    ],
    [
      'a wrong setting',
      ['checked', '--experiment', 'experiments/wrong.yaml'],
      /model\.widht \(\S*:6:\d+\): unknown option, did you mean 'width'\?/,
    ],
    [
      'a step that fails',
      ['failing', '--experiment', 'experiments/failing.yaml'],
      /^Error: no\n +at .*failing\/model\.mjs/,
    ],
    ['no such experiment', ['checked', '--experiment', 'experiments/chekced.yaml'], /Did you mean 'checked\.yaml'\?/],
  ] as const) {
    it(`check tells ${what}, as text and as JSON`, () => {
      const { status, stdout, stderr } = aiforge('check', ...args);
      expect(status).to.equal(1);
      expect(stdout).to.equal('');
      expect(stderr).to.match(expected);
      const json = aiforge('check', ...args, '--json');
      expect(json.status).to.equal(1);
      const { ok, error } = JSON.parse(json.stdout) as { ok: boolean; error: string };
      expect(ok).to.equal(false);
      expect(error).to.match(expected);
    }).timeout(30_000);
  }

  it('an experiment that names no plugin: the file, the line and the nearest', () => {
    writeFiles(folder, {
      'experiments/typo.yaml': experiment.replace('datasetPlugin: checked', 'datasetPlugin: chekced'),
    });
    const run = spawnSync(process.execPath, [cli, 'train', 'experiments/typo.yaml'], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    expect(run.status).to.equal(1);
    expect(run.stderr).to.match(
      /^PLUGIN_NOT_FOUND datasetPlugin \(experiments\/typo\.yaml:4:\d+\): There is no plugin 'chekced'\. Did you mean 'checked'\?/,
    );
  });
});
