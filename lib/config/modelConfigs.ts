import { z } from 'zod';

const size = z.int().min(1);
const rate = z.number().min(0).max(1);

/** What a plugin's configuration extends: `ModelConfig.extend({ width: z.int().default(64) })`. Unknown keys are refused. */
export const ModelConfig = z.strictObject({}).describe('Settings of the model');
export type ModelConfig = z.infer<typeof ModelConfig>;

/** Configuration of the `simple_nn` plugin: a multi-layer perceptron. */
export const SimpleNNConfig = ModelConfig.extend({
  inputDim: size.describe('Features of one sample'),
  hiddenDims: z.array(size).default([64, 64]).describe('Units of each hidden layer, first to last; default [64, 64]'),
  outputDim: size.describe('Outputs: one a class, or one a predicted value'),
  dropout: rate.default(0).describe('Share of hidden units dropped in training, 0 to 1; default 0'),
});
export type SimpleNNConfig = z.infer<typeof SimpleNNConfig>;

/** Configuration of the Transformer classifiers. `embeddingDim` must be a multiple of `numHeads`. */
export const TransformerConfig = ModelConfig.extend({
  vocabSize: size.describe('Token ids the embedding knows, padding included'),
  embeddingDim: size.default(256).describe('Width of a token embedding, a multiple of numHeads; default 256'),
  numHeads: size.default(8).describe('Attention heads; default 8'),
  numLayers: size.default(3).describe('Encoder layers; default 3'),
  ffDim: size.default(512).describe('Units of the feed-forward layer; default 512'),
  maxSeqLen: size.default(128).describe('Tokens of the longest sequence; default 128'),
  outputDim: size.describe('Classes'),
  dropout: rate.default(0.1).describe('Dropout rate, 0 to 1; default 0.1'),
}).refine((config) => config.embeddingDim % config.numHeads === 0, {
  path: ['embeddingDim'],
  error: 'expected a multiple of numHeads, since each head takes an equal part of the embedding',
});
export type TransformerConfig = z.infer<typeof TransformerConfig>;
