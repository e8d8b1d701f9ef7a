import { AiforgeError } from '../../errors.js';
import { boolean, count, notNegative, oneOf, positive, size } from '../../kinds.js';
import { signature } from '../../signature.js';

/** What happens to a full bucket of gradients; see `registerCommHook`. */
export type CommHook = 'allreduce' | 'fp16' | 'bf16' | 'powerSGD';

/** As Python's `PowerSGDState`. */
export interface PowerSGDOptions {
  /** The rank of the two matrices that stand for a gradient. Default: 1. */
  matrixApproximationRank?: number;
  /** Before this step gradients go as they are; at least 2 with error feedback or warm start. Default: 1000. */
  startPowerSGDIter?: number;
  /** A gradient that would not shrink to less than 1/rate goes as it is. Default: 2. */
  minCompressionRate?: number;
  /** Adds what one step's compression lost to the gradients of the next. Default: true. */
  useErrorFeedback?: boolean;
  /** Begins with the matrices of the step before. Default: true. */
  warmStart?: boolean;
  /** Added to norms, so that gradients of zeros do not become NaN. Default: 0. */
  orthogonalizationEpsilon?: number;
  /** From which the first matrices are drawn, the same on all ranks. Default: 0. */
  randomSeed?: number;
  /** Compresses the gradients of one shape in a bucket together. Default: false. */
  batchTensorsWithSameShape?: boolean;
}

const powerSGDOptions = {
  matrixApproximationRank: count,
  startPowerSGDIter: size,
  minCompressionRate: positive,
  useErrorFeedback: boolean,
  warmStart: boolean,
  orthogonalizationEpsilon: notNegative,
  randomSeed: size,
  batchTensorsWithSameShape: boolean,
};

export const commHookTakes = signature<PowerSGDOptions>(
  { hook: oneOf('allreduce', 'fp16', 'bf16', 'powerSGD') },
  powerSGDOptions,
);

/** The options of a hook with their defaults; throws INVALID_ARGUMENT for those that it does not take. */
export function hookOptions(hook: CommHook, given: PowerSGDOptions): Required<PowerSGDOptions> {
  if (hook !== 'powerSGD' && Object.keys(given).length > 0) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `registerCommHook: '${hook}' takes no options, got ${Object.keys(given).join(', ')}; they are those of 'powerSGD'.`,
    );
  }
  const options = {
    matrixApproximationRank: 1,
    startPowerSGDIter: 1000,
    minCompressionRate: 2,
    useErrorFeedback: true,
    warmStart: true,
    orthogonalizationEpsilon: 0,
    randomSeed: 0,
    batchTensorsWithSameShape: false,
    ...given,
  };
  if ((options.useErrorFeedback || options.warmStart) && options.startPowerSGDIter <= 1) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `registerCommHook: startPowerSGDIter must be 2 or more with useErrorFeedback or warmStart, got ` +
        `${options.startPowerSGDIter}: buckets change after the first step, and these keep something for each.`,
    );
  }
  if (options.randomSeed > 0xffffffff) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `registerCommHook: randomSeed must be below 2**32, got ${options.randomSeed}.`,
    );
  }
  return options;
}
