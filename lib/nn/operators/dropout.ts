import { AiforgeError } from '../../errors.js';
import { native, type Handle } from '../../native.js';
import { enterContext } from '../../tensor/context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';
import { warnOnce } from '../../warnOnce.js';
import { operator } from './call.js';
import { checkInput } from '../checks.js';

const { call } = native;

type Drop = (input: Tensor, p: number, training: boolean, inplace: boolean) => Tensor;

function drop(name: string): Drop {
  const [copying, inPlace] = [operator(name), operator(`${name}_`)];
  return (input, p, training, inplace) => {
    enterContext();
    if (!inplace) return wrapHandle(call(copying, handleOf(input), p, training) as Handle);
    call(inPlace, handleOf(input), p, training);
    return input;
  };
}

/** Zeroes elements. */
export const dropout = drop('dropout');
export const alphaDropout = drop('alpha_dropout');
export const featureAlphaDropout = drop('feature_alpha_dropout');

const channels = drop('feature_dropout');

const unbatched: Drop = (input, p, training, inplace) => {
  if (!inplace) return channels(input.unsqueeze(0), p, training, false).squeeze(0);
  return channels(input.unsqueeze_(0), p, training, true).squeeze_(0);
};

export const dropout1d: Drop = (input, p, training, inplace) => {
  checkInput('dropout1d', input);
  const dims = input.dim();
  if (dims === 3) return channels(input, p, training, inplace);
  if (dims === 2) return unbatched(input, p, training, inplace);
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `dropout1d: the input must have 2 or 3 dimensions, got [${input.shape.join(', ')}].`,
  );
};

export const dropout2d: Drop = (input, p, training, inplace) => {
  checkInput('dropout2d', input);
  const dims = input.dim();
  if (dims !== 4) warnOnce(`dropout2d: expected 4 dimensions, got ${dims}; the channels are those of dimension 1.`);
  return channels(input, p, training, inplace);
};

export const dropout3d: Drop = (input, p, training, inplace) => {
  checkInput('dropout3d', input);
  const dims = input.dim();
  if (dims === 5) return channels(input, p, training, inplace);
  if (dims !== 4)
    warnOnce(`dropout3d: expected 4 or 5 dimensions, got ${dims}; the channels are those of dimension 0.`);
  return unbatched(input, p, training, inplace);
};
