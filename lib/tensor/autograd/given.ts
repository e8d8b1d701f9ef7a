import { AiforgeError } from '../../errors.js';
import type { Tensor } from '../tensor.js';

// What the engine is given. LibTorch sums a gradient of another shape into the output's without a word, and takes no inputs
// for all of them.

const isComplex = ({ dtype }: Tensor): boolean => dtype.startsWith('complex');

function refuseGradient(i: number, what: string, output: unknown, given: unknown): never {
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `The gradient given for output ${i} must have the ${what} of that output, ${String(output)}, got ${String(given)}; ` +
      'convert it first.',
  );
}

/** @internal Refuses gradients that do not belong to their outputs. An output or a gradient may be left out. */
export function checkGradients(
  outputs: readonly (Tensor | null)[],
  gradients: readonly (Tensor | null | undefined)[],
): void {
  if (gradients.length !== outputs.length) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `Expected a gradient or null for each output, got ${gradients.length} for ${outputs.length}.`,
    );
  }
  for (const [i, gradient] of gradients.entries()) {
    const output = outputs[i];
    // The sizes of a nested tensor are no list; the engine compares them itself.
    if (gradient == null || output == null || output.isNested || gradient.isNested) continue;
    const [expected, got] = [output, gradient].map(({ shape }) => `[${shape.join(', ')}]`);
    if (expected !== got) refuseGradient(i, 'shape', expected, got);
    if (isComplex(output) !== isComplex(gradient)) refuseGradient(i, 'dtype', output.dtype, gradient.dtype);
  }
}

/** @internal Refuses an empty list of inputs. */
export function requireInputs(name: string, inputs: readonly Tensor[]): void {
  if (inputs.length > 0) return;
  throw new AiforgeError('INVALID_ARGUMENT', `${name}: expected at least one input to differentiate by, got none.`);
}
