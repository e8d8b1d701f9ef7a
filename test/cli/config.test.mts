import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { run, temporaryFolder, writeFiles } from '../support/project.mjs';

interface Shown {
  path: (string | number)[];
  value: unknown;
  origin: Record<string, unknown>;
}

describe('aiforge config', () => {
  const folder = temporaryFolder('config');
  const at = (name: string) => path.join(folder, name);
  const config = (args: string[], env: NodeJS.ProcessEnv = {}) => run('aiforge', ['config', ...args], folder, env);

  before(() => {
    writeFiles(folder, {
      'base.yaml': `experimentName: shown
modelPlugin: simple_nn
datasetPlugin: simple_nn
dataPath: made.safetensors
model:
  inputDim: 10
  hiddenDims: [16, 8]
  outputDim: 2
training:
  learningRate: \${env:AF_RATE:-0.5}
  parameterGroups:
    - match: '*.bias'
      weightDecay: 0
`,
      'own.yaml': 'extends: base.yaml\ntraining:\n  epochs: 2\n  fastDevRun: true\n',
      'local.yaml': 'training: { batchSize: 8 }\n',
      'wrong.yaml': `extends: base.yaml\nmodelPlugin: simple_nm\ndatasetPlugin: ./gone\n`,
      'worse.yaml': 'extends: base.yaml\nmodel: { hiddenDim: [1], dropout: 2 }\ntraining:\n  device: cuda:77\n',
      'loss.yaml': 'extends: base.yaml\ntraining: { lossFnName: MSELos }\n',
      'ranks.yaml': 'extends: base.yaml\ntraining: { worldSize: 4 }\n',
      'resumes.yaml': 'extends: base.yaml\ntraining: { resumeFrom: ./runs/gone }\n',
      'partial.yaml': 'modelPlugin: simple_nn\nmodel: { hidden: 5 }\n',
    });
  });

  describe('show', () => {
    it('prints every setting with where it was given, aligned, without colour', async () => {
      const { status, stdout, stderr } = await config(
        ['show', at('own.yaml'), at('local.yaml'), 'model.hiddenDims[0]=4', 'training.freeze=[a, b]'],
        { AF_RATE: '0.25', NO_COLOR: '', FORCE_COLOR: '', CI: '1' },
      );
      expect(stderr).to.equal('');
      expect(status).to.equal(0);
      const lines = stdout.trimEnd().split('\n');
      const line = (start: string) =>
        lines.find((text) => text.trimStart().startsWith(start))!.replace(/ {2,}(?=\S)/g, '  ');
      const base = at('base.yaml');
      expect(line('experimentName')).to.equal(`experimentName: shown  ${base}:1:17`);
      expect(lines.find((text) => text.startsWith('model:'))).to.equal('model:');
      expect(lines.join('\n')).to.match(
        /\n {2}hiddenDims:\n {4}- 4 +override 'model\.hiddenDims\[0\]=4'\n {4}- 8 +\S+base\.yaml:7:20\n/,
      );
      expect(line('dropout')).to.equal('  dropout: 0  default of simple_nn');
      expect(line('epochs')).to.equal(`  epochs: 2  ${at('own.yaml')}:3:11`);
      expect(line('batchSize')).to.equal(`  batchSize: 8  ${at('local.yaml')}:1:24`);
      expect(line('learningRate')).to.equal(`  learningRate: 0.25  ${base}:10:17, environment variable AF_RATE`);
      expect(line('freeze')).to.equal(`  freeze: [a, b]  override 'training.freeze=[a, b]'`);
      expect(lines.join('\n')).to.match(/\n {4}- match: "\*\.bias" +\S+:12:14\n {6}weightDecay: 0 +\S+:13:20\n/);
      expect(line('seed')).to.equal('  seed: 42  default');
      const columns = lines
        .filter((text) => / {2}(default|\/|override)/.test(text))
        .map((text) => text.search(/ (default|\/|override)/));
      expect(new Set(columns).size, 'one column of origins').to.equal(1);
      expect(stdout).not.to.include('\u001b').and.not.to.include('extends');
      expect(existsSync(at('runs'))).to.equal(false);
    });

    it('prints only what is given with --changed', async () => {
      const { stdout } = await config(['show', at('own.yaml'), '--changed']);
      expect(stdout).to.include('epochs: 2').and.to.include('inputDim: 10').and.to.include('match:');
      expect(stdout).not.to.include('default').and.not.to.include('seed').and.not.to.include('dropout');
    });

    it('gives programs JSON', async () => {
      const { stdout } = await config(['show', at('own.yaml'), '--json', 'datasetArgs.limit=.inf'], {
        AF_RATE: '0.25',
      });
      const { settings } = JSON.parse(stdout) as { settings: Shown[] };
      const of = (...keys: (string | number)[]) => settings.find((each) => each.path.join() === keys.join());
      expect(of('training', 'epochs')).to.deep.equal({
        path: ['training', 'epochs'],
        value: 2,
        origin: { kind: 'file', file: at('own.yaml'), line: 3, column: 11 },
      });
      expect(of('training', 'learningRate')).to.deep.include({
        value: 0.25,
        origin: {
          kind: 'environment',
          variables: [{ name: 'AF_RATE', isSet: true }],
          file: at('base.yaml'),
          line: 10,
          column: 17,
        },
      });
      expect(of('datasetArgs', 'limit')).to.deep.include({
        value: '.inf',
        origin: { kind: 'override', override: 'datasetArgs.limit=.inf' },
      });
      expect(of('training', 'seed')).to.deep.include({ value: 42, origin: { kind: 'default' } });
      expect(of('model', 'dropout')).to.deep.include({ value: 0, origin: { kind: 'plugin', plugin: 'simple_nn' } });
      expect(of('training', 'parameterGroups', 0, 'match')).to.deep.include({ value: '*.bias' });
    });

    it('dims origins on a terminal', function () {
      if (spawnSync('script', ['--version']).status !== 0) {
        console.log('      (there is no `script` to make a terminal with)');
        return this.skip();
      }
      const program = `${process.execPath} ${path.resolve('dist/lib/cli/aiforge.js')} config show ${at('own.yaml')}`;
      const env: NodeJS.ProcessEnv = { ...process.env, TERM: 'xterm' };
      delete env.NO_COLOR;
      const { stdout } = spawnSync('script', ['-qec', program, '/dev/null'], { encoding: 'utf8', env });
      expect(stdout).to.include('  \u001b[2mdefault\u001b[22m');
    });

    it('refuses what training refuses', async () => {
      const { status, stdout, stderr } = await config(['show', at('worse.yaml')]);
      expect(status).to.equal(1);
      expect(stdout).to.equal('');
      expect(stderr).to.match(/model\.hiddenDim \(\S+worse\.yaml:2:10\): unknown option, did you mean 'hiddenDims'/);
    });
  });

  describe('check', () => {
    it('finds nothing in what trains, and says that its data is yet to be made', async () => {
      const { status, stdout, stderr } = await config(['check', at('own.yaml'), at('local.yaml')], {
        DATA_DIR: at('data'),
      });
      expect(stderr).to.equal('');
      expect(stdout).to.equal(
        `${at('own.yaml')} + ${at('local.yaml')}: nothing is refused. There is no ${at('data/made.safetensors')} yet: the data set's loadData has to make it.\n`,
      );
      expect(status).to.equal(0);
      expect(existsSync(at('runs')) || existsSync(at('data')), 'a trace').to.equal(false);
    });

    for (const [name, overrides, ...reasons] of [
      [
        'wrong.yaml',
        [],
        /PLUGIN_NOT_FOUND There is no plugin 'simple_nm'. Did you mean 'simple_nn'/,
        /PLUGIN_NOT_FOUND There is no plugin folder '\S*gone'/,
      ],
      [
        'worse.yaml',
        [],
        /model\.hiddenDim \(\S+worse\.yaml:2:10\)/,
        /model\.dropout \(\S+worse\.yaml:2:35\): got 2/,
        /training\.device \(\S+worse\.yaml:4:11\)/,
      ],
      ['loss.yaml', [], /training\.lossFnName \(\S+loss\.yaml:2:25\): there is no 'MSELos'/],
      ['own.yaml', ['training.epochs=0'], /training\.epochs \(override 'training\.epochs=0'\): got 0/],
      ['resumes.yaml', [], /FILE_NOT_FOUND .*runs\/gone/],
      ['gone.yaml', [], /FILE_NOT_FOUND There is no configuration file '\S+gone\.yaml'/],
    ] as [name: string, overrides: string[], ...reasons: RegExp[]][]) {
      it(`says what training ${name} would refuse ${overrides.join('')}`, async () => {
        const { status, stdout, stderr } = await config(['check', at(name), ...overrides]);
        expect(status).to.equal(1);
        expect(stdout).to.equal('');
        for (const reason of reasons) expect(stderr).to.match(reason);
        expect(stderr).not.to.match(/^ +at /m);
        expect(existsSync(at('runs'))).to.equal(false);
      });
    }

    it('takes the ranks that a launcher would start', async () => {
      expect((await config(['check', at('ranks.yaml')])).status).to.equal(0);
    });
  });

  describe('schema', () => {
    it('is a JSON Schema, with the model of the plugin that a file names, whatever is wrong in it, or an option', async () => {
      const all = JSON.parse((await config(['schema'])).stdout) as {
        properties: Record<string, Record<string, unknown>>;
      };
      expect(all.properties.model).to.not.have.property('properties');
      for (const args of [
        [at('partial.yaml')],
        ['--model-plugin', 'simple_nn'],
        [at('partial.yaml'), 'modelPlugin=simple_nn'],
      ]) {
        const { status, stdout } = await config(['schema', ...args]);
        expect(status).to.equal(0);
        const schema = JSON.parse(stdout) as typeof all;
        expect(schema.properties.model).to.have.nested.property('properties.hiddenDims.description');
      }
    });

    it('refuses a plugin that there is not', async () => {
      const { status, stderr } = await config(['schema', '--model-plugin', 'simple_nm']);
      expect(status).to.equal(1);
      expect(stderr).to.match(/PLUGIN_NOT_FOUND There is no plugin 'simple_nm'/);
    });
  });

  it('says what is wrong with its arguments', async () => {
    expect((await config([])).stderr).to.match(/Usage: aiforge config/);
    expect((await config(['shwo', 'x.yaml'])).stderr).to.match(/unknown command 'shwo'\n\(Did you mean show\?\)/);
    expect((await config(['show'])).stderr).to.match(/missing required argument 'files'/);
    expect((await config(['show', at('own.yaml'), '--jsn'])).stderr).to.match(/Did you mean --json\?/);
    expect((await config(['show', at('own.yaml'), 'epochs'])).stderr).to.match(/Override 'epochs': expected key=value/);
    expect((await config(['check', 'training.epochs=2'])).stderr).to.match(/needs a configuration file/);
  });

  describe('train', () => {
    it('trains with several files, the later before the earlier and overrides last', async () => {
      const { status, stdout, stderr } = await run(
        'aiforge',
        ['train', at('own.yaml'), at('local.yaml'), 'training.epochs=1'],
        folder,
        { DATA_DIR: at('train-data'), AF_RATE: '0.25' },
      );
      expect(status, stderr).to.equal(0);
      const [name] = readdirSync(at('runs/shown'));
      const saved = readFileSync(at(`runs/shown/${name}/config.yaml`), 'utf8');
      expect(saved, 'the resolved values').to.include('learningRate: 0.25').and.to.include('batchSize: 8');
      expect(saved).not.to.include('extends').and.not.to.include('env:');
      expect(stdout)
        .to.include('Held-out test')
        .and.to.include(`${at('own.yaml')} ${at('local.yaml')} training.learningRate=`);
    }).timeout(60_000);
  });
});
