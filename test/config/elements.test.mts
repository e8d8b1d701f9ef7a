import path from 'node:path';

import { loadExperimentConfig, ModelConfig } from 'aiforge';
import { expect } from 'chai';
import { z } from 'zod';

import { modelSettings } from '#lib/config/modelSettings.js';

import { temporaryFolder, writeFiles } from '../support/project.mjs';
import { refusalOf } from '../support/refusal.mjs';

const head = 'experimentName: x\nmodelPlugin: m\ndatasetPlugin: d\ndataPath: p\n';

describe('overrides of elements of lists', () => {
  const folder = temporaryFolder('elements');
  const file = path.join(folder, 'e.yaml');
  before(() =>
    writeFiles(folder, {
      'e.yaml': `${head}
datasetArgs: { files: [a, b], table: [[1, 2], [3, 4]], byYear: { '0': zero } }
model: { layers: [{ dim: 1 }, { dim: 2 }] }
training:
  freeze: ['a.*', 'b.*']
  parameterGroups: [{ match: '*.bias', weightDecay: 0 }, { match: [a, b] }]
  scheduler: { name: ChainedScheduler, schedulers: [{ name: StepLR, stepSize: 1 }, { name: ExponentialLR, gamma: 0.9 }] }
`,
    }),
  );
  const load = (...overrides: string[]) => loadExperimentConfig(file, overrides);

  for (const index of ['[0]', '.0']) {
    it(`are named by ${index}, and read by the schema`, () => {
      const { training, model, datasetArgs } = load(
        `training.parameterGroups${index}.learningRate=0.1`,
        `training.parameterGroups${index}.weightDecay=1`,
        `training.parameterGroups${index}.match=*.weight`,
        `training.freeze${index}=007`,
        `training.scheduler.schedulers${index}.stepSize=5`,
        `model.layers${index}.dim=3`,
        `datasetArgs.files${index}=12`,
        `datasetArgs.table[1]${index}=9`,
        'datasetArgs.byYear.0=none',
      );
      expect(training.parameterGroups[0]).to.deep.equal({ match: '*.weight', weightDecay: 1, learningRate: 0.1 });
      expect(training.freeze).to.deep.equal(['007', 'b.*']);
      expect(training.scheduler).to.have.nested.property('schedulers[0].stepSize', 5);
      expect(model).to.deep.equal({ layers: [{ dim: 3 }, { dim: 2 }] });
      expect(datasetArgs).to.deep.equal({
        files: [12, 'b'],
        table: [
          [1, 2],
          [9, 4],
        ],
        byYear: { 0: 'none' },
      });
    });
  }

  it('and texts within lists and mappings are read by the schema', () => {
    const { training } = load(
      'training.freeze=[1, 1e3, true, 12345678901234567890]',
      'training.parameterGroups=[{match: 8}]',
    );
    expect(training.freeze).to.deep.equal(['1', '1e3', 'true', '12345678901234567890']);
    expect(load('training.parameterGroups[1].match=[1, 2]').training.parameterGroups[1]).to.deep.equal({
      match: ['1', '2'],
    });
    expect(load('training.parameterGroups[1].match=8').training.parameterGroups[1]).to.deep.equal({ match: '8' });
    expect(load('training.fastDevRun=true').training.fastDevRun).to.equal(true);
    expect(load('training.fastDevRun=3').training.fastDevRun).to.equal(3);
    expect(training.parameterGroups).to.have.length(1);
  });

  for (const [override, reason] of [
    [
      'training.freeze[2]=x',
      "'training.freeze' has 2 elements, [0] to [1], and no [2]; set training.freeze as a whole.",
    ],
    ['training.parameterGroups.5.match=x', "'training.parameterGroups' has 2 elements, [0] to [1], and no [5]"],
    ['training.freeze[-1]=x', "'freeze[-1]' is no element of a list; write one as key[0]"],
    [
      'training.freeze.first=x',
      "'training.freeze' is a list and has no 'first'; write an element as training.freeze[0]",
    ],
    ['training[0]=1', "'training[0]' is an unknown option"],
    ['training.epochs[0]=1', "'training.epochs' is a single value and has no '0'"],
    ['model[0]=1', "'model' holds"],
    ['datasetArgs.files[2]=c', "'datasetArgs.files' has 2 elements"],
    ['datasetArgs.files[0].x=c', `'datasetArgs.files[0]' holds "a", not a mapping`],
    ['datasetArgs.byYear[0]=c', 'not a list'],
    ['datasetArgs.gone[0]=c', "no list is given as 'datasetArgs.gone'"],
    ['training.[0]=c', 'empty part'],
    ['datasetArgs.files[0]x=c', "'files[0]x' is no element of a list"],
  ] as const) {
    it(`are refused where there is none: ${override}`, () => {
      const { code, message } = refusalOf(() => load(override));
      expect(code).to.equal('CONFIG_INVALID');
      expect(message).to.include(`Override '${override}': `).and.to.include(reason);
    });
  }

  it('are where a problem is', () => {
    const { message } = refusalOf(() => load('training.parameterGroups[0].learningRate=-1'));
    expect(message).to.include(
      "training.parameterGroups.0.learningRate (override 'training.parameterGroups[0].learningRate=-1'): got -1",
    );
  });
});

describe('settings of the model by the schema of its plugin', () => {
  const folder = temporaryFolder('model-settings');
  const file = path.join(folder, 'm.yaml');
  const Config = ModelConfig.extend({
    name: z.string().default('a'),
    tag: z.string().nullable().default(null),
    names: z.array(z.string()).default([]),
    width: z.int().default(1),
    either: z.union([z.int(), z.string()]).default(1),
    nested: z
      .strictObject({ code: z.string().optional(), sizes: z.record(z.string(), z.string()).default({}) })
      .prefault({}),
    upper: z
      .string()
      .transform((text) => text.toUpperCase())
      .default('X'),
  });
  const settings = (overrides: string[], lines = 'model: {}\n') => {
    writeFiles(folder, { 'm.yaml': head + lines });
    return modelSettings(loadExperimentConfig(file, overrides).model, Config);
  };

  for (const [override, expected] of [
    ['model.name=8', { name: '8' }],
    ['model.name=null', { name: 'null' }],
    ['model.name=#', { name: '#' }],
    ['model.name=|', { name: '|' }],
    ['model.name=*', { name: '*' }],
    ['model.name=-', { name: '-' }],
    ['model.name=[1]', { name: '[1]' }],
    ['model.name=12345678901234567890', { name: '12345678901234567890' }],
    ['model.tag=null', { tag: null }],
    ['model.tag=1e3', { tag: '1e3' }],
    ['model.names=[1, 2.50, x]', { names: ['1', '2.50', 'x'] }],
    ['model.width=8', { width: 8 }],
    ['model.width=eight', { width: 'eight' }],
    ['model.either=8', { either: 8 }],
    ['model.either=8x', { either: '8x' }],
    ['model.nested.code=007', { nested: { code: '007' } }],
    ['model.nested.sizes.a=5', { nested: { sizes: { a: '5' } } }],
    ['model.nested={code: 7}', { nested: { code: '7' } }],
    ['model.upper=true', { upper: 'true' }],
  ] as const) {
    it(override, () => expect(settings([override])).to.deep.equal(expected));
  }

  it('an element of a list after the list', () => {
    expect(settings(['model.names=[1, 2]', 'model.names[1]=3'])).to.deep.equal({ names: [1, '3'] });
  });

  it('a big number is refused where no text can be', () => {
    expect(refusalOf(() => settings(['model.width=12345678901234567890'])).message).to.match(
      /override 'model\.width=12345678901234567890': model\.width: 12345678901234567890 is too large/,
    );
  });

  it('environment variables, too', () => {
    process.env.AF_CODE = '007';
    try {
      expect(settings([], 'model: { name: "${env:AF_CODE}", width: "${env:AF_CODE:-1}" }\n')).to.deep.equal({
        name: '007',
        width: '007',
      });
      expect(settings([], 'model: { width: "${env:AF_NOT:-12}", name: "${env:AF_NOT:-12}" }\n')).to.deep.equal({
        width: 12,
        name: '12',
      });
    } finally {
      delete process.env.AF_CODE;
    }
  });

  it('what the file says, and what a program changed, stay as they are', () => {
    expect(settings([], 'model: { name: 8 }\n')).to.deep.equal({ name: 8 });
    writeFiles(folder, { 'm.yaml': `${head}model: {}\n` });
    const config = loadExperimentConfig(file, ['model.name=8']);
    config.model.name = 9;
    expect(modelSettings(config.model, Config)).to.deep.equal({ name: 9 });
  });
});
