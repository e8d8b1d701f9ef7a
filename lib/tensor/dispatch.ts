import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { native, type Handle } from '../native.js';
import { enterContext } from './context.js';
import { isDevice, isDType, type Complex } from './dtype.js';
import { Generator } from './generator.js';
import { Kind, readSchema, type Parameter, type Return, type Schema } from './schema.js';
import { handleOf, handlesOf, Tensor, wrapHandle } from './tensor.js';

type Options = Record<string, unknown>;

/** An overload of a function: the operator's number and its schema, read when first needed. */
export interface Overload {
  readonly id: number;
  readonly schema: Schema;
}

export function overload(id: number, name: string): Overload {
  let schema: Schema | undefined;
  return {
    id,
    get schema() {
      return (schema ??= readSchema(name));
    },
  };
}

function isComplex(value: object): value is Complex {
  return Object.keys(value).length === 2 && 're' in value && 'im' in value;
}

/** Whether a value is an options object: a plain one, and no complex number. */
function isOptions(value: unknown): value is Options {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !isComplex(value);
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return true;
  return typeof value === 'object' && value !== null && isComplex(value);
}

function isInteger(value: unknown): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}

const accepts: Record<Kind, (value: unknown) => boolean> = {
  [Kind.Tensor]: Tensor.isTensor,
  [Kind.Int]: isInteger,
  [Kind.Float]: (value) => typeof value === 'number' || typeof value === 'bigint',
  [Kind.Bool]: (value) => typeof value === 'boolean',
  [Kind.Scalar]: isScalar,
  [Kind.String]: (value) => typeof value === 'string',
  [Kind.ScalarType]: isDType,
  [Kind.Layout]: (value) => typeof value === 'string',
  [Kind.MemoryFormat]: (value) => typeof value === 'string',
  [Kind.Device]: isDevice,
  [Kind.Generator]: (value) => Generator.idOf(value) !== undefined,
  [Kind.Unsupported]: () => false,
};

function fits(parameter: Parameter, value: unknown): boolean {
  if (value === undefined) return !parameter.isRequired;
  if (value === null && (parameter.isOptional || parameter.kind === Kind.Generator)) return true;
  if (!parameter.isList) return accepts[parameter.kind](value);
  if (!Array.isArray(value)) return parameter.listSize > 0 && accepts[parameter.kind](value);
  // By index, since an array is any caller's: its own `every` is not trusted, and a hole ends the search.
  for (let i = 0; i < value.length; ++i) {
    const item: unknown = value[i];
    if (item === null ? !parameter.hasOptionalItems : !accepts[parameter.kind](item)) return false;
  }
  return true;
}

/** A value as the addon takes it: tensors and generators become their numbers. */
function lower(parameter: Parameter, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  if (parameter.kind === Kind.Generator) return Generator.idOf(value);
  if (parameter.kind !== Kind.Tensor) return value;
  if (!parameter.isList) return handleOf(value as Tensor);
  const list = value as (Tensor | null)[];
  if (!parameter.hasOptionalItems) return handlesOf(list as Tensor[]);
  return Float64Array.from({ length: list.length }, (_, i) => (list[i] === null ? -1 : handleOf(list[i]!)));
}

/** Python's rule: `view(2, 3)` is `view([2, 3])` where the last positional argument is a list of any length. */
function gatherSizes(parameters: Parameter[], args: unknown[]): unknown[] {
  const last = parameters.findIndex((p) => p.isList && p.kind === Kind.Int && p.listSize === 0 && !p.kwargOnly);
  if (last < 0 || last >= args.length || !args.slice(last).every(isInteger)) return args;
  return [...args.slice(0, last), args.slice(last)];
}

/** The arguments in the schema's order, or undefined when they do not fit it. */
function bind({ schema }: Overload, given: unknown[], options: Options | undefined): unknown[] | undefined {
  const { parameters } = schema;
  const args = gatherSizes(parameters, given);
  const bound: unknown[] = [];
  let used = 0;
  for (let i = 0; i < parameters.length; ++i) {
    const parameter = parameters[i]!;
    let value = i < args.length && !parameter.kwargOnly ? args[i] : undefined;
    if (value === undefined && options !== undefined && Object.hasOwn(options, parameter.option)) {
      value = options[parameter.option];
      ++used;
    }
    if (!fits(parameter, value)) return undefined;
    bound.push(lower(parameter, value));
  }
  const positional = parameters.filter((p) => !p.kwargOnly).length;
  if (args.length > positional) return undefined;
  if (options !== undefined && used + Number(takesRequiresGrad(schema, options)) !== Object.keys(options).length) {
    return undefined;
  }
  while (bound.length > 0 && bound.at(-1) === undefined) bound.pop();
  return bound;
}

function takesRequiresGrad(schema: Schema, options: Options): boolean {
  return schema.isFactory && typeof options.requiresGrad === 'boolean';
}

function lift(result: Return, value: unknown, aliased: (parameter: number) => unknown): unknown {
  if (result.alias >= 0) return aliased(result.alias);
  if (result.kind !== Kind.Tensor || value === null) return value;
  return result.isList ? (value as Handle[]).map(liftTensor) : wrapHandle(value as Handle);
}

function liftTensor(handle: Handle | null): Tensor | null {
  return handle === null ? null : wrapHandle(handle);
}

/** What an operator gives its caller: a tuple is an array that has its items under their names as well. */
function liftResults(returns: Return[], value: unknown, aliased: (parameter: number) => unknown): unknown {
  if (returns.length === 0) return undefined;
  if (returns.length === 1) return lift(returns[0]!, value, aliased);
  const tuple = returns.map((result, i) => lift(result, (value as unknown[])[i], aliased));
  returns.forEach(({ name }, i) => {
    if (name !== '') Object.defineProperty(tuple, name, { value: tuple[i] });
  });
  return tuple;
}

// How much of nested arrays an error shows.
const SHOWN_DEPTH = 3;
const SHOWN_ITEMS = 16;

function describe(value: unknown, depth = 0): string {
  if (Tensor.isTensor(value)) return value.isDisposed ? 'disposed tensor' : `${value.dtype}[${value.shape.join(', ')}]`;
  if (Array.isArray(value)) {
    if (depth === SHOWN_DEPTH) return '[…]';
    const count = Math.min(value.length, SHOWN_ITEMS);
    const items = Array.from({ length: count }, (_, i) => describe(value[i], depth + 1));
    if (value.length > count) items.push('…');
    return `[${items.join(', ')}]`;
  }
  return inspect(value, { depth: 0, breakLength: Infinity, customInspect: false });
}

function refuse(name: string, overloads: readonly Overload[], args: unknown[]): never {
  const forms = overloads.map(({ schema }) => `  ${schema.text.replace(/^aten::/, '')}`);
  const given = args.filter((arg) => arg !== undefined).map((arg) => describe(arg));
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name}(${given.join(', ')}): no form of ${name} takes these arguments. Its forms are:\n${forms.join('\n')}`,
    { op: `aten::${name}`, args: given },
  );
}

/**
 * Calls the first of a function's overloads that the arguments fit; a trailing plain object holds options, and any
 * positional argument may be given there by name.
 */
export function dispatch(name: string, overloads: readonly Overload[], args: unknown[]): unknown {
  let count = args.length;
  while (count > 0 && args[count - 1] === undefined) --count;
  const options = count > 0 && isOptions(args[count - 1]) ? (args[count - 1] as Options) : undefined;
  const positional = args.slice(0, options === undefined ? count : count - 1);
  for (const candidate of overloads) {
    const bound = bind(candidate, positional, options);
    if (bound === undefined) continue;
    enterContext();
    const { returns, parameters } = candidate.schema;
    // An argument may have been given by position or, as `out` always is, by name.
    const aliased = (i: number) => positional[i] ?? options?.[parameters[i]!.option];
    const result = liftResults(returns, native.call(candidate.id, ...bound), aliased);
    if (options?.requiresGrad === true) (result as Tensor).requiresGrad_();
    return result;
  }
  return refuse(name, overloads, args);
}
