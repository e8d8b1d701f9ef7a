import { z } from 'zod';

import { cudaIndex } from '../tensor/dtype.js';
import { AveragingConfig } from './averagingConfig.js';
import { DataParallelConfig } from './dataParallelConfig.js';
import { ParameterGroupConfig } from './parameterGroupConfig.js';
import { ProfileConfig } from './profileConfig.js';
import { SchedulerConfig } from './schedulerConfig.js';

const count = z.int().min(1);
const fraction = z.number().min(0).lt(1);

/** Parameters that do not learn in the first epochs. */
const FrozenConfig = z.strictObject({
  match: z.string().min(1).describe('Names of parameters; * is anything'),
  epochs: count.describe('Epochs in which they do not learn; for the whole run write the pattern alone'),
});

/** Batches of an epoch: so many, or a share of them. */
const batches = (least: z.ZodNumber, what: string) =>
  least
    .refine((limit) => limit < 1 || Number.isInteger(limit), 'expected a whole number, or a share below 1')
    .nullable()
    .default(null)
    .describe(`${what}: so many, or below 1 a share of them, null for all; default null`);

/** Whether there are others than the one that an interrupted run leaves. */
const writesCheckpoints = (checkpoint: {
  keepLast: boolean;
  everySteps: number | null;
  everyMinutes: number | null;
}): boolean => checkpoint.keepLast || checkpoint.everySteps !== null || checkpoint.everyMinutes !== null;

/** How a run trains. Every field has a default, so `{}` is a complete training configuration. */
export const TrainingConfig = z
  .strictObject({
    epochs: count.default(10).describe('Passes over the training data; default 10'),
    batchSize: count.default(32).describe('Samples of one step on one process; default 32'),
    learningRate: z.number().positive().default(1e-3).describe('Step size of the optimizer, above 0; default 0.001'),
    optimizerName: z.string().min(1).default('Adam').describe("Name of an optimizer of aiforge/optim; default 'Adam'"),
    optimizerArgs: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('Further options of the optimizer, such as weightDecay; default {}'),
    parameterGroups: z
      .array(ParameterGroupConfig)
      .default([])
      .describe(
        "Parameters with options of their own: patterns of names, in which * is anything, and options of the optimizer, such as { match: '*.bias', weightDecay: 0 }; the first that matches counts; default []",
      ),
    freeze: z
      .array(z.union([z.string().min(1), FrozenConfig]))
      .default([])
      .describe(
        "Parameters that do not learn, by patterns of their names such as 'encoder.*', or for so many epochs alone: { match: 'encoder.*', epochs: 2 }; default []",
      ),
    scheduler: SchedulerConfig.nullable()
      .default(null)
      .describe('How the learning rate changes: name and options of a schedule, null for a constant one; default null'),
    lossFnName: z
      .string()
      .min(1)
      .default('CrossEntropyLoss')
      .describe("Name of a loss of aiforge/nn; default 'CrossEntropyLoss'"),
    earlyStoppingPatience: count
      .nullable()
      .default(5)
      .describe('Epochs without a better monitored value before training stops, null for never; default 5'),
    earlyStoppingMonitor: z.string().min(1).default('val_loss').describe("Metric to watch; default 'val_loss'"),
    earlyStoppingMode: z
      .enum(['min', 'max'])
      .nullable()
      .default(null)
      .describe(
        'Whether less or more of it is better, null for what its name says, as loss and accuracy do; default null',
      ),
    useDistributed: z.boolean().default(false).describe('Train on several processes; default false'),
    localRank: z.int().min(0).default(0).describe('Number of this process on its machine, from 0; default 0'),
    worldSize: count.default(1).describe('Processes that train together; default 1'),
    findUnusedParameters: z
      .boolean()
      .default(false)
      .describe('Let a step on several processes leave parameters of the model out; default false'),
    ddp: DataParallelConfig.prefault({}).describe('How several processes average gradients'),
    seed: z.int().min(0).default(42).describe('Seed of every random draw of the run; default 42'),
    gradClipNorm: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('Largest total norm of the gradients, above 0, null for no limit; default null'),
    gradClipValue: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('Largest size of each gradient’s numbers, above 0, null for no limit; default null'),
    nonFiniteLoss: z
      .enum(['stop', 'skip', 'ignore'])
      .default('stop')
      .describe(
        "What a training loss of NaN or infinity does: 'stop' the run, leave its batch out ('skip', for which the loss of each batch is read), or nothing ('ignore'); default 'stop'",
      ),
    detectAnomaly: z
      .boolean()
      .default(false)
      .describe(
        'Stop at the first operator of a backward pass that gives NaN, and name its forward call; slow; default false',
      ),
    deterministic: z
      .union([z.boolean(), z.literal('warn')])
      .default(false)
      .describe(
        "Refuse operators that are not the same each time, as some are on a GPU, or warn of them ('warn'); default false",
      ),
    logStepMetrics: z
      .boolean()
      .default(false)
      .describe(
        'Record the norm of the gradients, samples (and what steps weigh) a second, memory and the FLOPs of the model with each step; default false',
      ),
    averaging: AveragingConfig.nullable()
      .default(null)
      .describe(
        'Averages of the weights, which validation, test and the best weights have in their place: of steps (ema) or of epochs (swa), null for none; default null',
      ),
    activationCheckpointing: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Modules whose activations are computed again in the backward pass instead of kept, by patterns of their names such as 'encoder.layers.*'; default []",
      ),
    accumulationSteps: count.default(1).describe('Batches whose gradients make one optimizer step; default 1'),
    valFraction: fraction.default(0.1).describe('Share of the samples to validate on, from 0 to under 1; default 0.1'),
    testFraction: fraction.default(0.1).describe('Share of the samples to test on, from 0 to under 1; default 0.1'),
    limitTrainBatches: batches(z.number().positive(), 'Batches of each epoch to train on, on each process'),
    limitValBatches: batches(z.number().min(0), 'Batches to validate on, on each process'),
    limitTestBatches: batches(z.number().min(0), 'Batches to test on, on each process'),
    overfitBatches: count
      .nullable()
      .default(null)
      .describe(
        'Train on so many batches alone, in the same order each epoch, and validate on them: a model that learns should come to know them; null for no; default null',
      ),
    fastDevRun: z
      .union([z.boolean(), count])
      .default(false)
      .describe('Try the run with one epoch of one batch of each split, or of so many; default false'),
    checkValEveryNEpoch: count
      .default(1)
      .describe('Validate after every so many epochs, and after the last; default 1'),
    valCheckInterval: batches(
      z.number().positive(),
      'Validate within each epoch too, after every so many batches: early stopping and the best weights go by it',
    ).describe(
      'Validate within each epoch too, after every so many batches, or below 1 a share of them: early stopping and the best weights go by it; null for no; default null',
    ),
    sanityValBatches: z
      .int()
      .min(0)
      .default(1)
      .describe('Batches to validate before training begins, so that what fails shows at once; default 1'),
    device: z
      .string()
      .refine(
        (name) => ['auto', 'cpu', 'cuda'].includes(name) || cudaIndex(name) !== undefined,
        'expected auto, cpu, cuda or one such as cuda:1',
      )
      .default('auto')
      .describe(
        "Where the model trains: 'cpu', 'cuda' (of several processes, each on its own GPU), 'cuda:1', or 'auto' for a GPU where there is one; default 'auto'",
      ),
    precision: z
      .enum(['float32', 'bfloat16', 'float16'])
      .default('float32')
      .describe(
        "What matrix products and convolutions compute in, by autocast; with 'float16' the loss is scaled; default 'float32'",
      ),
    pinMemory: z
      .boolean()
      .nullable()
      .default(null)
      .describe(
        'Put batches into pinned memory on their way to a GPU, null for yes; nothing where it trains on the CPU; default null',
      ),
    numWorkers: z
      .int()
      .min(0)
      .default(0)
      .describe(
        'Threads that load the data set again and make batches beside training, as many as there are cores for; the batches are the same for any number; default 0',
      ),
    prefetchFactor: count
      .default(2)
      .describe('Batches made ahead by each worker, or of items that come as promises without workers; default 2'),
    numThreads: count.nullable().default(null).describe('Threads of one operator, null for the default; default null'),
    checkpoint: z
      .strictObject({
        everySteps: count
          .nullable()
          .default(null)
          .describe('Optimizer steps between checkpoints within an epoch, null for only at its end; default null'),
        everyEpochs: count.default(1).describe('Epochs between checkpoints; there is one after the last; default 1'),
        everyMinutes: z
          .number()
          .positive()
          .nullable()
          .default(null)
          .describe('Minutes after which a checkpoint is written at the next batch, null for none; default null'),
        onException: z
          .boolean()
          .default(true)
          .describe(
            'Leave a checkpoint where an error between two batches ends the run of a single process; default true',
          ),
        keepLast: z
          .boolean()
          .default(true)
          .describe(
            'Keep the newest checkpoint beside the best weights; without, a run that was interrupted has one until it finishes; default true',
          ),
        keep: z
          .int()
          .min(0)
          .default(0)
          .describe('How many checkpoints are kept in checkpoints/, by their steps, beside the newest; default 0'),
        topK: count
          .default(1)
          .describe(
            'Weights of how many best epochs are kept in checkpoints/; the very best are best.safetensors; default 1',
          ),
        monitor: z
          .string()
          .min(1)
          .nullable()
          .default(null)
          .describe('Metric by which weights are the best, null for earlyStoppingMonitor; default null'),
        mode: z
          .enum(['min', 'max'])
          .nullable()
          .default(null)
          .describe('Whether less or more of it is better, null for what its name says; default null'),
        background: z
          .boolean()
          .default(false)
          .describe('Write from a copy while training goes on, one checkpoint at a time; default false'),
      })
      .prefault({})
      .describe('When checkpoints are written'),
    tensorboard: z
      .boolean()
      .default(false)
      .describe("Record in event files for TensorBoard too, in the run's folder under tensorboard; default false"),
    profile: ProfileConfig.nullable()
      .default(null)
      .describe(
        "Profile some steps, and write what they took into the run's folder as profile.txt, null for no; default null",
      ),
    resumeFrom: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'Checkpoint to go on from, or the folder of its run, a path; or `last`, `best` or `auto`, of the newest run of the experiment; default null',
      ),
  })
  .refine((training) => training.valFraction + training.testFraction < 1, {
    path: ['testFraction'],
    error: 'expected valFraction and testFraction to add up to less than 1, so that samples are left to train on',
  })
  .refine(({ ddp, accumulationSteps }) => !ddp.staticGraph || accumulationSteps === 1, {
    path: ['ddp', 'staticGraph'],
    error:
      'expected accumulationSteps 1 with it, since the first batch, in which it finds out the graph, must be averaged',
  })
  .refine((training) => training.gradClipNorm === null || training.gradClipValue === null, {
    path: ['gradClipValue'],
    error: 'expected gradClipNorm or gradClipValue, not both',
  })
  .refine((training) => !(training.detectAnomaly && training.precision === 'float16'), {
    path: ['detectAnomaly'],
    error:
      'expected precision float32 or bfloat16 with it: in float16 a step may overflow, which is skipped, and it would end the run',
  })
  .refine((training) => training.checkpoint.monitor !== null || training.checkpoint.mode === null, {
    path: ['checkpoint', 'mode'],
    error: 'expected training.checkpoint.monitor with it, or earlyStoppingMode in its place',
  })
  .refine((training) => training.optimizerArgs.lr === undefined, {
    path: ['optimizerArgs', 'lr'],
    error: 'expected the rate as training.learningRate, and nothing here',
  })
  .refine(({ checkpoint }) => checkpoint.keep === 0 || writesCheckpoints(checkpoint), {
    path: ['checkpoint', 'keep'],
    error:
      'expected 0 where keepLast is false, since no checkpoints are written to keep; or everySteps or everyMinutes',
  })
  .refine(({ checkpoint }) => checkpoint.everyEpochs === 1 || checkpoint.keepLast, {
    path: ['checkpoint', 'everyEpochs'],
    error: 'expected nothing here where keepLast is false, since none are written at the end of epochs',
  })
  .refine(
    ({ fastDevRun, overfitBatches, limitTrainBatches }) =>
      fastDevRun !== false || overfitBatches === null || limitTrainBatches === null,
    {
      path: ['limitTrainBatches'],
      error: 'expected overfitBatches or limitTrainBatches, not both',
    },
  )
  .refine(
    ({ fastDevRun, averaging, epochs }) =>
      fastDevRun !== false || averaging?.method !== 'swa' || averaging.startEpoch <= epochs,
    {
      path: ['averaging', 'startEpoch'],
      error: 'expected at most training.epochs, since nothing would be averaged',
    },
  )
  .describe('How the run trains');
export type TrainingConfig = z.infer<typeof TrainingConfig>;
