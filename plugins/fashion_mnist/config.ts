import { ModelConfig } from 'aiforge';
import { z } from 'zod';

export const Config = ModelConfig.extend({
  channels: z.array(z.int().min(1)).min(1).default([24, 48, 96]).describe('Channels of each stage; default [24, 48, 96]'),
  blocks: z.int().min(1).default(1).describe('Residual blocks of each stage; default 1'),
}); // prettier-ignore
export type Config = z.infer<typeof Config>;
