import { AiforgeError } from '../errors.js';
import { boolean, orNull, type Kinds } from '../kinds.js';
import { show } from '../show.js';
import { Tensor } from '../tensor/tensor.js';
import type { Bucket } from './bucket.js';
import { checkScalar, type Scalar } from './scalars.js';

/** Options that most optimizers have. */
export interface CommonOptions {
  /** Ascends instead of descends. Default: false. */
  maximize: boolean;
  /**
   * The arithmetic of PyTorch's implementation on lists, which rounds otherwise for some optimizers. Default: null: as
   * PyTorch chooses, on lists for parameters on a GPU.
   */
  foreach: boolean | null;
  /** Records the step for `backward`, through parameters that are no leaves. Default: false. */
  differentiable: boolean;
}

export const commonOptions: Kinds<CommonOptions> = {
  foreach: orNull(boolean),
  maximize: boolean,
  differentiable: boolean,
};

/** For steps captured in CUDA graphs. */
export interface CapturableOptions {
  /**
   * Lets `cuda.CUDAGraph` capture the step: it counts on the GPU and reads nothing back, which rounds otherwise for some
   * optimizers and takes longer where no graph is replayed. Give `lr` as a Tensor on the GPU to change it between replays,
   * which RMSprop and Adadelta allow on lists alone. For parameters on a GPU only. Default: false.
   */
  capturable: boolean;
}

export const capturableOptions: Kinds<CapturableOptions> = { capturable: boolean };

/**
 * The options that are given, with defaults for the others; undefined is not given. Lists are copies that cannot be written into,
 * as Python's tuples: other groups and optimizers have the same.
 */
export function withDefaults<Options extends object>(defaults: Options, given: Partial<Options>): Options {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const all = Object.entries({ ...defaults, ...Object.fromEntries(set) });
  return Object.fromEntries(
    all.map(([name, value]) => [name, Array.isArray(value) ? Object.freeze([...(value as unknown[])]) : value]),
  ) as Options;
}

export function reject(message: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', message);
}

export function checkNotNegative(name: string, given: Scalar): void {
  const value = checkScalar(name, given);
  if (typeof value === 'number' && value >= 0) return;
  reject(`${name}: expected a number, 0 or more, got ${show(value)}.`);
}

/** Numbers from 0 to below 1. */
export function checkBetas(betas: readonly Scalar[]): void {
  if (!Array.isArray(betas) || betas.length !== 2) reject(`betas: expected two numbers, got ${show(betas)}.`);
  betas.forEach((beta, i) => {
    const value = checkScalar(`betas[${i}]`, beta);
    if (value >= 0 && value < 1) return;
    reject(`betas[${i}]: expected a number from 0 to below 1, got ${show(value)}.`);
  });
}

/** What the options of every optimizer of Adam's family must be. */
export function checkAdamOptions(options: {
  lr: Scalar;
  betas: readonly Scalar[];
  eps: number;
  weightDecay: number;
}): void {
  checkNotNegative('lr', options.lr);
  checkNotNegative('eps', options.eps);
  checkBetas(options.betas);
  checkNotNegative('weightDecay', options.weightDecay);
}

/** As Python: no tensors where the arithmetic on lists is asked for. */
export function checkListScalars(scalars: Record<string, Scalar>, foreach: boolean | null): void {
  if (foreach !== true) return;
  for (const [name, scalar] of Object.entries(scalars)) {
    if (Tensor.isTensor(scalar)) reject(`${name}: a Tensor is not supported with foreach: give a number.`);
  }
}

export function checkFused(foreach: boolean | null, fused: boolean | null, differentiable: boolean): void {
  if (fused !== true) return;
  if (differentiable) reject('fused and differentiable cannot both be true: a fused step is not recorded.');
  if (foreach === true) reject('fused and foreach cannot both be true: leave one out.');
}

/** Whether PyTorch would take its implementation on lists. */
export function usesLists(
  group: { foreach: boolean | null; fused?: boolean | null; differentiable: boolean },
  { isAccelerated }: Bucket,
): boolean {
  return group.foreach ?? (isAccelerated && !group.differentiable && (group.fused ?? null) === null);
}

export function refuseRecordedLists({ foreach, differentiable }: CommonOptions): void {
  if (foreach === true && differentiable)
    reject('differentiable: the operators on lists are not recorded; leave out foreach.');
}
