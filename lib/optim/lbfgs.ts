import { enableGrad, noGrad } from '../autograd/modes.js';
import { cat, viewAsReal, zeros } from '../tensor/generated/functions.js';
import { keep, scope, tensorsIn } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import type { ParameterState } from './bucket.js';
import { strongWolfe } from './lineSearch.js';
import { Optimizer, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import { checkNotNegative, reject, withDefaults } from './options.js';
import { isAtMost, isLess, least, minus, over, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';

export interface LBFGSOptions {
  /** The learning rate. Default: 1. */
  lr: Scalar;
  /** Iterations a step. Default: 20. */
  maxIter: number;
  /** Evaluations of the closure a step. Default: null, which is maxIter * 5 / 4, rounded down. */
  maxEval: number | null;
  /** Ends a step when no element of the gradient is greater. Default: 1e-7. */
  toleranceGrad: number;
  /** Ends a step when the loss or the parameters change by no more. Default: 1e-9. */
  toleranceChange: number;
  /** How many steps the estimate of the curvature is made of. Default: 100. */
  historySize: number;
  /** `'strong_wolfe'`, or null to go the learning rate's way each time. Default: null. */
  lineSearchFn: 'strong_wolfe' | null;
}

const defaults: LBFGSOptions = {
  lr: 1,
  maxIter: 20,
  maxEval: null,
  toleranceGrad: 1e-7,
  toleranceChange: 1e-9,
  historySize: 100,
  lineSearchFn: null,
};

type Closure = () => unknown;

/** What is known of the curvature, from one iteration to the next; PyTorch's names are in `stateOf`. */
interface Memory {
  direction: Tensor | undefined;
  t: Scalar;
  gradientChanges: Tensor[];
  parameterChanges: Tensor[];
  inverses: Tensor[];
  scale: Scalar;
  previousGradient: Tensor | undefined;
  previousLoss: number;
  coefficients: (Tensor | null)[] | undefined;
  iterations: number;
  evaluations: number;
}

/**
 * L-BFGS: Newton's method with an estimate of the curvature from the last steps. One step evaluates the loss many times, so
 * it takes a closure that zeroes the gradients, computes the loss, calls `backward` and returns the loss. All parameters
 * are in one group, and take memory of `historySize + 1` times their size.
 *
 *     p = p - t * H g, where H is the inverse of the curvature by the changes of gradients and parameters so far, and
 *     t = lr, at the first iteration min(1, 1 / |g|) * lr; or what the line search finds
 *
 * As `torch.optim.LBFGS`, bit by bit. After "On the limited memory BFGS method for large scale optimization" (Liu, Nocedal,
 * 1989).
 *
 * @example
 * import { nn, ones, optim } from 'aiforge';
 * const x = new nn.Parameter(ones([2]));
 * const optimizer = new optim.LBFGS([x], { lineSearchFn: 'strong_wolfe' });
 * optimizer.step(() => {
 *   optimizer.zeroGrad();
 *   const loss = x.sub(3).square().sum();
 *   loss.backward();
 *   return loss;
 * });
 * x.tolist(); // [3, 3]
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  protected override readonly counters = [];
  protected override readonly hasStateLikeParameters = false;
  protected override readonly sparseAdvice = null;

  constructor(params: Parameters | Iterable<ParameterGroupOptions<LBFGSOptions>>, options: Partial<LBFGSOptions> = {}) {
    const all = withDefaults(defaults, options);
    super(params, { ...all, maxEval: all.maxEval ?? Math.floor((all.maxIter * 5) / 4) });
  }

  protected override checkOptions({ lr }: LBFGSOptions): void {
    checkNotNegative('lr', lr);
  }

  override addParamGroup(options: ParameterGroupOptions<LBFGSOptions>): void {
    if (this.paramGroups.length > 0) reject('LBFGS has one group of parameters: give all of them in one list.');
    super.addParamGroup(options);
  }

  protected override initialState(): ParameterState {
    return {};
  }

  protected override update(): void {
    // Everything is done in runStep, by evaluations of the closure.
  }

  protected override runStep<T>(closure: (() => T) | undefined): T {
    if (closure === undefined) reject('LBFGS.step takes a closure that computes the loss and its gradients.');
    const { params } = this.paramGroups[0]!;
    const owner = params[0]!;
    const before = this.state.get(owner) ?? {};
    let first: T | undefined;
    const state = scope(() =>
      noGrad(() => {
        const memory = memoryOf(before);
        const evaluate = (): unknown => enableGrad(closure);
        first = evaluate() as T;
        this.#iterate(evaluate, first, memory);
        // What the closure gave outlives the step as well.
        return [first, stateOf(memory, before)] as const;
      }),
    )[1];
    const tensors = new Set(tensorsIn(state));
    tensors.forEach(keep);
    this.state.set(owner, state);
    for (const old of tensorsIn(before)) if (!tensors.has(old)) old.dispose();
    return first as T;
  }

  #iterate(closure: Closure, first: unknown, memory: Memory): void {
    const group = this.paramGroups[0]!;
    const { toleranceGrad, toleranceChange, maxIter, lineSearchFn } = group;
    const maxEval = group.maxEval!;
    const { params } = group;
    const lr = withoutDimensions(group.lr);
    let loss = lossOf(first);
    let gradient = flatGradient(params);
    let evaluations = 1;
    ++memory.evaluations;
    if (isSmall(gradient, toleranceGrad)) return;
    for (let i = 1; i <= maxIter; ++i) {
      ++memory.iterations;
      const direction = nextDirection(memory, gradient, group.historySize);
      memory.direction = direction;
      if (memory.previousGradient === undefined) memory.previousGradient = gradient.clone();
      else memory.previousGradient.copy_(gradient);
      memory.previousLoss = loss;
      memory.t = memory.iterations === 1 ? times(least(1, over(1, gradient.abs().sum())), lr) : lr;
      const slope = gradient.dot(direction);
      if (isLess(-toleranceChange, slope)) break;

      let made = 0;
      let isOptimal = false;
      if (lineSearchFn === null) {
        move(params, memory.t, direction);
        if (i !== maxIter) {
          loss = lossOf(closure());
          gradient = flatGradient(params);
          isOptimal = isSmall(gradient, toleranceGrad);
          made = 1;
        }
      } else {
        if (lineSearchFn !== 'strong_wolfe')
          reject(`lineSearchFn: expected null or 'strong_wolfe', got ${String(lineSearchFn)}.`);
        const start = params.map((parameter) => parameter.clone());
        const evaluate = (t: Scalar): { loss: number; gradient: Tensor } => {
          move(params, t, direction);
          const there = { loss: lossOf(closure()), gradient: flatGradient(params) };
          params.forEach((parameter, p) => parameter.copy_(start[p]!));
          return there;
        };
        const search = { evaluate, direction, t: memory.t, loss, gradient, slope, toleranceChange };
        const found = strongWolfe({ ...search, maxEvaluations: maxEval - evaluations });
        ({ loss, gradient, t: memory.t } = found);
        made = found.evaluations;
        move(params, memory.t, direction);
        isOptimal = isSmall(gradient, toleranceGrad);
      }
      evaluations += made;
      memory.evaluations += made;
      if (evaluations >= maxEval || isOptimal) break;
      if (isSmall(direction.mul(memory.t as number), toleranceChange)) break;
      if (Math.abs(loss - memory.previousLoss) < toleranceChange) break;
    }
  }
}

const lossOf = (loss: unknown): number => {
  if (typeof loss === 'number') return loss;
  if (Tensor.isTensor(loss)) return loss.item<number>();
  return reject('LBFGS: the closure must return the loss, a Tensor of one element or a number.');
};

const isSmall = (tensor: Tensor, tolerance: number): boolean => isAtMost(tensor.abs().max(), tolerance);

const isComplex = (tensor: Tensor): boolean => tensor.dtype.startsWith('complex');

function flatGradient(params: readonly Tensor[]): Tensor {
  return cat(
    params.map((parameter) => {
      const { grad, dtype, device } = parameter;
      const dense = grad === null ? zeros([parameter.numel()], { dtype, device }) : grad;
      const view = (dense.layout === 'strided' ? dense : dense.toDense()).view([-1]);
      return isComplex(view) ? viewAsReal(view).view([-1]) : view;
    }),
    0,
  );
}

/** Adds t times the direction to the parameters. */
function move(params: readonly Tensor[], t: Scalar, direction: Tensor): void {
  const alpha = valueOf(t);
  let offset = 0;
  for (const parameter of params) {
    const real = isComplex(parameter) ? viewAsReal(parameter) : parameter;
    const count = real.numel();
    real.add_(direction.narrow(0, offset, count).viewAs(real), { alpha });
    offset += count;
  }
}

/** Minus the gradient times the inverse of the curvature, by the two loops of L-BFGS. */
function nextDirection(memory: Memory, gradient: Tensor, historySize: number): Tensor {
  if (memory.iterations === 1) {
    Object.assign(memory, { gradientChanges: [], parameterChanges: [], inverses: [], scale: 1 });
    return gradient.neg();
  }
  remember(memory, gradient, historySize);
  const { gradientChanges, parameterChanges, inverses } = memory;
  const coefficients = (memory.coefficients ??= new Array<Tensor | null>(historySize).fill(null));
  const q = gradient.neg();
  for (let i = gradientChanges.length - 1; i >= 0; --i) {
    const coefficient = parameterChanges[i]!.dot(q).mul(inverses[i]!);
    coefficients[i] = coefficient;
    q.add_(gradientChanges[i]!, { alpha: -valueOf(coefficient) });
  }
  const direction = q.mul(memory.scale as number);
  gradientChanges.forEach((change, i) => {
    const back = change.dot(direction).mul(inverses[i]!);
    direction.add_(parameterChanges[i]!, { alpha: valueOf(minus(coefficients[i]!, back)) });
  });
  return direction;
}

// The last change of the gradient and of the parameters, unless the curvature along it is too small.
function remember(memory: Memory, gradient: Tensor, historySize: number): void {
  const change = gradient.sub(memory.previousGradient!);
  const moved = memory.direction!.mul(memory.t as number);
  const curvature = change.dot(moved);
  if (!isLess(1e-10, curvature)) return;
  const { gradientChanges, parameterChanges, inverses } = memory;
  if (gradientChanges.length === historySize)
    for (const list of [gradientChanges, parameterChanges, inverses]) list.shift();
  gradientChanges.push(change);
  parameterChanges.push(moved);
  inverses.push(over(1, curvature) as Tensor);
  memory.scale = over(curvature, change.dot(change));
}

function memoryOf(state: ParameterState): Memory {
  const list = (name: string): Tensor[] => [...((state[name] ?? []) as Tensor[])];
  return {
    direction: state.d as Tensor | undefined,
    t: state.t as Scalar,
    gradientChanges: list('old_dirs'),
    parameterChanges: list('old_stps'),
    inverses: list('ro'),
    scale: state.H_diag as Scalar,
    previousGradient: (state.prev_flat_grad ?? undefined) as Tensor | undefined,
    previousLoss: state.prev_loss as number,
    coefficients: state.al === undefined ? undefined : [...(state.al as (Tensor | null)[])],
    iterations: (state.n_iter ?? 0) as number,
    evaluations: (state.func_evals ?? 0) as number,
  };
}

function stateOf(memory: Memory, before: ParameterState): ParameterState {
  const { evaluations: func_evals, iterations: n_iter, coefficients } = memory;
  const counts = { func_evals, n_iter };
  // A step that began at a minimum has looked at nothing else.
  if (memory.direction === undefined) return { ...before, ...counts };
  return {
    ...counts,
    ...(coefficients === undefined ? {} : { al: coefficients }),
    d: memory.direction,
    t: memory.t,
    old_dirs: memory.gradientChanges,
    old_stps: memory.parameterChanges,
    ro: memory.inverses,
    H_diag: memory.scale,
    prev_flat_grad: memory.previousGradient!,
    prev_loss: memory.previousLoss,
  };
}
