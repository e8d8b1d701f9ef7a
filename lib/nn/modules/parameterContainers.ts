import { Buffer } from 'node:buffer';

import { anything, either, iterable, kind, optional, string, orNull } from '../../kinds.js';
import { show } from '../../show.js';
import { nothing, signature } from '../../signature.js';
import type { DType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { Parameter } from '../parameter.js';
import { checkKey, Entries, entriesOf, List, namedKind, refuse, sliceTakes, type Named } from './containers.js';
import { tensorKind } from '../../tensor/kinds.js';

function toParameter(container: object, value: Tensor): Parameter {
  if (value instanceof Parameter) return value;
  if (Tensor.isTensor(value)) return new Parameter(value);
  return refuse(`${container.constructor.name}: expected a Tensor, got ${show(value)}.`);
}

const tensors = kind<Iterable<Tensor>>(
  'an array of Tensors',
  (value) => iterable('').accepts(value) && !Tensor.isTensor(value),
);
const listTakes = signature({ parameters: optional(tensors) });
const entriesKind = either(
  namedKind,
  kind<ParameterDict>('a ParameterDict', (value) => value instanceof ParameterDict),
);
const dictTakes = signature({ parameters: optional(entriesKind) });
const updateTakes = signature({ parameters: entriesKind });
const keyTakes = signature({ key: string });
const getTakes = signature({ key: string, otherwise: optional(orNull(tensorKind)) });
const setTakes = signature({ key: string, value: optional(anything) });

// What Python prints: a list the dtype, a dict the name of the legacy tensor type.
const legacyTypes: Partial<Record<DType, string>> = {
  float32: 'FloatTensor',
  float64: 'DoubleTensor',
  float16: 'HalfTensor',
  bfloat16: 'BFloat16Tensor',
  int64: 'LongTensor',
  int32: 'IntTensor',
  int16: 'ShortTensor',
  int8: 'CharTensor',
  uint8: 'ByteTensor',
  bool: 'BoolTensor',
  complex64: 'ComplexFloatTensor',
  complex128: 'ComplexDoubleTensor',
};

function line(key: string, parameter: Parameter, type: string): string {
  const device = parameter.device === 'cpu' ? '' : ` (${parameter.device})`;
  return `  (${key}): Parameter containing: [torch.${type} of size ${parameter.shape.join('x')}${device}]`;
}

function legacyType({ dtype, device }: Parameter): string {
  return `${device === 'cpu' ? '' : 'cuda.'}${legacyTypes[dtype] ?? dtype}`;
}

/**
 * A list of parameters that belong to the module which holds it; a Tensor that is put into it becomes a Parameter. As
 * `torch.nn.ParameterList`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * const weights = new nn.ParameterList([ones([2]), ones([3])]);
 * Object.keys(weights.stateDict()); // ['0', '1']
 * weights.at(1).requiresGrad; // true
 */
export class ParameterList extends List<Tensor> implements Iterable<Parameter> {
  constructor(parameters: Iterable<Tensor> = []) {
    super();
    listTakes.check(new.target.name, arguments);
    this.extend(parameters);
  }

  protected override admit(value: Tensor): Parameter {
    return toParameter(this, value);
  }

  override at(index: number): Parameter {
    return super.at(index) as Parameter;
  }

  override pop(index = -1): Parameter {
    return super.pop(index) as Parameter;
  }

  override [Symbol.iterator](): IterableIterator<Parameter> {
    return super[Symbol.iterator]() as IterableIterator<Parameter>;
  }

  /** A list of the parameters from `start` up to `end`, numbered anew; indices count as those of an array. */
  slice(start?: number, end?: number): ParameterList {
    sliceTakes.check('slice', arguments);
    return new ParameterList([...this].slice(start, end));
  }

  override extraRepr(): string {
    return Array.from(this, (parameter, i) => line(String(i), parameter, parameter.dtype)).join('\n');
  }
}

/** Python's order of texts, by code points, which is that of the bytes in UTF-8. */
const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * Parameters under names, which stay as they are in state dicts; a Tensor that is put into it becomes a Parameter. Those of
 * an object come sorted by their keys, those of a Map or of pairs in their order. As `torch.nn.ParameterDict`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * const weights = new nn.ParameterDict({ left: ones([2]), rightHand: ones([3]) });
 * Object.keys(weights.stateDict()); // ['left', 'rightHand']
 */
export class ParameterDict extends Entries<Tensor> implements Iterable<string> {
  constructor(parameters: Named<Tensor> | ParameterDict = []) {
    super();
    dictTakes.check(new.target.name, arguments);
    this.update(parameters);
  }

  protected override admit(value: Tensor): Parameter {
    return toParameter(this, value);
  }

  /** The parameter under a key. */
  at(key: string): Parameter {
    keyTakes.check('at', arguments);
    return this.get(key) ?? refuse(`at('${key}'): the ParameterDict has no such key.`);
  }

  /** The parameter under a key, or `otherwise` where there is none. */
  get(key: string, otherwise: Parameter | null = null): Parameter | null {
    getTakes.check('get', arguments);
    return (this.entries.get(key) as Parameter | undefined) ?? otherwise;
  }

  set(key: string, value: Tensor): this {
    setTakes.check('set', arguments);
    this.entries.set(checkKey(this, key), this.admit(value));
    return this;
  }

  /** The parameter under a key, which becomes `value` where there is none. */
  setdefault(key: string, value: Tensor): Parameter {
    setTakes.check('setdefault', arguments);
    if (!this.has(key)) this.set(key, value);
    return this.at(key);
  }

  has(key: string): boolean {
    keyTakes.check('has', arguments);
    return this.entries.has(key);
  }

  /** Takes the parameter under a key away; whether there was one. */
  delete(key: string): boolean {
    keyTakes.check('delete', arguments);
    return this.entries.delete(key);
  }

  /** Takes the parameter under a key away and gives it back. */
  pop(key: string): Parameter {
    keyTakes.check('pop', arguments);
    const parameter = this.at(key);
    this.delete(key);
    return parameter;
  }

  /** Takes the last parameter away and gives it back with its key. */
  popitem(): [key: string, parameter: Parameter] {
    nothing.check('popitem', arguments);
    const key = [...this.keys()].at(-1) ?? refuse('popitem: the ParameterDict is empty.');
    return [key, this.pop(key)];
  }

  clear(): void {
    nothing.check('clear', arguments);
    this.entries.clear();
  }

  /** A dict of its own with the same parameters. */
  copy(): ParameterDict {
    nothing.check('copy', arguments);
    return new ParameterDict(this);
  }

  /** Adds parameters under their keys, in the place of those that are there; those of an object sorted by their keys. */
  update(parameters: Named<Tensor> | ParameterDict): this {
    updateTakes.check('update', arguments);
    const pairs = parameters instanceof ParameterDict ? parameters.items() : entriesOf(this, parameters);
    const isPlain = !(Symbol.iterator in parameters);
    for (const [key, value] of isPlain ? [...pairs].sort(byKey) : [...pairs]) this.set(key, value);
    return this;
  }

  keys(): IterableIterator<string> {
    nothing.check('keys', arguments);
    return this.entries.keys();
  }

  values(): IterableIterator<Parameter> {
    nothing.check('values', arguments);
    return this.entries.values() as IterableIterator<Parameter>;
  }

  items(): IterableIterator<[string, Parameter]> {
    nothing.check('items', arguments);
    return this.entries.entries() as IterableIterator<[string, Parameter]>;
  }

  /** The keys, as iterating over Python's does. */
  [Symbol.iterator](): IterableIterator<string> {
    return this.keys();
  }

  override extraRepr(): string {
    return Array.from(this.items(), ([key, parameter]) => line(key, parameter, legacyType(parameter))).join('\n');
  }
}
