import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkProbability } from '../checks.js';
import { named, type Rest } from './arguments.js';
import { aten } from './aten.js';

export interface DropoutFunctionOptions {
  /** Default: 0.5. */
  p?: number;
  /** Default: true; for `alphaDropout` and `featureAlphaDropout` false. */
  training?: boolean;
  /** Default: false. */
  inplace?: boolean;
}

type Order = ['p', 'training', 'inplace'];
type Dropout = (input: Tensor, ...rest: Rest<DropoutFunctionOptions, Order>) => Tensor;

function kernel(operator: string): (input: Tensor, p: number, training: boolean, inplace: boolean) => Tensor {
  const [plain, inPlace] = [aten(operator), aten(`${operator}_`)];
  return (input, p, training, inplace) => (inplace ? inPlace : plain)(input, checkProbability(p), training);
}

const settings = (name: string, rest: readonly unknown[], training: boolean) =>
  named<DropoutFunctionOptions>(name, rest, { p: 0.5, training, inplace: false });

function elements(name: string, operator: string, isTraining: boolean): Dropout {
  const drop = kernel(operator);
  return (input, ...rest) => {
    const { p, training, inplace } = settings(name, rest, isTraining);
    return drop(input, p, training, inplace);
  };
}

/** Zeroes elements with probability `p`, and scales the others by 1 / (1 - p); see `torch.nn.functional.dropout`. */
export const dropout = elements('dropout', 'dropout', true);
/** Dropout that keeps mean and variance of self-normalising networks; see `torch.nn.functional.alpha_dropout`. */
export const alphaDropout = elements('alphaDropout', 'alpha_dropout', false);
/** `alphaDropout` of whole channels; see `torch.nn.functional.feature_alpha_dropout`. */
export const featureAlphaDropout = elements('featureAlphaDropout', 'feature_alpha_dropout', false);

const features = kernel('feature_dropout');

function channels(name: string, dims: number): Dropout {
  return (input, ...rest) => {
    const { p, training, inplace } = settings(name, rest, true);
    if (input.dim() === dims + 2) return features(input, p, training, inplace);
    const batched = inplace ? input.unsqueeze_(0) : input.unsqueeze(0);
    const dropped = features(batched, p, training, inplace);
    return inplace ? dropped.squeeze_(0) : dropped.squeeze(0);
  };
}

const dropoutLines = channels('dropout1d', 1);

/** Zeroes whole channels of [batch, channels, length]; see `torch.nn.functional.dropout1d`. */
export const dropout1d: Dropout = (input, ...rest) => {
  if (input.dim() === 2 || input.dim() === 3) return dropoutLines(input, ...rest);
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `dropout1d: the input must have 2 or 3 dimensions, got [${input.shape.join(', ')}].`,
  );
};

/**
 * Zeroes whole channels of [batch, channels, height, width]; see `torch.nn.functional.dropout2d`. As in Python three
 * dimensions are [batch, channels, length], with a warning in the log.
 */
export const dropout2d: Dropout = (input, ...rest) => {
  const { p, training, inplace } = settings('dropout2d', rest, true);
  if (input.dim() !== 4) logger.warn(`dropout2d: expected 4 dimensions, got [${input.shape.join(', ')}].`);
  return features(input, p, training, inplace);
};

/** Zeroes whole channels of [batch, channels, depth, height, width]; see `torch.nn.functional.dropout3d`. */
export const dropout3d: Dropout = channels('dropout3d', 3);
