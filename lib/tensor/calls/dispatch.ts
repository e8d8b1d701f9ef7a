import { isOptions } from '../../signature.js';
import { native, type Handle } from '../../native.js';
import { fits, isInteger, lower } from './arguments.js';
import { enterContext } from '../context/context.js';
import { refuse } from './refusal.js';
import { liftResults } from './results.js';
import { readSchema, type Schema } from './schema.js';
import type { Tensor } from '../tensor.js';

// A constant of the module: a property of the addon's exports would be looked up at every call.
const { call } = native;

/** An overload of a function: the operator's number and its schema, read when first needed. */
export interface Overload {
  readonly id: number;
  readonly schema: Schema;
  /** Whether the linked LibTorch has it. */
  readonly exists: boolean;
  /** The variant that writes its results into given tensors. */
  readonly out: Overload | undefined;
}

export function overload(id: number, name: string, outId?: number, outName?: string): Overload {
  let schema: Schema | undefined;
  return {
    id,
    get schema() {
      return (schema ??= readSchema(name));
    },
    get exists() {
      return schema !== undefined || native.hasOperator(name);
    },
    out: outId === undefined ? undefined : overload(outId, outName!),
  };
}

/** The options of a call, read once: a getter or a proxy has no second chance to answer otherwise. */
interface Options {
  names: string[];
  values: unknown[];
}

function readOptions(value: unknown): Options | undefined {
  if (!isOptions(value)) return undefined;
  const names = Object.keys(value);
  if (names.length === 2 && names.includes('re') && names.includes('im')) return undefined;
  return { names, values: names.map((name) => value[name]) };
}

const optionOf = (options: Options | undefined, name: string): unknown => {
  const at = options === undefined ? -1 : options.names.indexOf(name);
  return at < 0 ? undefined : options!.values[at];
};

/** The arguments in the schema's order, or undefined when they do not fit it. */
function bind(schema: Schema, args: unknown[], count: number, options: Options | undefined): unknown[] | undefined {
  const { parameters, positional, spread, isCallable } = schema;
  if (!isCallable) return undefined;
  let given = args;
  let used = count;
  // Python's rule: `view(2, 3)` is `view([2, 3])` where the last positional argument is a list of any length.
  if (spread >= 0 && used > spread && isInteger(args[spread])) {
    for (let i = spread + 1; i < used; ++i) if (!isInteger(args[i])) return undefined;
    given = [...args.slice(0, spread), args.slice(spread, used)];
    used = spread + 1;
  }
  if (used > positional) return undefined;
  const bound: unknown[] = [];
  for (let i = 0; i < parameters.length; ++i) bound.push(i < used ? given[i] : undefined);
  if (options !== undefined && !bindOptions(schema, options, bound)) return undefined;
  for (let i = 0; i < parameters.length; ++i) if (!fits(parameters[i]!, bound[i])) return undefined;
  return bound;
}

function bindOptions(schema: Schema, { names, values }: Options, bound: unknown[]): boolean {
  for (let i = 0; i < names.length; ++i) {
    const name = names[i]!;
    const value = values[i];
    const position = schema.options.get(name);
    if (name === 'out' && schema.outs.length > 0) {
      if (!bindOuts(schema.outs, value, bound)) return false;
    } else if (position !== undefined) {
      if (bound[position] !== undefined) return false;
      bound[position] = value;
    } else if (
      name === 'requiresGrad' ? !schema.isFactory || typeof value !== 'boolean' : name !== 'out' || value != null
    ) {
      return false;
    }
  }
  return true;
}

// `out` is one tensor, or an array of them for an operator that has several results.
function bindOuts(outs: number[], value: unknown, bound: unknown[]): boolean {
  if (outs.length === 1) {
    bound[outs[0]!] = value;
    return true;
  }
  if (!Array.isArray(value) || value.length !== outs.length) return false;
  for (const [i, position] of outs.entries()) bound[position] = value[i] as unknown;
  return true;
}

function invoke({ id, schema }: Overload, bound: unknown[], requiresGrad: boolean): unknown {
  const { parameters } = schema;
  let length = bound.length;
  while (length > 0 && bound[length - 1] === undefined) --length;
  const lowered: unknown[] = [];
  // Made in the loop below, for numbers that stand for tensors.
  const temporaries: Handle[] = [];
  try {
    for (let i = 0; i < length; ++i) lowered.push(lower(parameters[i]!, bound[i], temporaries));
    enterContext();
    const result = liftResults(schema, call(id, ...lowered), bound);
    if (requiresGrad) (result as Tensor).requiresGrad_();
    return result;
  } finally {
    for (const handle of temporaries) native.dispose(handle);
  }
}

/**
 * Calls the first of a function's overloads that the arguments fit; a trailing plain object holds options, and any
 * positional argument may be given there by name.
 */
export function dispatch(name: string, overloads: readonly Overload[], args: unknown[]): unknown {
  let count = args.length;
  while (count > 0 && args[count - 1] === undefined) --count;
  const options = count > 0 ? readOptions(args[count - 1]) : undefined;
  if (options !== undefined) --count;
  const writes = optionOf(options, 'out') != null;
  for (const candidate of overloads) {
    const chosen = writes ? (candidate.out ?? candidate) : candidate;
    if (!chosen.exists) continue;
    const bound = bind(chosen.schema, args, count, options);
    if (bound !== undefined) return invoke(chosen, bound, optionOf(options, 'requiresGrad') === true);
  }
  return refuse(
    name,
    overloads.map(({ schema }) => schema),
    args,
  );
}
