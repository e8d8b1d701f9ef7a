import { AiforgeError } from '../../errors.js';
import { anything, func, listOf } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkpoint, checkpointOptions, type CheckpointOptions } from './checkpoint.js';

type Stage = (input: Tensor) => Tensor;

const takes = signature({ stages: listOf(func()), segments: anything, input: anything }, checkpointOptions);

/**
 * Runs functions one after the other in `segments` parts, each but the last checkpointed. As
 * `torch.utils.checkpoint.checkpoint_sequential`.
 *
 * @example
 * import { checkpointSequential, ones } from 'aiforge';
 * const x = ones([2], { requiresGrad: true });
 * checkpointSequential([(t) => t.exp(), (t) => t.sin(), (t) => t.mul(2)], 2, x).sum().backward();
 */
export function checkpointSequential(
  stages: readonly Stage[],
  segments: number,
  input: Tensor,
  options: CheckpointOptions = {},
): Tensor {
  takes.check('checkpointSequential', arguments);
  if (!Number.isInteger(segments) || segments < 1 || segments > stages.length) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `checkpointSequential: expected from 1 to ${stages.length} segments, as many as there are functions, got ${show(segments)}.`,
    );
  }
  const size = Math.floor(stages.length / segments);
  const run = (part: readonly Stage[], x: Tensor) => part.reduce((value, stage) => stage(value), x);
  let value = input;
  for (let i = 0; i < segments - 1; ++i) {
    const part = stages.slice(i * size, (i + 1) * size);
    value = checkpoint((x: Tensor) => run(part, x), value, { useReentrant: false, ...options });
  }
  return run(stages.slice((segments - 1) * size), value);
}
