import { z } from 'zod';

const count = z.int().min(1);

const PowerSGDConfig = z
  .strictObject({
    matrixApproximationRank: count.default(1).describe('Rank of the two matrices that stand for a gradient; default 1'),
    startPowerSGDIter: z
      .int()
      .min(0)
      .default(1000)
      .describe(
        'Steps before which gradients go as they are, at least 2 with error feedback or warm start; default 1000',
      ),
    minCompressionRate: z
      .number()
      .positive()
      .default(2)
      .describe('A gradient that would not shrink to less than one part in so many goes as it is; default 2'),
    useErrorFeedback: z
      .boolean()
      .default(true)
      .describe('Add what one step lost to the gradients of the next; default true'),
    warmStart: z.boolean().default(true).describe('Begin with the matrices of the step before; default true'),
    orthogonalizationEpsilon: z
      .number()
      .min(0)
      .default(0)
      .describe('Added to norms, so that gradients of zeros do not become NaN; default 0'),
    randomSeed: z.int().min(0).default(0).describe('From which the first matrices are drawn; default 0'),
    batchTensorsWithSameShape: z
      .boolean()
      .default(false)
      .describe('Compress the gradients of one shape in a bucket together; default false'),
  })
  .refine((config) => config.startPowerSGDIter >= 2 || !(config.useErrorFeedback || config.warmStart), {
    path: ['startPowerSGDIter'],
    error: 'expected at least 2 with useErrorFeedback or warmStart',
  });

/** How several processes average gradients; nothing to a process alone. As the options of `DistributedDataParallel`. */
export const DataParallelConfig = z
  .strictObject({
    bucketCapMb: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('Gradients travel in buckets of about so many MiB, null for 25, and 1 for the first; default null'),
    staticGraph: z
      .boolean()
      .default(false)
      .describe(
        'Every step uses the same parameters in the same way, which the first finds out: for modules that are checkpointed several times, and for steps that leave the same ones out; default false',
      ),
    broadcastBuffers: z
      .boolean()
      .default(true)
      .describe("Give every process the first one's buffers before each step of the optimizer; default true"),
    gradientAsBucketView: z
      .boolean()
      .default(false)
      .describe('Let gradients be views of the buckets, which saves their memory; default false'),
    batchedGradCopy: z
      .boolean()
      .default(false)
      .describe('Copy the gradients of a bucket into it together; default false'),
    skipAllReduceUnusedParams: z
      .boolean()
      .default(false)
      .describe('Do not send gradients that no process has, which must be the same ones in every step; default false'),
    commHook: z
      .enum(['allreduce', 'fp16', 'bf16', 'powerSGD'])
      .nullable()
      .default(null)
      .describe(
        "What gradients travel as: numbers of 16 bits ('fp16', 'bf16'), products of two thin matrices ('powerSGD', which begins anew where a run goes on), or as they are (null, 'allreduce'); default null",
      ),
    powerSGD: PowerSGDConfig.nullable()
      .default(null)
      .describe("Options of commHook 'powerSGD', null for their defaults; default null"),
  })
  .refine(({ commHook, powerSGD }) => powerSGD === null || commHook === 'powerSGD', {
    path: ['powerSGD'],
    error: "expected commHook 'powerSGD' with it",
  });
export type DataParallelConfig = z.infer<typeof DataParallelConfig>;
