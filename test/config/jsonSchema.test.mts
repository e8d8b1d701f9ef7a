import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { ModelConfig, SimpleNNConfig, TransformerConfig } from 'aiforge';
import { expect } from 'chai';
import { parse } from 'yaml';
import { z } from 'zod';

import { experimentJsonSchema } from '#lib/config/jsonSchema.js';

type Validate = ((value: unknown) => boolean) & { errors?: { instancePath: string; message?: string }[] | null };

// A validator of draft 2020-12 that fastify, which the examples use, brings.
const near = createRequire(createRequire(import.meta.url).resolve('fastify'));
const { default: Ajv } = createRequire(near.resolve('@fastify/ajv-compiler'))('ajv/dist/2020') as {
  default: new (options: object) => { compile(schema: object): Validate };
};

const whole = { experimentName: 'x', modelPlugin: 'simple_nn', datasetPlugin: 'd', dataPath: 'p' };

describe('the JSON Schema of a configuration', () => {
  const compile = (model?: z.ZodType): Validate => new Ajv({ strict: false }).compile(experimentJsonSchema(model));

  it('takes what the library takes, and refuses what it refuses', () => {
    const validate = compile();
    for (const good of [
      whole,
      { ...whole, model: { anything: 1 }, training: { epochs: 2, gradClipNorm: null, fastDevRun: 3, freeze: ['a'] } },
      { ...whole, training: { scheduler: { name: 'StepLR', stepSize: 1 }, checkpoint: { everySteps: 5 } } },
      { ...whole, training: { parameterGroups: [{ match: ['a', 'b'], weightDecay: 0 }] } },
      { $schema: './schema.json', extends: 'base.yaml' },
      { extends: ['a.yaml', 'b.yaml'], training: { epochs: 1 } },
    ]) {
      expect(validate(good), JSON.stringify([good, validate.errors])).to.equal(true);
    }
    for (const wrong of [
      { ...whole, dataPath: undefined },
      { ...whole, experimentName: 5 },
      { ...whole, extra: 1 },
      { ...whole, training: { epoch: 1 } },
      { ...whole, training: { epochs: 0 } },
      { ...whole, training: { epochs: 'many' } },
      { ...whole, training: { precision: 'half' } },
      { ...whole, training: { scheduler: { name: 'StepLr' } } },
      { ...whole, training: { parameterGroups: [{}] } },
      { extends: 5 },
    ]) {
      expect(validate(JSON.parse(JSON.stringify(wrong))), JSON.stringify(wrong)).to.equal(false);
    }
  });

  for (const [name, schema] of [
    ['simple_nn.yaml', SimpleNNConfig],
    ['spam.yaml', TransformerConfig],
  ] as const) {
    it(`takes experiments/${name}`, () => {
      const validate = compile(schema);
      const experiment: unknown = parse(readFileSync(path.join('experiments', name), 'utf8'));
      expect(validate(experiment), JSON.stringify(validate.errors)).to.equal(true);
    });
  }

  it('takes environment variables wherever another kind of value stands, and nothing like them', () => {
    const validate = compile(SimpleNNConfig);
    const withEpochs = (epochs: string) => ({
      ...whole,
      model: { inputDim: '${env:DIM}', outputDim: 2, hiddenDims: ['${env:A:-8}', 4] },
      training: {
        epochs,
        useDistributed: '${env:A}',
        precision: '${env:A}',
        scheduler: '${env:A:-null}',
        freeze: '${env:F}',
      },
    });
    expect(validate(withEpochs('${env:N:-2}')), JSON.stringify(validate.errors)).to.equal(true);
    for (const wrong of ['${N}', '$${env:N}', '${env:N} ', '${env:1}']) {
      expect(validate(withEpochs(wrong)), wrong).to.equal(false);
    }
  });

  it("has the plugin's settings as `model`, which must be given where some have no default", () => {
    const validate = compile(TransformerConfig);
    expect(validate({ ...whole, model: { vocabSize: 5, outputDim: 2 } })).to.equal(true);
    expect(validate({ ...whole, model: { vocabSize: 5 } })).to.equal(false);
    expect(validate({ ...whole, model: { vocabSize: 5, outputDim: 2, numHead: 2 } })).to.equal(false);
    expect(validate(whole)).to.equal(false);
    const lenient = compile(ModelConfig.extend({ width: z.int().default(3), at: z.date().optional() }));
    expect(lenient(whole)).to.equal(true);
    expect(lenient({ ...whole, model: { width: 'x' } })).to.equal(false);
  });

  it('describes every setting and has its default', () => {
    const schema = experimentJsonSchema(SimpleNNConfig);
    expect(schema.$schema).to.equal('https://json-schema.org/draft/2020-12/schema');
    expect(schema).to.have.nested.property('properties.training.properties.epochs.default', 10);
    expect(schema).to.have.nested.property('properties.model.properties.dropout.default', 0);
    const undescribed: string[] = [];
    const look = (fields: Record<string, Record<string, unknown>>, under: string) => {
      for (const [name, field] of Object.entries(fields)) {
        if (typeof field.description !== 'string') undescribed.push(under + name);
        if (field.properties !== undefined) look(field.properties as typeof fields, `${under}${name}.`);
      }
    };
    look(schema.properties as Record<string, Record<string, unknown>>, '');
    expect(undescribed).to.deep.equal([]);
  });
});
