import { ModelConfig } from 'aiforge';
import { z } from 'zod';

/** The settings under `model` in the experiment: what each may be, what it is by default, and what it means. */
export const Config = ModelConfig.extend({
  inputSize: z.int().min(1).default(1).describe('Numbers that describe a sample; default 1'),
  hiddenSize: z.int().min(1).default(32).describe('Units of the hidden layer; default 32'),
});
export type Config = z.infer<typeof Config>;
