import { ModelConfig } from 'aiforge';
import { z } from 'zod';

export const Config = ModelConfig.extend({
  hiddenDims: z.array(z.int().min(1)).default([64, 64]).describe('Widths of the hidden layers; default [64, 64]'),
});
export type Config = z.infer<typeof Config>;
