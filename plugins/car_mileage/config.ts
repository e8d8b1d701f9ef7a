import { ModelConfig } from 'aiforge';
import { z } from 'zod';

export const Config = ModelConfig.extend({
  hiddenDims: z.array(z.int().min(1)).default([32, 32]).describe('Units of each hidden layer; default [32, 32]'),
});
export type Config = z.infer<typeof Config>;
