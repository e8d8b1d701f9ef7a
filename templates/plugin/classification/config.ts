import { ModelConfig } from 'aiforge';
import { z } from 'zod';

/** The settings under `model` in the experiment: what each may be, what it is by default, and what it means. */
export const Config = ModelConfig.extend({
  inputSize: z.int().min(1).default(2).describe('Numbers that describe a sample; default 2'),
  hiddenSize: z.int().min(1).default(16).describe('Units of the hidden layer; default 16'),
  classes: z.int().min(2).default(3).describe('Classes to tell apart; default 3'),
});
export type Config = z.infer<typeof Config>;
