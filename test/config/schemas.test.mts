import { expect } from 'chai';
import { z } from 'zod';
import { ExperimentConfig } from '#lib/config/experimentConfig.js';
import { ModelConfig, SimpleNNConfig, TransformerConfig } from '#lib/config/modelConfigs.js';
import { TrainingConfig } from '#lib/config/trainingConfig.js';

const transformer = { vocabSize: 5000, outputDim: 2 };

describe('TrainingConfig', () => {
  it('is complete with defaults alone', () => {
    expect(TrainingConfig.parse({})).to.deep.equal({
      epochs: 10,
      batchSize: 32,
      learningRate: 0.001,
      optimizerName: 'Adam',
      optimizerArgs: {},
      scheduler: null,
      lossFnName: 'CrossEntropyLoss',
      earlyStoppingPatience: 5,
      earlyStoppingMonitor: 'val_loss',
      earlyStoppingMode: null,
      useDistributed: false,
      findUnusedParameters: false,
      ddp: {
        bucketCapMb: null,
        staticGraph: false,
        broadcastBuffers: true,
        gradientAsBucketView: false,
        batchedGradCopy: false,
        skipAllReduceUnusedParams: false,
        commHook: null,
        powerSGD: null,
      },
      numWorkers: 0,
      prefetchFactor: 2,
      localRank: 0,
      worldSize: 1,
      device: 'auto',
      precision: 'float32',
      pinMemory: null,
      seed: 42,
      freeze: [],
      parameterGroups: [],
      gradClipNorm: null,
      gradClipValue: null,
      limitTrainBatches: null,
      limitValBatches: null,
      limitTestBatches: null,
      overfitBatches: null,
      fastDevRun: false,
      checkValEveryNEpoch: 1,
      nonFiniteLoss: 'stop',
      accumulationSteps: 1,
      valFraction: 0.1,
      testFraction: 0.1,
      numThreads: null,
      detectAnomaly: false,
      deterministic: false,
      logStepMetrics: false,
      profile: null,
      tensorboard: false,
      averaging: null,
      activationCheckpointing: [],
      valCheckInterval: null,
      sanityValBatches: 1,
      checkpoint: {
        everySteps: null,
        everyEpochs: 1,
        everyMinutes: null,
        onException: true,
        keepLast: true,
        keep: 0,
        topK: 1,
        monitor: null,
        mode: null,
        background: false,
      },
      resumeFrom: null,
    });
  });

  for (const [what, value] of Object.entries({
    'no epoch': { epochs: 0 },
    'half a batch': { batchSize: 1.5 },
    'a learning rate of zero': { learningRate: 0 },
    'an unknown mode': { earlyStoppingMode: 'least' },
    'an unknown key': { epoch: 3 },
    'an unknown checkpoint key': { checkpoint: { every: 3 } },
    'nothing left to train on': { valFraction: 0.5, testFraction: 0.5 },
  })) {
    it(`refuses ${what}`, () => expect(TrainingConfig.safeParse(value).success).to.equal(false));
  }

  it('takes null for patience, clipping and threads', () => {
    const given = { earlyStoppingPatience: null, gradClipNorm: null, numThreads: null };
    expect(TrainingConfig.parse(given)).to.include(given);
  });
});

describe('ModelConfig', () => {
  it('is extended by a plugin and goes on refusing unknown keys', () => {
    const Config = ModelConfig.extend({ width: z.int().default(64) });
    expect(Config.parse({})).to.deep.equal({ width: 64 });
    expect(Config.safeParse({ depth: 2 }).success).to.equal(false);
  });

  it('SimpleNNConfig has two hidden layers of 64 by default', () => {
    expect(SimpleNNConfig.parse({ inputDim: 10, outputDim: 2 })).to.deep.equal({
      inputDim: 10,
      hiddenDims: [64, 64],
      outputDim: 2,
      dropout: 0,
    });
    expect(SimpleNNConfig.safeParse({ inputDim: 10, outputDim: 2, hiddenDims: [0] }).success).to.equal(false);
  });

  it('TransformerConfig has the defaults of the guide', () => {
    expect(TransformerConfig.parse(transformer)).to.deep.equal({
      vocabSize: 5000,
      embeddingDim: 256,
      numHeads: 8,
      numLayers: 3,
      ffDim: 512,
      maxSeqLen: 128,
      outputDim: 2,
      dropout: 0.1,
    });
    expect(TransformerConfig.safeParse({ ...transformer, dropout: 1.1 }).success).to.equal(false);
  });

  it('TransformerConfig checks the heads, also where a plugin extends it', () => {
    const Extended = TransformerConfig.extend({ pooling: z.enum(['mean', 'first']).default('mean') });
    const odd = { ...transformer, embeddingDim: 30, numHeads: 4 };
    expect(TransformerConfig.safeParse(odd).success).to.equal(false);
    expect(Extended.safeParse(odd).success).to.equal(false);
    expect(Extended.parse({ ...odd, embeddingDim: 32 })).to.include({ pooling: 'mean', embeddingDim: 32 });
  });
});

describe('ExperimentConfig', () => {
  it('describes every field, whatever wraps it', () => {
    const undescribed = (schema: z.ZodObject): string[] =>
      Object.entries(schema.shape)
        .filter(([, field]) => !(field as z.ZodType).description)
        .map(([name]) => name);
    for (const schema of [ExperimentConfig, TrainingConfig, SimpleNNConfig, TransformerConfig]) {
      expect(undescribed(schema)).to.deep.equal([]);
    }
  });

  it('names in the description the default that the schema has', () => {
    const defaults = TrainingConfig.parse({}) as Record<string, unknown>;
    for (const [name, field] of Object.entries(TrainingConfig.shape)) {
      const said = /default (.+)$/.exec(field.description ?? '')?.[1];
      // Groups of settings: each of these says its own.
      if (name !== 'checkpoint' && name !== 'ddp') expect(said, name).to.equal(sayDefault(defaults[name]));
    }
  });

  it('becomes a JSON schema', () => {
    const schema = z.toJSONSchema(ExperimentConfig, { io: 'input' });
    expect(schema.required).to.deep.equal(['experimentName', 'modelPlugin', 'datasetPlugin', 'dataPath']);
  });
});

function sayDefault(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
