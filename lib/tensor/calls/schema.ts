import { native, type NativeArgument, type NativeReturn } from '../../native.js';

/** The kinds of schema types, in the addon's order (native/calls/values.h). */
export enum Kind {
  Tensor,
  Int,
  Float,
  Bool,
  Scalar,
  String,
  ScalarType,
  Layout,
  MemoryFormat,
  Device,
  Generator,
  QScheme,
  Unsupported,
}

export interface Parameter extends NativeArgument {
  kind: Kind;
  /** The name in camelCase, as an options object has it. */
  option: string;
  isRequired: boolean;
  /** A list whose items may be null, such as the indices of `index`. */
  hasOptionalItems: boolean;
  /** A tensor for which a plain number may stand. */
  takesNumbers: boolean;
}

/** What a return is to its caller. */
export interface Return {
  kind: Kind;
  isList: boolean;
  /** The argument that it is, or -1. */
  alias: number;
  /** Its name in camelCase, or '' when the schema gives none. */
  name: string;
  /** As the schema prints it. */
  type: string;
}

/** An operator's schema with what matching arguments needs, read once. */
export interface Schema {
  name: string;
  text: string;
  parameters: Parameter[];
  returns: Return[];
  /** How many leading parameters may be given by position. */
  positional: number;
  /** The parameter whose sizes may be given one by one, or -1. */
  spread: number;
  /** Parameters by the names that an options object has. */
  options: Map<string, number>;
  /** The parameters that hold results, in order. */
  outs: number[];
  /** A factory of tensors: takes dtype, device and, as in Python, `requiresGrad`. */
  isFactory: boolean;
  /** Whether JavaScript has values for all that the operator takes and returns. */
  isCallable: boolean;
}

/** `masked_fill` → `maskedFill`; `add_` stays; `log1p`, `conv2d` too. */
export function camelCase(name: string): string {
  return name.replace(/(?<=[a-z0-9A-Z])_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

// The functions that take plain numbers for tensors, as Python's argument parser lists them.
const numeric = new Set(
  'add sub subtract mul multiply div divide true_divide floor_divide copy'.split(' ').flatMap((n) => [n, `${n}_`]),
);

function parameter(argument: NativeArgument, base: string): Parameter {
  return {
    ...argument,
    option: camelCase(argument.name),
    isRequired: !argument.hasDefault && !argument.isOptional,
    hasOptionalItems: /\?\[\d*\]/.test(argument.type),
    takesNumbers: argument.kind === (Kind.Tensor as number) && !argument.isOut && numeric.has(base),
  };
}

function returned({ kind, isList, alias, name, type }: NativeReturn): Return {
  return { kind, isList, alias, name: camelCase(name), type };
}

function optionsOf(parameters: Parameter[]): Map<string, number> {
  const options = new Map(parameters.map((p, i) => [p.option, i]));
  const self = options.get('self');
  // Python's functions call their first tensor `input`, which schemas call `self`.
  if (self !== undefined && !options.has('input')) options.set('input', self);
  return options;
}

/** The schema of `add.Tensor`; throws UNKNOWN_OPERATOR when LibTorch has none. */
export function readSchema(name: string): Schema {
  const schema = native.schema(name);
  const base = name.replace(/^.*::/, '').split('.')[0]!;
  const parameters = schema.arguments.map((argument) => parameter(argument, base));
  const returns = schema.returns.map(returned);
  const keyword = parameters.findIndex((p) => p.kwargOnly);
  const positional = keyword < 0 ? parameters.length : keyword;
  const last = parameters[positional - 1];
  return {
    name: schema.name,
    text: schema.schema,
    parameters,
    returns,
    positional,
    spread: last?.isList === true && last.kind === Kind.Int && last.listSize === 0 ? positional - 1 : -1,
    options: optionsOf(parameters),
    outs: parameters.flatMap((p, i) => (p.isOut ? [i] : [])),
    isFactory: parameters.some((p) => p.name === 'pin_memory'),
    isCallable: parameters.every((p) => p.kind < Kind.QScheme) && returns.every((r) => r.kind !== Kind.Unsupported),
  };
}
