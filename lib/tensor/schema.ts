import { native, type NativeArgument, type NativeReturn } from '../native.js';

/** The kinds of schema types, in the addon's order (native/values.h). */
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
  Unsupported,
}

export interface Parameter extends NativeArgument {
  kind: Kind;
  /** The name in camelCase, as an options object has it. */
  option: string;
  isRequired: boolean;
  /** A list whose items may be null, such as the indices of `index`. */
  hasOptionalItems: boolean;
}

/** What a return is to its caller. */
export interface Return {
  kind: Kind;
  isList: boolean;
  /** The argument that it is, or -1. */
  alias: number;
  /** Its name in camelCase, or '' when the schema gives none. */
  name: string;
}

/** An operator's schema, read once. */
export interface Schema {
  name: string;
  text: string;
  parameters: Parameter[];
  returns: Return[];
  /** A factory of tensors: takes dtype, device and, as in Python, `requiresGrad`. */
  isFactory: boolean;
}

/** `masked_fill` → `maskedFill`; `add_` stays; `log1p`, `conv2d` too. */
export function camelCase(name: string): string {
  return name.replace(/(?<=[a-z0-9A-Z])_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function parameter(argument: NativeArgument): Parameter {
  return {
    ...argument,
    option: camelCase(argument.name),
    isRequired: !argument.hasDefault && !argument.isOptional,
    hasOptionalItems: /\?\[\d*\]/.test(argument.type),
  };
}

function returned({ kind, isList, alias, name }: NativeReturn): Return {
  return { kind, isList, alias, name: camelCase(name) };
}

/** The schema of `add.Tensor`; throws UNKNOWN_OPERATOR when LibTorch has none. */
export function readSchema(name: string): Schema {
  const schema = native.schema(name);
  const parameters = schema.arguments.map(parameter);
  return {
    name: schema.name,
    text: schema.schema,
    parameters,
    returns: schema.returns.map(returned),
    isFactory: parameters.some((p) => p.name === 'pin_memory'),
  };
}
