import { z } from 'zod';

const count = z.int().min(1);

/** Which steps of a run are profiled, and what is written of them. */
export const ProfileConfig = z.strictObject({
  steps: count.default(3).describe('Optimizer steps to profile, at most to the end of an epoch; default 3'),
  skip: z.int().min(0).default(1).describe('Optimizer steps before, which run as they are; default 1'),
  warmup: z.int().min(0).default(1).describe('Optimizer steps after these that are recorded and forgotten; default 1'),
  trace: z
    .boolean()
    .default(true)
    .describe('Write profile-trace.json, for https://ui.perfetto.dev, beside profile.txt; default true'),
  shapes: z.boolean().default(false).describe('Keep the shapes of tensors, and count FLOPs; default false'),
});
