import { z } from 'zod';

import { nearest } from '../nearest.js';

const count = z.int().min(1);
const epochs = z.int().min(0);
const above = z.number().positive();
const atLeast = z.number().min(0);
const factor = z.number().min(0).max(1);

const every = (interval: 'epoch' | 'step') =>
  z.enum(['epoch', 'step']).default(interval).describe(`What the schedule counts; default '${interval}'`);

const gamma = above.default(0.1).describe('Factor of each decay, above 0; default 0.1');
const etaMin = atLeast.default(0).describe('Least learning rate, 0 or more; default 0');

// The schedules that stand alone or within a sequence or a chain. Fields are the options of the classes of `optim.lrScheduler`.
const schedules = [
  z.strictObject({
    name: z.literal('StepLR').describe('Name of the schedule'),
    stepSize: count.describe('Epochs or steps between decays'),
    gamma,
  }),
  z.strictObject({
    name: z.literal('MultiStepLR').describe('Name of the schedule'),
    milestones: z.array(epochs).describe('Epochs or steps at which the rate decays'),
    gamma,
  }),
  z.strictObject({
    name: z.literal('ConstantLR').describe('Name of the schedule'),
    factor: factor.default(1 / 3).describe('What the rate is multiplied by at first, 0 to 1; default a third'),
    totalIters: epochs.default(5).describe('Epochs or steps until the rate is whole; default 5'),
  }),
  z.strictObject({
    name: z.literal('LinearLR').describe('Name of the schedule'),
    startFactor: above
      .max(1)
      .default(1 / 3)
      .describe('What the rate is multiplied by at first, above 0 and up to 1; default a third'),
    endFactor: factor.default(1).describe('What the rate is multiplied by in the end, 0 to 1; default 1'),
    totalIters: epochs.default(5).describe('Epochs or steps from the one factor to the other; default 5'),
  }),
  z.strictObject({
    name: z.literal('ExponentialLR').describe('Name of the schedule'),
    gamma: above.describe('Factor of each decay, above 0'),
  }),
  z.strictObject({
    name: z.literal('PolynomialLR').describe('Name of the schedule'),
    totalIters: count
      .nullable()
      .default(null)
      .describe('Epochs or steps until the rate is 0, null for all of the run; default null'),
    power: atLeast.default(1).describe('Power of the polynomial, 0 or more; default 1'),
  }),
  z.strictObject({
    name: z.literal('CosineAnnealingLR').describe('Name of the schedule'),
    tMax: count
      .nullable()
      .default(null)
      .describe('Epochs or steps until the rate is least, null for all of the run; default null'),
    etaMin,
  }),
  z.strictObject({
    name: z.literal('CosineAnnealingWarmRestarts').describe('Name of the schedule'),
    t0: count.describe('Epochs or steps until the first restart'),
    tMult: count.default(1).describe('What that number is multiplied by at each restart; default 1'),
    etaMin,
  }),
] as const;

const withInterval = schedules.map((schedule) => schedule.extend({ interval: every('epoch') }));

const momenta = (base: number, max: number) => ({
  cycleMomentum: z.boolean().default(true).describe('Move the momentum against the rate; default true'),
  baseMomentum: factor.default(base).describe(`Momentum at the greatest rate, 0 to 1; default ${base}`),
  maxMomentum: factor.default(max).describe(`Momentum at the least rate, 0 to 1; default ${max}`),
});

const cycles = [
  z.strictObject({
    name: z.literal('CyclicLR').describe('Name of the schedule'),
    baseLr: atLeast.describe('Lower learning rate, 0 or more'),
    maxLr: above.describe('Upper learning rate, above 0'),
    stepSizeUp: count.default(2000).describe('Steps from the lower rate to the upper; default 2000'),
    stepSizeDown: count.nullable().default(null).describe('Steps back, null for as many; default null'),
    mode: z
      .enum(['triangular', 'triangular2', 'exp_range'])
      .default('triangular')
      .describe("How the height of the cycles changes; default 'triangular'"),
    gamma: above.default(1).describe('Base of exp_range, above 0; default 1'),
    ...momenta(0.8, 0.9),
    interval: every('step'),
  }),
  z.strictObject({
    name: z.literal('OneCycleLR').describe('Name of the schedule'),
    maxLr: above
      .nullable()
      .default(null)
      .describe("Greatest learning rate, above 0, null for the optimizer's; default null"),
    totalSteps: count.nullable().default(null).describe('Steps of the cycle, null for all of the run; default null'),
    pctStart: factor.default(0.3).describe('Share of the steps in which the rate rises, 0 to 1; default 0.3'),
    annealStrategy: z.enum(['cos', 'linear']).default('cos').describe("Form of the way up and down; default 'cos'"),
    divFactor: above.default(25).describe('Greatest rate over the first, above 0; default 25'),
    finalDivFactor: above.default(1e4).describe('First rate over the last, above 0; default 10000'),
    threePhase: z.boolean().default(false).describe('Fall to the first rate before the last; default false'),
    ...momenta(0.85, 0.95),
    interval: every('step'),
  }),
] as const;

const plateau = z.strictObject({
  name: z.literal('ReduceLROnPlateau').describe('Name of the schedule'),
  monitor: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Metric to watch, null for earlyStoppingMonitor; default null'),
  mode: z
    .enum(['min', 'max'])
    .nullable()
    .default(null)
    .describe('Whether less or more is better, null for what the name of the metric says; default null'),
  factor: factor.lt(1).default(0.1).describe('What the rate is multiplied by, 0 to under 1; default 0.1'),
  patience: epochs.default(10).describe('Epochs without a better metric that are let pass; default 10'),
  threshold: atLeast.default(1e-4).describe('By how much a metric must be better; default 0.0001'),
  thresholdMode: z
    .enum(['rel', 'abs'])
    .default('rel')
    .describe("Whether threshold is a share of the best metric or in its unit; default 'rel'"),
  cooldown: epochs.default(0).describe('Epochs after a reduction in which none counts as bad; default 0'),
  minLr: atLeast.default(0).describe('Least learning rate, 0 or more; default 0'),
  eps: atLeast.default(1e-8).describe('A reduction by no more than this is not made; default 1e-8'),
  interval: z.literal('epoch').default('epoch').describe("Metrics are known after epochs; default 'epoch'"),
});

interface Named {
  shape: { name: z.ZodLiteral<string> };
}

/** A union by name whose error lists the names. */
function byName<
  const Options extends readonly [Named & z.core.$ZodTypeDiscriminable, ...(Named & z.core.$ZodTypeDiscriminable)[]],
>(options: Options) {
  const names = options.map(({ shape }) => shape.name.value).sort();
  return z.discriminatedUnion('name', options, {
    error: ({ input }) => {
      const given = String((input as { name?: unknown } | null | undefined)?.name);
      const match = nearest(given, names);
      return `expected one of ${names.join(', ')}${match === undefined ? '' : `, did you mean '${match}'?`}`;
    },
  });
}

/** A schedule within a sequence or a chain. */
export const ScheduleConfig = byName(schedules);
export type ScheduleConfig = z.infer<typeof ScheduleConfig>;

const inner = z.array(ScheduleConfig).min(1);

const sequence = z
  .strictObject({
    name: z.literal('SequentialLR').describe('Name of the schedule'),
    schedulers: inner.describe('Schedules, one after the other'),
    milestones: z.array(count).describe('Epochs or steps at which the next one takes over, one less than schedules'),
    interval: every('epoch'),
  })
  .refine(({ schedulers, milestones }) => milestones.length === schedulers.length - 1, {
    path: ['milestones'],
    error: 'expected one less than there are schedulers',
  });

const chain = z.strictObject({
  name: z.literal('ChainedScheduler').describe('Name of the schedule'),
  schedulers: inner.describe('Schedules, all at once'),
  interval: every('epoch'),
});

/** How the learning rate changes over a run. */
export const SchedulerConfig = byName([sequence, chain, plateau, ...cycles, ...withInterval]);
export type SchedulerConfig = z.infer<typeof SchedulerConfig>;
