import { symlinkSync } from 'node:fs';
import path from 'node:path';

import { dumpConfig, loadExperimentConfig } from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder, writeFiles } from '../support/project.mjs';
import { refusalOf } from '../support/refusal.mjs';

const head = 'experimentName: base\nmodelPlugin: ./plugin\ndatasetPlugin: d\ndataPath: ./data\n';

describe('a configuration that extends others', () => {
  const folder = temporaryFolder('extends');
  const at = (name: string) => path.join(folder, name);
  const write = (files: Record<string, string>) => writeFiles(folder, files);

  it('says more than they do: mappings are merged, lists and single values replaced', () => {
    write({
      'shared/base.yaml': `${head}model: { hiddenDims: [8, 8], deep: { a: 1, b: 2 } }\ntraining: { epochs: 3, seed: 1 }\n`,
      'a/own.yaml':
        'extends: ../shared/base.yaml\nmodel: { hiddenDims: [4], deep: { b: 3 } }\ntraining: { epochs: 5 }\n',
    });
    const config = loadExperimentConfig(at('a/own.yaml'));
    expect(config).not.to.have.property('extends');
    expect(config.model).to.deep.equal({ hiddenDims: [4], deep: { a: 1, b: 3 } });
    expect(config.training).to.include({ epochs: 5, seed: 1 });
    expect(config.dataPath, 'relative to the file that says it').to.equal(at('shared/data'));
    expect(config.modelPlugin).to.equal(at('shared/plugin'));
  });

  it('takes several, the later before the earlier, and those that these extend', () => {
    write({
      'root.yaml': head,
      'one.yaml': 'extends: root.yaml\ntraining: { epochs: 1, seed: 1 }\n',
      'two.json': '{ "extends": ["root.yaml"], "$schema": "./s.json", "training": { "seed": 2 } }',
      'both.yaml': 'extends: [one.yaml, two.json]\nexperimentName: both\n',
    });
    const config = loadExperimentConfig(at('both.yaml'));
    expect(config.experimentName).to.equal('both');
    expect(config.training).to.include({ epochs: 1, seed: 2 });
  });

  it('reads modules, and modules extend', () => {
    write({
      'base.ts': `export const config = { experimentName: 'ts', modelPlugin: 'm', datasetPlugin: 'd', dataPath: './x' };`,
      'middle.cjs': `module.exports = { extends: 'base.ts', training: { epochs: 7 } };`,
      'top.yaml': 'extends: middle.cjs\nexperimentName: top\n',
    });
    const config = loadExperimentConfig(at('top.yaml'));
    expect(config).to.include({ experimentName: 'top', dataPath: at('x') });
    expect(config.training.epochs).to.equal(7);
  });

  it('takes a schedule of another name as a whole, and merges one of the same', () => {
    write({
      'rates.yaml': `${head}training: { scheduler: { name: StepLR, stepSize: 2 } }\n`,
      'other.yaml': 'extends: rates.yaml\ntraining: { scheduler: { name: ExponentialLR, gamma: 0.5 } }\n',
      'same.yaml': 'extends: rates.yaml\ntraining: { scheduler: { name: StepLR, gamma: 0.5 } }\n',
      'gamma.yaml': 'extends: rates.yaml\ntraining: { scheduler: { gamma: 0.25 } }\n',
    });
    const of = (name: string) => loadExperimentConfig(at(name)).training.scheduler;
    expect(of('other.yaml')).to.deep.equal({ name: 'ExponentialLR', interval: 'epoch', gamma: 0.5 });
    expect(of('same.yaml')).to.include({ stepSize: 2, gamma: 0.5 });
    expect(of('gamma.yaml')).to.include({ stepSize: 2, gamma: 0.25 });
  });

  it('refuses a circle with the files that lead round, also through another name', () => {
    write({ 'x.yaml': 'extends: y.yaml\n', 'y.yaml': 'extends: z.yaml\n', 'z.yaml': 'extends: link.yaml\n' });
    symlinkSync(at('x.yaml'), at('link.yaml'));
    const { code, message } = refusalOf(() => loadExperimentConfig(at('x.yaml')));
    expect(code).to.equal('CONFIG_INVALID');
    expect(message).to.include(`${at('z.yaml')}:1:10: extends: the files extend each other in a circle: `);
    expect(message).to.include(['x.yaml', 'y.yaml', 'z.yaml', 'link.yaml'].map(at).join(' → '));
    write({ 'self.yaml': 'extends: self.yaml\n' });
    expect(refusalOf(() => loadExperimentConfig(at('self.yaml'))).message).to.include('in a circle');
  });

  it('takes the same file twice, which is no circle', () => {
    write({ 'twice.yaml': 'extends: [root.yaml, root.yaml]\n', 'root.yaml': head });
    expect(loadExperimentConfig(at('twice.yaml')).experimentName).to.equal('base');
  });

  for (const [what, text, reason] of [
    [
      'a file that there is not',
      'extends: [bsae.yaml]',
      /1:11: extends: There is no .*bsae\.yaml'. Did you mean 'base\.yaml'/,
    ],
    ['a number', 'extends: 5', /1:10: extends: got 5, expected the path of a configuration file/],
    ['null', 'extends:', /:1:\d+: extends: got null/],
    ['an empty text', `extends: ['']`, /1:11: extends: got ""|''/],
    ['a mapping', 'extends: { a: 1 }', /extends: got \{ a: 1 \}/],
    ['a file of another kind', 'extends: notes.txt', /1:10: extends: '.*notes\.txt' is not a configuration file/],
    ['its misspelt name', 'extend: base.yaml', /wrong\.yaml:1:1: extend: unknown option, did you mean 'extends'\?/],
  ] as const) {
    it(`refuses ${what}`, () => {
      write({ 'wrong.yaml': `${text}\n`, 'base.yaml': head, 'notes.txt': '' });
      expect(refusalOf(() => loadExperimentConfig(at('wrong.yaml'))).message).to.match(reason);
    });
  }

  it('has each problem where the value really stands', () => {
    write({
      'first.yaml': `${head}training:\n  epochs: none\n  seeed: 1\n`,
      'second.yaml': 'extends: first.yaml\nmodel: 5\n',
    });
    const { message } = refusalOf(() => loadExperimentConfig(at('second.yaml'), ['training.batchSize=0']));
    expect(message).to.include(`${at('second.yaml')} has 4 problems:`);
    expect(message).to.include(`training.epochs (${at('first.yaml')}:6:11): got 'none'`);
    expect(message).to.include(`training.seeed (${at('first.yaml')}:7:3): unknown option, did you mean 'seed'?`);
    expect(message).to.include(`model (${at('second.yaml')}:2:8): got 5`);
    expect(message).to.include(`training.batchSize (override 'training.batchSize=0'): got 0`);
  });

  it('says where a value stands that comes by an alias or a merge key', () => {
    write({
      'alias.yaml': `${head}datasetArgs: &all\n  epochs: &n none\n  <<: { seed: -1 }\ntraining:\n  <<: *all\n  batchSize: *n\n`,
    });
    const { message } = refusalOf(() => loadExperimentConfig(at('alias.yaml')));
    expect(message).to.include(`training.epochs (${at('alias.yaml')}:6:14): got 'none'`);
    expect(message).to.include(`training.seed (${at('alias.yaml')}:7:15): got -1`);
    expect(message).to.include(`training.batchSize (${at('alias.yaml')}:10:14): got 'none'`);
  });
});

describe('several configuration files', () => {
  const folder = temporaryFolder('merged');
  const at = (name: string) => path.join(folder, name);

  it('are merged, the later before the earlier and overrides last', () => {
    writeFiles(folder, {
      'base.yaml': `${head}training: { epochs: 3, seed: 3 }\n`,
      'deep/local.yaml': 'dataPath: ./near\ntraining: { epochs: 2, batchSize: 8 }\n',
    });
    const config = loadExperimentConfig([at('base.yaml'), at('deep/local.yaml')], ['training.epochs=1']);
    expect(config.training).to.include({ epochs: 1, seed: 3, batchSize: 8 });
    expect(config).to.include({ modelPlugin: at('plugin'), dataPath: at('deep/near') });
    const { message } = refusalOf(() =>
      loadExperimentConfig([at('base.yaml'), at('deep/local.yaml')], ['training.seed=-1']),
    );
    expect(message).to.include(`${at('base.yaml')} + ${at('deep/local.yaml')} has 1 problem`);
  });

  it('are named each where one is no mapping', () => {
    writeFiles(folder, { 'list.yaml': '- 1\n' });
    const { message } = refusalOf(() => loadExperimentConfig([at('base.yaml'), at('list.yaml')]));
    expect(message)
      .to.include(`${at('list.yaml')} has 1 problem`)
      .and.not.include('base.yaml');
    expect(message).to.include('expected a mapping');
  });

  it('are one at least', () => {
    expect(refusalOf(() => loadExperimentConfig([])).message).to.include('got no file; give it one or more');
  });
});

describe('environment variables in a configuration file', () => {
  const folder = temporaryFolder('variables');
  const at = (name: string) => path.join(folder, name);
  const before = { ...process.env };
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  });

  const load = (lines: string, env: Record<string, string> = {}, overrides: string[] = []) => {
    Object.assign(process.env, env);
    writeFiles(folder, { 'env.yaml': head + lines });
    return loadExperimentConfig(at('env.yaml'), overrides);
  };

  it('are read by the schema where they are the whole value', () => {
    const { training, experimentName } = load(
      'training:\n  epochs: ${env:AF_N}\n  device: ${env:AF_DEVICE}\n  useDistributed: "${env:AF_YES}"\n  freeze: ${env:AF_LIST}\n',
      { AF_N: '7', AF_DEVICE: 'cpu', AF_YES: 'true', AF_LIST: '[8, 007, null]' },
      ['experimentName=${env:AF_N}'],
    );
    expect(training).to.deep.include({ epochs: 7, device: 'cpu', useDistributed: true, freeze: ['8', '007', 'null'] });
    expect(experimentName, 'an override is what the shell made of it').to.equal('${env:AF_N}');
  });

  it('have defaults, which an empty variable has too', () => {
    const { training, datasetArgs } = load(
      'training: { epochs: "${env:AF_NONE:-4}", seed: "${env:AF_EMPTY:-5}" }\ndatasetArgs: { a: "${env:AF_NONE:-}", b: "${env:AF_NONE:-a:-b}" }\n',
      { AF_EMPTY: '' },
    );
    expect(training).to.include({ epochs: 4, seed: 5 });
    expect(datasetArgs).to.deep.equal({ a: '', b: 'a:-b' });
  });

  it('stand within texts, which then are texts', () => {
    const { datasetArgs } = load('datasetArgs: { a: "x-${env:AF_N}-${env:AF_N}", list: [{ b: "${env:AF_N}" }] }\n', {
      AF_N: '7',
    });
    expect(datasetArgs).to.deep.equal({ a: 'x-7-7', list: [{ b: 7 }] });
  });

  it('are the only thing that is replaced, once, and $$ keeps them', () => {
    const kept = { a: '${HOME} ${x}', b: '$${env:AF_N}', c: '$$${env:AF_N}', d: '$$$${env:AF_N}', e: '${env:AF_TEXT}' };
    const { datasetArgs } = load(`datasetArgs: ${JSON.stringify(kept)}\n`, { AF_N: '7', AF_TEXT: '${env:AF_N}' });
    const expected = { a: '${HOME} ${x}', b: '${env:AF_N}', c: '$7', d: '$${env:AF_N}', e: '${env:AF_N}' };
    expect(datasetArgs).to.deep.equal(expected);
  });

  it('are written by dumpConfig so that what reads it reads the same', () => {
    const config = load(`datasetArgs: { a: '$\${env:AF_N}', b: '$$$\${env:AF_N}', c: '$5 $\${x}' }\n`, { AF_N: '7' });
    writeFiles(folder, { 'again.yaml': dumpConfig(config) });
    expect(loadExperimentConfig(at('again.yaml'))).to.deep.equal(config);
    expect(config.datasetArgs.a).to.equal('${env:AF_N}');
  });

  it('in JSON, in a file that is extended, in the list of what is extended', () => {
    Object.assign(process.env, { AF_BASE: 'b.json', AF_N: '9' });
    writeFiles(folder, {
      'b.json': `{ "experimentName": "j", "modelPlugin": "m", "datasetPlugin": "d", "dataPath": "./\${env:AF_N}", "training": { "epochs": "\${env:AF_N}" } }`,
      'e.yaml': 'extends: ["${env:AF_BASE}"]\n',
    });
    const config = loadExperimentConfig(at('e.yaml'));
    expect(config.training.epochs).to.equal(9);
    expect(config.dataPath).to.equal(at('9'));
  });

  it('are not replaced in modules, which have process.env', () => {
    writeFiles(folder, {
      'm.ts': `export default { experimentName: '\${env:AF_N}', modelPlugin: 'm', datasetPlugin: 'd', dataPath: 'p' };`,
    });
    expect(loadExperimentConfig(at('m.ts')).experimentName).to.equal('${env:AF_N}');
  });

  it('that are not in quotes where they must be are told so', () => {
    expect(refusalOf(() => load('training: { epochs: ${env:AF_N} }\n')).message).to.match(
      /env\.yaml:5:\d+: not valid YAML: .*\. Put \$\{env:…\} in quotes, as within \[…\] and \{…\} it must be\./,
    );
  });

  it('whose default counts are named as not set', () => {
    expect(refusalOf(() => load('training:\n  epochs: ${env:AF_NONE:-0}\n')).message).to.include(
      `training.epochs (${at('env.yaml')}:6:11, environment variable AF_NONE (not set)): got 0`,
    );
  });

  it('that are not set are refused, all with file, line, column and name, unless another value takes their place', () => {
    const lines = 'training:\n  epochs: ${env:AF_GONE}\n  seed: ${env:AF_LOST}\n';
    const { code, message } = refusalOf(() => load(lines));
    expect(code).to.equal('CONFIG_INVALID');
    expect(message.split('\n')).to.deep.equal([
      `${at('env.yaml')}:6:11: training.epochs: the environment variable AF_GONE is not set; set it, or give a default: \${env:AF_GONE:-…}.`,
      `${at('env.yaml')}:7:9: training.seed: the environment variable AF_LOST is not set; set it, or give a default: \${env:AF_LOST:-…}.`,
    ]);
    expect(load(lines, { AF_LOST: '1' }, ['training.epochs=2']).training).to.include({ epochs: 2, seed: 1 });
  });

  it('with a wrong value are named with their place', () => {
    const { message } = refusalOf(() => load('training:\n  epochs: ${env:AF_N}\n', { AF_N: 'many' }));
    expect(message).to.include(
      `training.epochs (${at('env.yaml')}:6:11, environment variable AF_N): got 'many', expected a whole number`,
    );
    expect(refusalOf(() => load('training:\n  freeze: ${env:AF_N}\n', { AF_N: '[1' })).message).to.match(
      /:6:11: training\.freeze: not valid YAML/,
    );
  });

  for (const wrong of [
    '${env:}',
    '${env:1A}',
    '${env:A B}',
    '${env:A',
    '${env:A:b}',
    '${env:A:-${env:B}}',
    '${env:A-b}',
  ]) {
    it(`refuse ${wrong}, which is none`, () => {
      const { message } = refusalOf(() => load(`datasetArgs:\n  a: '${wrong}'\n`, { A: '1' }));
      expect(message).to.match(
        /env\.yaml:6:6: datasetArgs\.a: '\$\{env:.*' is not written as a variable: expected \$\{env:NAME\}/,
      );
    });
  }
});
