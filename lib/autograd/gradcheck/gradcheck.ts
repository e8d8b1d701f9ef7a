import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import { empty, viewAsReal } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { isTracked } from './analyticalJacobian.js';
import { checkFast } from './fast.js';
import { checkedFunction, startRun, type Settings } from './run.js';
import { checkSlowly } from './slow.js';
import { checkBatched, checkScaledByGradOutput, checkUndefinedGradients, checkUndefinedTangents } from './zeros.js';
import { gradientsOf } from '../gradients.js';
import { onlyTensors } from '../transforms/transformArguments.js';
import { isComplex, isDifferentiable } from './matrix.js';
import { anything, boolean, func, number, optional, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';

export interface GradcheckOptions {
  /** How far inputs are moved for the differences. Default: 1e-6. */
  eps?: number;
  /** Default: 1e-5. */
  atol?: number;
  /** Default: 1e-3. */
  rtol?: number;
  /** Throws GRADCHECK_FAILED with both Jacobians where they differ, instead of giving false. Default: true. */
  raiseException?: boolean;
  /** How far two backward passes may differ. Default: 0. */
  nondetTol?: number;
  /** Checks that backward takes missing gradients for zeros. Default: true. */
  checkUndefinedGrad?: boolean;
  /** Checks that gradients have the dtypes of their inputs. Default: false. */
  checkGradDtypes?: boolean;
  /** Checks that `vmap` can run backward. Default: false. */
  checkBatchedGrad?: boolean;
  /** Checks forward-mode gradients too. Default: false. */
  checkForwardAd?: boolean;
  /** Checks backward gradients. Default: true. */
  checkBackwardAd?: boolean;
  /** Compares along random directions only, which takes a few evaluations instead of two for each element. Default: false. */
  fastMode?: boolean;
}

export interface GradgradcheckOptions extends Omit<GradcheckOptions, 'checkForwardAd' | 'checkBackwardAd'> {
  /** Makes the random gradients of the outputs non-contiguous. Default: false. */
  genNonContigGradOutputs?: boolean;
  /** Checks forward-mode gradients of the backward pass. Default: false. */
  checkFwdOverRev?: boolean;
  /** Checks backward gradients of the backward pass. Default: true. */
  checkRevOverRev?: boolean;
}

const sharedOptions: Kinds<Omit<GradcheckOptions, 'checkForwardAd' | 'checkBackwardAd'>> = {
  eps: number,
  atol: number,
  rtol: number,
  raiseException: boolean,
  nondetTol: number,
  checkUndefinedGrad: boolean,
  checkGradDtypes: boolean,
  checkBatchedGrad: boolean,
  fastMode: boolean,
};
const gradcheckTakes = signature<GradcheckOptions>(
  { fn: func(), inputs: anything },
  { ...sharedOptions, checkForwardAd: boolean, checkBackwardAd: boolean },
);
const gradgradcheckTakes = signature<GradgradcheckOptions>(
  { fn: func(), inputs: anything, gradOutputs: optional(anything) },
  { ...sharedOptions, genNonContigGradOutputs: boolean, checkFwdOverRev: boolean, checkRevOverRev: boolean },
);

/** What `gradcheck` is given: one argument, or all in an array. */
export type CheckedInputs = Tensor | readonly unknown[];

function invalid(message: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', message);
}

function hasOverlap(tensor: Tensor): boolean {
  const shape = tensor.shape;
  return tensor.stride().some((stride, dim) => stride === 0 && shape[dim]! > 1);
}

function requireTracked(name: string, inputs: readonly unknown[]): void {
  if (inputs.some(isTracked)) return;
  throw invalid(
    `${name} expects at least one input tensor to require gradient, but none of them have requiresGrad = true.`,
  );
}

function checkInputs(name: string, inputs: readonly unknown[]): void {
  requireTracked(name, inputs);
  for (const [i, input] of inputs.entries()) {
    if (!isTracked(input)) continue;
    if (input.layout !== 'strided' || !input.device.startsWith('cpu')) {
      throw invalid(`${name}: input ${i} must be a strided tensor on the CPU, got ${input.layout} on ${input.device}.`);
    }
    if (hasOverlap(input)) {
      throw invalid(
        `${name}: input ${i} has a dimension with stride 0, but only inputs that do not overlap can be changed one element ` +
          'at a time. Call contiguous() on it before.',
      );
    }
    if (input.dtype !== 'float64' && input.dtype !== 'complex128') {
      logger.warn(
        `${name}: input #${i} requires gradient and is not a double precision floating point or complex. This check will ` +
          'likely fail if all the inputs are not of double precision floating point or complex.',
      );
    }
  }
}

const asList = (inputs: CheckedInputs): readonly unknown[] =>
  (Array.isArray(inputs) ? inputs : [inputs]) as readonly unknown[];

function runChecks(
  name: string,
  fn: (...inputs: never[]) => unknown,
  inputs: readonly unknown[],
  settings: Settings,
): void {
  checkInputs(name, inputs);
  scope(() => {
    const run = startRun(name, fn, inputs, settings);
    for (const { layout } of run.differentiable) {
      if (layout !== 'strided') throw invalid(`${name}: outputs must be strided, got ${layout}: call toDense() on it.`);
    }
    (settings.fastMode ? checkFast : checkSlowly)(run);
    if (settings.checkForwardAd && settings.checkUndefinedGrad) checkUndefinedTangents(run);
    if (!settings.checkBackwardAd) return;
    if (settings.checkBatchedGrad) checkBatched(run);
    checkScaledByGradOutput(run);
    if (settings.checkUndefinedGrad) checkUndefinedGradients(run);
  });
}

function checked(
  name: string,
  fn: (...inputs: never[]) => unknown,
  inputs: readonly unknown[],
  { raiseException = true, ...given }: GradcheckOptions,
): boolean {
  const settings: Settings = {
    eps: given.eps ?? 1e-6,
    atol: given.atol ?? 1e-5,
    rtol: given.rtol ?? 1e-3,
    nondetTol: given.nondetTol ?? 0,
    checkUndefinedGrad: given.checkUndefinedGrad ?? true,
    checkGradDtypes: given.checkGradDtypes ?? false,
    checkBatchedGrad: given.checkBatchedGrad ?? false,
    checkForwardAd: given.checkForwardAd ?? false,
    checkBackwardAd: given.checkBackwardAd ?? true,
    fastMode: given.fastMode ?? false,
  };
  try {
    runChecks(name, fn, inputs, settings);
    return true;
  } catch (error) {
    if (!raiseException && error instanceof AiforgeError && error.code === 'GRADCHECK_FAILED') return false;
    throw error;
  }
}

/**
 * Compares the gradients of `fn` with differences of its values, by every input that requires a gradient. These should be
 * float64 or complex128, and `fn` must not use random numbers. As `torch.autograd.gradcheck`.
 *
 * @param fn Gives a tensor, or an array of them.
 * @throws AiforgeError GRADCHECK_FAILED with both Jacobians where they differ.
 * @example
 * import { autograd, tensor } from 'aiforge';
 * const x = tensor([0.5, 2], { dtype: 'float64', requiresGrad: true });
 * autograd.gradcheck((a) => a.sin().mul(a), x); // true
 */
export function gradcheck(
  fn: (...inputs: never[]) => Tensor | readonly Tensor[],
  inputs: CheckedInputs,
  options: GradcheckOptions = {},
): boolean {
  gradcheckTakes.check('gradcheck', arguments);
  const { checkForwardAd = false, checkBackwardAd = true, checkBatchedGrad = false } = options;
  if (!checkForwardAd && !checkBackwardAd) {
    throw invalid('gradcheck: expected checkForwardAd or checkBackwardAd, or both, to be true.');
  }
  if (checkBatchedGrad && !checkBackwardAd) {
    throw invalid('gradcheck: checkBatchedGrad needs checkBackwardAd.');
  }
  return checked('gradcheck', fn, asList(inputs), options);
}

/** A random gradient for an output, between -1 and 1. */
function randomGradient(output: Tensor, isNonContiguous: boolean): Tensor {
  const shape = isNonContiguous ? [...output.shape, 2] : output.shape;
  const dtype = isDifferentiable(output) ? output.dtype : 'float64';
  const made = empty(shape, { dtype, device: output.device });
  (isComplex(made) ? viewAsReal(made) : made).uniform_(-1, 1);
  return (isNonContiguous ? made.select(-1, 0) : made).requiresGrad_();
}

/**
 * Compares the gradients of the gradients of `fn` with differences, by the inputs and the outputs' gradients that require
 * it. As `torch.autograd.gradgradcheck`.
 *
 * @param gradOutputs The gradients of the outputs; null for random ones.
 * @throws AiforgeError GRADCHECK_FAILED with both Jacobians where they differ.
 * @example
 * import { autograd, tensor } from 'aiforge';
 * const x = tensor([0.5, 2], { dtype: 'float64', requiresGrad: true });
 * autograd.gradgradcheck((a) => a.sin().mul(a), x); // true
 */
export function gradgradcheck(
  fn: (...inputs: never[]) => Tensor | readonly Tensor[],
  inputs: CheckedInputs,
  gradOutputs: Tensor | readonly Tensor[] | null = null,
  options: GradgradcheckOptions = {},
): boolean {
  gradgradcheckTakes.check('gradgradcheck', arguments);
  const { genNonContigGradOutputs = false, checkFwdOverRev = false, checkRevOverRev = true, ...rest } = options;
  if (!checkFwdOverRev && !checkRevOverRev) {
    throw invalid('gradgradcheck: expected checkFwdOverRev or checkRevOverRev, or both, to be true.');
  }
  const given = asList(inputs);
  requireTracked('gradgradcheck', given);
  const call = checkedFunction('gradgradcheck', fn);
  return scope(() => {
    const seeds =
      gradOutputs === null
        ? call(given)
            .filter((output) => output.requiresGrad)
            .map((output) => randomGradient(output, genNonContigGradOutputs))
        : onlyTensors('gradgradcheck', 'gradOutputs', asList(gradOutputs));
    const wasTracked = [...given, ...seeds].map(isTracked);
    const gradients = (...all: unknown[]): Tensor[] => {
      // Forward mode gives detached inputs.
      for (const [i, argument] of all.entries()) if (wasTracked[i] === true) (argument as Tensor).requiresGrad_();
      const primals = all.slice(0, given.length);
      const outputs = call(primals).filter((output) => output.requiresGrad);
      const by = primals.filter((_, i) => wasTracked[i]) as Tensor[];
      return gradientsOf(outputs, by, all.slice(given.length) as Tensor[], { createGraph: true }).filter(
        (g) => g !== null,
      );
    };
    return checked('gradgradcheck', gradients, [...given, ...seeds], {
      ...rest,
      checkForwardAd: checkFwdOverRev,
      checkBackwardAd: checkRevOverRev,
    });
  });
}
