import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { Tensor } from '../../tensor/tensor.js';
import { isTracked } from './analyticalJacobian.js';
import { isComplex } from './matrix.js';
import type { Checked } from './numericalJacobian.js';
import { callNow } from '../transforms/transform.js';

/** The settings of a check, all given. */
export interface Settings {
  readonly eps: number;
  readonly atol: number;
  readonly rtol: number;
  readonly nondetTol: number;
  readonly checkUndefinedGrad: boolean;
  readonly checkGradDtypes: boolean;
  readonly checkBatchedGrad: boolean;
  readonly checkForwardAd: boolean;
  readonly checkBackwardAd: boolean;
  readonly fastMode: boolean;
}

/** One check under way: the function, its arguments, and what it returned for them. */
export interface Run {
  readonly fn: Checked;
  readonly inputs: readonly unknown[];
  /** The arguments that are differentiated by. */
  readonly tracked: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Those outputs that have a gradient. */
  readonly differentiable: readonly Tensor[];
  readonly settings: Settings;
}

/** What a check found: this is what `raiseException: false` turns into false. */
export function failed(message: string, cause?: unknown): AiforgeError {
  return new AiforgeError('GRADCHECK_FAILED', message, { cause });
}

export function checkedFunction(name: string, fn: (...inputs: never[]) => unknown): Checked {
  return (inputs) => {
    const result = callNow(name, fn, inputs);
    const outputs: readonly unknown[] = Array.isArray(result) ? result : [result];
    for (const output of outputs) {
      if (Tensor.isTensor(output)) continue;
      const found = show(output);
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `${name}: the function must return a Tensor or an array of Tensors, got ${found}.`,
      );
    }
    return outputs as Tensor[];
  };
}

/** Whether a difference is one of an output's real or of its imaginary part. */
export type Part = 'real' | 'imaginary';

/** Complex numbers are checked in two rounds, the imaginary parts first; what is real takes part in the first only. */
export function* rounds(all: readonly Tensor[]): Generator<{ index: number; part: Part }> {
  const hasComplex = all.some(isComplex);
  for (const part of hasComplex ? (['imaginary', 'real'] as const) : (['real'] as const)) {
    for (const [index, tensor] of all.entries()) {
      if (isComplex(tensor)) yield { index, part };
      else if (part === 'imaginary' || !hasComplex) yield { index, part: 'real' };
    }
  }
}

export interface Mismatch {
  readonly output: number;
  readonly input: number;
  readonly numerical: string;
  readonly analytical: string;
  /** What was complex and seen by this part only; null for real numbers. */
  readonly part: Part | null;
  readonly isForward: boolean;
}

/** The message of PyTorch's gradcheck. */
export function mismatch({ output, input, numerical, analytical, part, isForward }: Mismatch): string {
  const [mode, what] = isForward ? ['computed with forward mode ', 'inputs'] : ['', 'outputs'];
  const prefix = part === null ? '' : `While considering the ${part} part of complex ${what} only, `;
  return (
    `${prefix}Jacobian ${mode}mismatch for output ${output} with respect to input ${input},\n` +
    `numerical:${numerical}\nanalytical:${analytical}\n`
  );
}

export function startRun(
  name: string,
  fn: (...inputs: never[]) => unknown,
  inputs: readonly unknown[],
  settings: Settings,
): Run {
  const checked = checkedFunction(name, fn);
  const outputs = checked(inputs);
  return {
    fn: checked,
    inputs,
    tracked: inputs.filter(isTracked),
    outputs,
    differentiable: outputs.filter((output) => output.requiresGrad),
    settings,
  };
}
