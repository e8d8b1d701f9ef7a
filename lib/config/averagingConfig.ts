import { z } from 'zod';

const useBuffers = z
  .boolean()
  .default(false)
  .describe('Average the buffers too, instead of taking them as they are; default false');

/** How weights are averaged over the training. */
export const AveragingConfig = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('ema').describe('An exponential average'),
    decay: z.number().min(0).max(1).default(0.999).describe('Share that the average keeps at each step; default 0.999'),
    startStep: z.int().min(0).default(0).describe('Steps of the optimizer before it begins; default 0'),
    everySteps: z.int().min(1).default(1).describe('Steps of the optimizer between two of the average; default 1'),
    useBuffers,
  }),
  z.strictObject({
    method: z.literal('swa').describe('The plain mean of the weights after each epoch'),
    startEpoch: z.int().min(1).describe('The first epoch whose weights count'),
    useBuffers,
  }),
]);
