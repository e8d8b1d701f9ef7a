import { ModelConfig } from 'aiforge';
import { z } from 'zod';

/** The settings under `model` in the experiment: what each may be, what it is by default, and what it means. */
export const Config = ModelConfig.extend({
  vocabularySize: z.int().min(2).default(1000).describe('Numbers that a word may have; default 1000'),
  hiddenSize: z.int().min(1).default(16).describe('Numbers that describe a word; default 16'),
  classes: z.int().min(2).default(2).describe('Classes to tell apart; default 2'),
});
export type Config = z.infer<typeof Config>;
