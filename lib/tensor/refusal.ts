import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { Kind, type Schema } from './schema.js';
import { Tensor } from './tensor.js';

/** Kinds of values that no JavaScript value stands for, with what to use instead. */
const unsupported: [RegExp, string][] = [
  [/Storage/, 'a Storage: use setData, or the overload that takes a source Tensor'],
  [/Stream/, 'a Stream: CUDA streams cannot be given from JavaScript'],
  [/CellParamsBase/, 'packed weights of a quantized recurrent layer: use the layer with float weights'],
  [/Dict/, 'a Dict: gradients of distributed autograd are not supported; use distributed.DistributedDataParallel'],
  [/Dimname/, 'named dimensions, which are not supported: use their numbers'],
  [/.*/, 'a kind of value that JavaScript has nothing for'],
];

/** Why an operator cannot be called at all, or undefined. */
export function unsupportedReason({ parameters, returns }: Schema): string | undefined {
  const parameter = parameters.find((p) => p.kind === Kind.Unsupported || p.kind === Kind.QScheme);
  const result = returns.find((r) => r.kind === Kind.Unsupported);
  const found = parameter ?? result;
  if (found === undefined) return undefined;
  const [, reason] = unsupported.find(([pattern]) => pattern.test(found.type))!;
  return parameter === undefined ? `it returns ${reason}` : `its argument '${parameter.name}' is ${reason}`;
}

// How much of nested arrays an error shows.
const SHOWN_DEPTH = 3;
const SHOWN_ITEMS = 16;

function describe(value: unknown, depth = 0): string {
  if (Tensor.isTensor(value)) return value.isDisposed ? 'disposed tensor' : `${value.dtype}[${value.shape.join(', ')}]`;
  if (Array.isArray(value)) {
    if (depth === SHOWN_DEPTH) return '[…]';
    // By index: an array is any caller's, and its own methods are not trusted.
    const count = Math.min(value.length, SHOWN_ITEMS);
    const items = Array.from({ length: count }, (_, i) => describe(value[i], depth + 1));
    if (value.length > count) items.push('…');
    return `[${items.join(', ')}]`;
  }
  return inspect(value, { depth: 0, breakLength: Infinity, customInspect: false });
}

/** Throws the error for arguments that none of an operator's forms takes. */
export function refuse(name: string, schemas: Schema[], args: unknown[]): never {
  const given = args.filter((arg) => arg !== undefined).map((arg) => describe(arg));
  const call = `${name}(${given.join(', ')}): `;
  const reasons = schemas.map(unsupportedReason);
  const details = { op: `aten::${name}`, args: given };
  if (reasons.every((reason) => reason !== undefined)) {
    throw new AiforgeError('INVALID_ARGUMENT', `${call}it cannot be called: ${reasons[0]}.`, details);
  }
  const forms = schemas.map(({ text }) => `  ${text.replace(/^aten::/, '')}`);
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${call}no form of ${name} takes these arguments. Its forms are:\n${forms.join('\n')}`,
    details,
  );
}
