import { anything, listOf, orNull, string, type Kinds, whole } from '../../kinds.js';
import { show } from '../../show.js';
import { nothing, signature } from '../../signature.js';
import { noGrad } from '../../autograd/modes.js';
import { keep, scope } from '../../tensor/memory/scope.js';
import { onesLike } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { addHook, removeHook } from '../hooks/moduleHooks.js';
import { refuse } from '../modules/containers.js';
import { Parameter } from '../parameter.js';
import { findMember, hooksOf, setMember } from '../members/registry.js';
import { tensorKind } from '../../tensor/kinds.js';
import { moduleKind } from '../moduleKinds.js';

/** What a pruning method works on: single elements, whole channels, or the tensor as it is. */
export type PruningType = 'unstructured' | 'structured' | 'global';

export interface PruneOptions {
  /** What says which elements matter, in the tensor's shape. Default: the tensor itself. */
  importanceScores?: Tensor | null;
}

export const pruneOptions: Kinds<PruneOptions> = { importanceScores: orNull(tensorKind) };

type PruningHook = (module: Module) => void;

// Which method a forward pre-hook belongs to.
const methods = new WeakMap<PruningHook, BasePruningMethod>();

const original = (name: string): string => `${name}Orig`;
const maskName = (name: string): string => `${name}Mask`;
const read = (module: Module, property: string): Tensor => Reflect.get(module, property) as Tensor;

const pruneTakes = signature<PruneOptions & { defaultMask?: Tensor | null }>(
  { t: tensorKind },
  { ...pruneOptions, defaultMask: orNull(tensorKind) },
);

/** What the `computeMask` of every method takes. */
export const computeMaskTakes = signature({ t: tensorKind, defaultMask: tensorKind });
const indexTakes = signature({ index: whole });
const moduleTakes = signature({ module: moduleKind });
const methodTakes = signature({ module: moduleKind, name: string, args: listOf(anything) }, pruneOptions);

/**
 * The base of the pruning methods, which set elements of a parameter to zero: `computeMask` says which, `weightOrig` is
 * learnt in the parameter's place, and `weight` is computed of it and of the buffer `weightMask` before every `forward`.
 * As `torch.nn.utils.prune.BasePruningMethod`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * class Negative extends nn.utils.prune.BasePruningMethod {
 *   pruningType = 'unstructured';
 *   computeMask(t, defaultMask) {
 *     return defaultMask.mul(t.gt(0));
 *   }
 * }
 * new Negative().prune(tensor([3, -1, 2])).tolist(); // [3, 0, 2]
 */
export abstract class BasePruningMethod {
  abstract readonly pruningType: PruningType;
  /** The property that the method prunes; null before it is applied. */
  tensorName: string | null = null;

  /** @internal Computes the pruned tensor before every `forward`. */
  readonly hook: PruningHook = (module) => this.update(module);

  constructor() {
    if (arguments.length > 0) nothing.check(new.target.name, arguments);
    methods.set(this.hook, this);
  }

  /** A mask of ones and zeros for a tensor, on top of the mask that it has. */
  abstract computeMask(t: Tensor, defaultMask: Tensor): Tensor;

  /** The tensor with its mask. */
  applyMask(module: Module): Tensor {
    moduleTakes.check('applyMask', arguments);
    const [mask, orig] = [read(module, maskName(this.name())), read(module, original(this.name()))];
    return mask.to(orig.dtype).mul(orig);
  }

  /** `t` with a mask of its own, without a module. */
  prune(t: Tensor, options: PruneOptions & { defaultMask?: Tensor | null } = {}): Tensor {
    pruneTakes.check('prune', arguments);
    const { importanceScores, defaultMask } = options;
    const scores = checkScores(importanceScores ?? t, t);
    return scope(() => t.mul(noGrad(() => this.computeMask(scores, defaultMask ?? onesLike(t)))));
  }

  /** Makes the pruned tensor an ordinary parameter, with its zeros. */
  remove(module: Module): void {
    moduleTakes.check('remove', arguments);
    const name = this.name();
    const weight = scope(() => noGrad(() => this.applyMask(module)));
    const orig = read(module, original(name));
    orig.setData(weight);
    for (const property of [name, original(name), maskName(name)]) module[setMember](property, undefined);
    module.registerParameter(name, orig as Parameter);
    removeHook(module, 'forwardPre', this.hook);
  }

  /**
   * Prunes a parameter by a method made of `args`; one that is pruned already is pruned further. The method, or the
   * container of all of them.
   */
  static apply<Args extends unknown[]>(
    this: new (...args: Args) => BasePruningMethod,
    module: Module,
    name: string,
    args: Args,
    options: PruneOptions = {},
  ): BasePruningMethod {
    methodTakes.check(`${this.name}.apply`, arguments);
    const { importanceScores = null } = options;
    const property = module[findMember](name)?.property ?? name;
    return applyMethod(module, property, new this(...args), importanceScores);
  }

  /** @internal */
  update(module: Module): void {
    Reflect.set(module, this.name(), keep(this.applyMask(module)));
  }

  private name(): string {
    return this.tensorName ?? refuse('This pruning method was not applied to a module.');
  }
}

function checkScores(scores: Tensor, tensor: Tensor): Tensor {
  if (scores.shape.join() === tensor.shape.join()) return scores;
  return refuse(
    `importanceScores: expected the tensor's shape [${tensor.shape.join(', ')}], got [${scores.shape.join(', ')}].`,
  );
}

/** The methods that prune tensors of a module. */
export function* pruningMethods(module: Module): Generator<BasePruningMethod> {
  for (const hook of hooksOf<PruningHook>(module, 'forwardPre') ?? []) {
    const method = methods.get(hook);
    if (method !== undefined) yield method;
  }
}

export function methodOf(module: Module, property: string): BasePruningMethod | undefined {
  return [...pruningMethods(module)].find((method) => method.tensorName === property);
}

function applyMethod(
  module: Module,
  name: string,
  method: BasePruningMethod,
  importanceScores: Tensor | null,
): BasePruningMethod {
  const tensor: unknown = Reflect.get(module, name);
  const old = methodOf(module, name);
  if (old === undefined && !(tensor instanceof Parameter)) {
    return refuse(`${module.constructor.name} has no parameter '${name}' to prune.`);
  }
  method.tensorName = name;
  const whole = old === undefined ? method : PruningContainer.joining(old, method);
  const orig = tensor as Tensor;
  const mask = scope(() =>
    noGrad(() => {
      const before = old === undefined ? onesLike(orig) : read(module, maskName(name)).detach().clone();
      return whole.computeMask(checkScores(importanceScores ?? orig, orig), before);
    }),
  );
  if (old === undefined) {
    module[setMember](name, undefined);
    module.registerParameter(original(name), orig as Parameter);
  } else {
    removeHook(module, 'forwardPre', old.hook);
  }
  module.registerBuffer(maskName(name), mask);
  whole.update(module);
  addHook(module, 'forwardPre', whole.hook);
  return whole;
}

/**
 * Several pruning methods of one tensor, the later ones for what the earlier ones leave. As
 * `torch.nn.utils.prune.PruningContainer`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for what is no pruning method, or one of another tensor.
 * @example
 * import { nn } from 'aiforge';
 * const { prune } = nn.utils;
 * const layer = prune.l1Unstructured(new nn.Linear(4, 4), 'weight', 3);
 * const container = prune.RandomUnstructured.apply(layer, 'weight', [5]);
 * container instanceof prune.PruningContainer; // true
 * container.length; // 2
 * layer.weight.countNonzero().item(); // 8
 */
export class PruningContainer extends BasePruningMethod implements Iterable<BasePruningMethod> {
  readonly pruningType = 'global';
  private methods: readonly BasePruningMethod[] = [];

  constructor(...given: BasePruningMethod[]) {
    super();
    this.tensorName = given[0]?.tensorName ?? null;
    for (const method of given) this.addPruningMethod(method);
  }

  /** @internal */
  static joining(old: BasePruningMethod, method: BasePruningMethod): PruningContainer {
    const container = old instanceof PruningContainer ? old : new PruningContainer(old);
    container.addPruningMethod(method);
    return container;
  }

  addPruningMethod(method: BasePruningMethod): void {
    if (!(method instanceof BasePruningMethod))
      refuse(`addPruningMethod: expected a pruning method, got ${show(method)}.`);
    if (method.tensorName !== this.tensorName) {
      refuse(`addPruningMethod: the container prunes '${this.tensorName}', the method '${method.tensorName}'.`);
    }
    this.methods = [...this.methods, method];
  }

  get length(): number {
    return this.methods.length;
  }

  at(index: number): BasePruningMethod {
    indexTakes.check('at', arguments);
    return this.methods.at(index) ?? refuse(`at(${index}): the container has ${this.length} methods.`);
  }

  [Symbol.iterator](): Iterator<BasePruningMethod> {
    return this.methods[Symbol.iterator]();
  }

  /** The mask of the last method, on what the mask so far leaves. */
  override computeMask(t: Tensor, defaultMask: Tensor): Tensor {
    computeMaskTakes.check('computeMask', arguments);
    const method = this.at(-1);
    const where = left(method, t, defaultMask);
    const partial = method.computeMask(t.at(...where), defaultMask.at(...where));
    const mask = defaultMask.to(t.dtype, false, true);
    return mask.set(where, partial.to(mask.dtype));
  }
}

/** The index of what a method may prune still. */
function left(method: BasePruningMethod, t: Tensor, mask: Tensor): (Tensor | ':')[] {
  if (method.pruningType === 'unstructured') return [mask.eq(1)];
  const dims = Array.from({ length: t.dim() }, (_, d) => d);
  if (method.pruningType === 'global') return dims.map(() => ':');
  const given = (method as BasePruningMethod & { dim?: number }).dim;
  const dim = dims.at(given ?? NaN);
  if (given === undefined || dim === undefined)
    return refuse(`A structured method needs a dim of the tensor, got ${show(given)}.`);
  const channels = mask.sum(dims.filter((d) => d !== dim)).ne(0);
  return dims.map((d) => (d === dim ? channels : ':'));
}
