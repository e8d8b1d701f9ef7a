import { either, iterable, kind, optional } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import type { DType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { Parameter } from '../parameter.js';
import { checkKey, Entries, entriesOf, List, namedKind, refuse, type Named } from './containers.js';

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
const dictTakes = signature({
  parameters: optional(
    either(
      namedKind,
      kind<ParameterDict>('a ParameterDict', (value) => value instanceof ParameterDict),
    ),
  ),
});

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
    return new ParameterList([...this].slice(start, end));
  }

  override extraRepr(): string {
    return Array.from(this, (parameter, i) => line(String(i), parameter, parameter.dtype)).join('\n');
  }
}

/**
 * Parameters under names, which stay as they are in state dicts; a Tensor that is put into it becomes a Parameter. As
 * `torch.nn.ParameterDict`, but objects keep their order where Python sorts the keys of a plain dict.
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
    return this.get(key) ?? refuse(`at('${key}'): the ParameterDict has no such key.`);
  }

  /** The parameter under a key, or `otherwise` where there is none. */
  get(key: string, otherwise: Parameter | null = null): Parameter | null {
    return (this.entries.get(key) as Parameter | undefined) ?? otherwise;
  }

  set(key: string, value: Tensor): this {
    this.entries.set(checkKey(this, key), this.admit(value));
    return this;
  }

  /** The parameter under a key, which becomes `value` where there is none. */
  setdefault(key: string, value: Tensor): Parameter {
    if (!this.has(key)) this.set(key, value);
    return this.at(key);
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  /** Takes the parameter under a key away; whether there was one. */
  delete(key: string): boolean {
    return this.entries.delete(key);
  }

  /** Takes the parameter under a key away and gives it back. */
  pop(key: string): Parameter {
    const parameter = this.at(key);
    this.delete(key);
    return parameter;
  }

  /** Takes the last parameter away and gives it back with its key. */
  popitem(): [key: string, parameter: Parameter] {
    const key = [...this.keys()].at(-1) ?? refuse('popitem: the ParameterDict is empty.');
    return [key, this.pop(key)];
  }

  clear(): void {
    this.entries.clear();
  }

  /** A dict of its own with the same parameters. */
  copy(): ParameterDict {
    return new ParameterDict(this);
  }

  /** Adds parameters under their keys, in the place of those that are there. */
  update(parameters: Named<Tensor> | ParameterDict): this {
    const pairs = parameters instanceof ParameterDict ? parameters.items() : entriesOf(this, parameters);
    for (const [key, value] of [...pairs]) this.set(key, value);
    return this;
  }

  keys(): IterableIterator<string> {
    return this.entries.keys();
  }

  values(): IterableIterator<Parameter> {
    return this.entries.values() as IterableIterator<Parameter>;
  }

  items(): IterableIterator<[string, Parameter]> {
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
