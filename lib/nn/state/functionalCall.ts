import { AiforgeError } from '../../errors.js';
import { anything, boolean, either, kind, listOf } from '../../kinds.js';
import { isOptions, signature } from '../../signature.js';
import { isThenable } from '../../tensor/context/context.js';
import { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { joinNames } from '../members/moduleNames.js';
import { members, registry, setMember } from '../members/registry.js';
import { moduleKind } from '../moduleKinds.js';

export interface FunctionalCallOptions {
  /** Whether a tensor that the module has under several names is replaced under all of them. Default: true. */
  tieWeights?: boolean;
  /** Refuses a call that does not give every parameter and buffer. Default: false. */
  strict?: boolean;
}

/** Tensors under PyTorch's keys, as `stateDict()` gives them. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

const namedTensors = kind<NamedTensors>('an object of Tensors by their keys', isOptions);
const functionalCallTakes = signature<FunctionalCallOptions>(
  { module: moduleKind, params: either(namedTensors, listOf(namedTensors)), args: anything },
  { tieWeights: boolean, strict: boolean },
);

interface Place {
  readonly owner: Module;
  readonly property: string;
  readonly tensor: Tensor;
}

/** Where a module has its parameters and buffers, a shared one as often as it occurs. */
function placesOf(module: Module): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const [path, owner] of module.namedModules({ removeDuplicate: false })) {
    const known = new Set<Tensor>([...owner.parameters({ recurse: false })]);
    for (const [, buffer] of owner.namedBuffers({ recurse: false })) known.add(buffer);
    for (const { name, property, value } of owner[members]()) {
      if (!Tensor.isTensor(value) || !known.has(value)) continue;
      places.set(joinNames(path, name), { owner, property, tensor: value });
    }
  }
  return places;
}

function refuseKeys(module: Module, problem: string, keys: readonly string[]): AiforgeError {
  return new AiforgeError(
    'STATE_DICT_MISMATCH',
    `functionalCall(${module.constructor.name}): ${problem}: ${keys.map((key) => `'${key}'`).join(', ')}.`,
  );
}

/** The places to fill, each with its tensor. */
function replacements(
  module: Module,
  given: ReadonlyMap<string, Tensor>,
  { tieWeights = true, strict = false }: FunctionalCallOptions,
): Map<Place, Tensor> {
  const places = placesOf(module);
  const unknown = [...given.keys()].filter((key) => !places.has(key));
  if (unknown.length > 0) throw refuseKeys(module, 'the module has no such parameters or buffers', unknown);
  const replaced = new Map<Place, Tensor>();
  for (const [key, tensor] of given) replaced.set(places.get(key)!, tensor);
  if (tieWeights) tie(module, places, given, replaced);
  const missing = [...places.keys()].filter((key) => !replaced.has(places.get(key)!));
  if (strict && missing.length > 0) throw refuseKeys(module, 'strict: true needs every one, missing are', missing);
  return replaced;
}

function tie(
  module: Module,
  places: ReadonlyMap<string, Place>,
  given: ReadonlyMap<string, Tensor>,
  replaced: Map<Place, Tensor>,
): void {
  const byOriginal = new Map<Tensor, Tensor>();
  for (const [key, tensor] of given) {
    const original = places.get(key)!.tensor;
    const other = byOriginal.get(original);
    if (other !== undefined && other !== tensor) {
      throw refuseKeys(module, 'a tied tensor was given different values; set tieWeights: false to allow it', [key]);
    }
    byOriginal.set(original, tensor);
  }
  for (const place of places.values()) {
    const tensor = byOriginal.get(place.tensor);
    if (tensor !== undefined) replaced.set(place, tensor);
  }
}

function fill({ owner, property, tensor: own }: Place, tensor: Tensor): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, property);
  if (before === undefined) {
    owner[setMember](property, tensor);
    return () => owner[setMember](property, own);
  }
  owner[registry].kinds.delete(property); // a look at the members in the meantime may find any tensor
  Object.defineProperty(owner, property, { value: tensor, configurable: true, enumerable: true, writable: true });
  return () => Object.defineProperty(owner, property, before);
}

/**
 * Calls a module with other tensors in place of its parameters and buffers, which stay as they are. So gradients and
 * `vmap` can be taken over parameters. As `torch.func.functional_call`.
 *
 * @param params Tensors under PyTorch's keys; several such objects are taken together.
 * @param args The arguments of `forward`: an array, or the only one.
 * @throws AiforgeError STATE_DICT_MISMATCH for keys that the module does not have.
 * @example
 * import { nn, ones, zeros } from 'aiforge';
 * const layer = new nn.Linear(2, 1);
 * nn.functionalCall(layer, { weight: ones([1, 2]), bias: zeros([1]) }, ones([3, 2])).tolist(); // [[2], [2], [2]]
 */
export function functionalCall<M extends Module>(
  module: M,
  params: NamedTensors | readonly NamedTensors[],
  args: Parameters<M['forward']> | Parameters<M['forward']>[0],
  options: FunctionalCallOptions = {},
): ReturnType<M['forward']> {
  functionalCallTakes.check('functionalCall', arguments);
  const given = new Map<string, Tensor>();
  for (const named of (Array.isArray(params) ? params : [params]) as readonly NamedTensors[]) {
    for (const [key, tensor] of Object.entries(named)) {
      if (given.has(key)) throw refuseKeys(module, 'these keys were given twice', [key]);
      if (!Tensor.isTensor(tensor)) throw refuseKeys(module, 'expected Tensors, got others for', [key]);
      given.set(key, tensor);
    }
  }
  const undo: (() => void)[] = [];
  try {
    for (const [place, tensor] of replacements(module, given, options)) undo.push(fill(place, tensor));
    const result = module.forward(...(Array.isArray(args) ? args : [args]));
    if (isThenable(result)) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        'functionalCall: forward returned a promise, but the module has its own tensors again when it returns.',
      );
    }
    return result as ReturnType<M['forward']>;
  } finally {
    for (const restore of undo.reverse()) restore();
  }
}
