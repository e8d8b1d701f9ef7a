import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import { show } from '../../show.js';
import { isOptions } from '../../signature.js';
import { Kind, type Schema } from './schema.js';

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

/** An option that no form of an operator has, and those that they have. */
function unknownNames(schemas: Schema[], last: unknown): { name: string; known: Set<string> } | undefined {
  if (!isOptions(last)) return undefined;
  const known = new Set(schemas.flatMap(({ options }) => [...options.keys()].filter((name) => name !== 'self')));
  if (schemas.some(({ isFactory }) => isFactory)) known.add('requiresGrad');
  known.add('out');
  const name = Object.keys(last).find((each) => !known.has(each));
  return name === undefined ? undefined : { name, known };
}

/** Throws the error for arguments that none of an operator's forms takes. */
export function refuse(name: string, schemas: Schema[], args: unknown[]): never {
  const given = args.filter((arg) => arg !== undefined).map(show);
  const call = `${name}(${given.join(', ')}): `;
  const reasons = schemas.map(unsupportedReason);
  const details = { op: `aten::${name}`, args: given };
  if (reasons.every((reason) => reason !== undefined)) {
    throw new AiforgeError('INVALID_ARGUMENT', `${call}it cannot be called: ${reasons[0]}.`, details);
  }
  const unknown = unknownNames(
    schemas,
    args.findLast((arg) => arg !== undefined),
  );
  if (unknown !== undefined) {
    const problem = `has no option '${unknown.name}'.${didYouMean(unknown.name, unknown.known)}`;
    throw new AiforgeError('INVALID_ARGUMENT', `${call}${problem} It takes ${[...unknown.known].join(', ')}.`, details);
  }
  const forms = schemas.map(({ text }) => `  ${text.replace(/^aten::/, '')}`);
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${call}no form of ${name} takes these arguments. Its forms are:\n${forms.join('\n')}`,
    details,
  );
}
