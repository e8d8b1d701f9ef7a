import { ModelConfig } from 'aiforge';
import { z } from 'zod';

const size = z.int().min(1);

export const Config = ModelConfig.extend({
  contextLength: size.default(128).describe('Characters that it looks back on; default 128'),
  width: size.default(96).describe('Width of the embedding, a multiple of heads; default 96'),
  heads: size.default(4).describe('Attention heads; default 4'),
  layers: size.default(3).describe('Blocks; default 3'),
  dropout: z.number().min(0).max(1).default(0).describe('Dropout rate, 0 to 1; default 0'),
  sampleLength: z.int().min(0).default(200).describe('Characters to write at each validation; default 200'),
}).refine(({ width, heads }) => width % heads === 0, { path: ['width'], error: 'expected a multiple of heads' });
export type Config = z.infer<typeof Config>;
