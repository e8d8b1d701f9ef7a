import { number, whole, oneOf, orNull, type Kinds } from '../kinds.js';
import { show } from '../show.js';
import { enableGrad, noGrad } from '../autograd/modes.js';
import { cat, viewAsReal, zeros } from '../tensor/generated/functions.js';
import { keep, scope, tensorsIn } from '../tensor/memory/scope.js';
import { Tensor } from '../tensor/tensor.js';
import type { ParameterState } from './bucket.js';
import { strongWolfe, type Found, type LineSearch } from './lineSearch.js';
import { Optimizer, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import { checkNotNegative, reject, withDefaults } from './options.js';
import { isAtMost, isLess, least, minus, over, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

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

const lbfgsOptions: Kinds<LBFGSOptions> = {
  lr: scalarKind,
  maxIter: whole,
  maxEval: orNull(whole),
  toleranceGrad: number,
  toleranceChange: number,
  historySize: whole,
  lineSearchFn: orNull(oneOf('strong_wolfe')),
};

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

/** The loss and the gradient where the parameters are. */
type Place = Pick<Found, 'loss' | 'gradient'>;

/** A direction to go in, from where the parameters are. */
type Line = Omit<LineSearch, 'evaluate'>;

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

const takes = takesParameters(lbfgsOptions);

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
    takes.own.check(new.target.name, arguments);
    const all = withDefaults(defaults, options);
    super(params, { ...all, maxEval: all.maxEval ?? Math.floor((all.maxIter * 5) / 4) });
  }

  protected override signatures(): OptimizerSignature {
    return takes;
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
    // The options of the whole step, whatever the closure makes of them.
    const group = { ...this.paramGroups[0]! };
    const { params, maxIter, toleranceGrad, toleranceChange } = group;
    const evaluationLimit = memory.evaluations + group.maxEval!;
    let here = placeOf(params, first);
    ++memory.evaluations;
    if (isSmall(here.gradient, toleranceGrad)) return;
    for (let i = 1; i <= maxIter; ++i) {
      const direction = aim(memory, here, group);
      const slope = here.gradient.dot(direction);
      if (isLess(-toleranceChange, slope)) return;
      const maxEvaluations = evaluationLimit - memory.evaluations;
      const line = { ...here, direction, t: memory.t, slope, toleranceChange, maxEvaluations };
      const found = usesSearch(group) ? search(params, closure, line) : walk(params, closure, line, i === maxIter);
      here = found;
      memory.t = found.t;
      memory.evaluations += found.evaluations;
      if (memory.evaluations >= evaluationLimit || isSmall(here.gradient, toleranceGrad)) return;
      if (hasStalled(memory, here.loss, toleranceChange)) return;
    }
  }
}

const lossOf = (loss: unknown): number => {
  if (typeof loss === 'number') return loss;
  if (Tensor.isTensor(loss)) return loss.item();
  return reject('LBFGS: the closure must return the loss, a Tensor of one element or a number.');
};

const placeOf = (params: readonly Tensor[], loss: unknown): Place => ({
  loss: lossOf(loss),
  gradient: flatGradient(params),
});

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

function usesSearch({ lineSearchFn }: LBFGSOptions): boolean {
  if (lineSearchFn === null || lineSearchFn === 'strong_wolfe') return lineSearchFn !== null;
  return reject(`lineSearchFn: expected null or 'strong_wolfe', got ${show(lineSearchFn)}.`);
}

/** Goes t along the line. Where the last iteration ends is not looked at. */
function walk(params: readonly Tensor[], closure: Closure, line: Line, isLast: boolean): Found {
  const { t, direction, loss, gradient } = line;
  move(params, t, direction);
  return isLast ? { t, loss, gradient, evaluations: 0 } : { t, ...placeOf(params, closure()), evaluations: 1 };
}

/** Goes as far along the line as the line search says. */
function search(params: readonly Tensor[], closure: Closure, line: Line): Found {
  const start = params.map((parameter) => parameter.clone());
  const evaluate = (t: Scalar): Place => {
    move(params, t, line.direction);
    const there = placeOf(params, closure());
    params.forEach((parameter, p) => parameter.copy_(start[p]!));
    return there;
  };
  const found = strongWolfe({ ...line, evaluate });
  move(params, found.t, line.direction);
  return found;
}

/** Whether the last step changed the parameters or the loss too little to go on. */
function hasStalled({ direction, t, previousLoss }: Memory, loss: number, tolerance: number): boolean {
  return isSmall(direction!.mul(t as number), tolerance) || Math.abs(loss - previousLoss) < tolerance;
}

/** The direction of the next step, which is put down with its length and where it begins. */
function aim(memory: Memory, { loss, gradient }: Place, { lr, historySize }: LBFGSOptions): Tensor {
  ++memory.iterations;
  const direction = nextDirection(memory, gradient, historySize);
  memory.direction = direction;
  if (memory.previousGradient === undefined) memory.previousGradient = gradient.clone();
  else memory.previousGradient.copy_(gradient);
  memory.previousLoss = loss;
  const rate = withoutDimensions(lr);
  memory.t = memory.iterations === 1 ? times(least(1, over(1, gradient.abs().sum())), rate) : rate;
  return direction;
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
