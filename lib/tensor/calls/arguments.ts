import { native, type Handle } from '../../native.js';
import { enterContext } from '../context/context.js';
import { isDevice, isDType, type Complex } from '../dtype.js';
import { Generator } from '../generator.js';
import { everyItem } from './recognition.js';
import { Kind, type Parameter } from './schema.js';
import { handleOf, handlesOf, Tensor } from '../tensor.js';

function isComplex(value: unknown): value is Complex {
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value);
  return keys.length === 2 && keys.includes('re') && keys.includes('im');
}

export const isScalar = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' || isComplex(value);

export const isInteger = (value: unknown): boolean => typeof value === 'bigint' || Number.isInteger(value);

const isReal = (value: unknown): boolean => typeof value === 'number' || typeof value === 'bigint';

// Python takes a tensor for a number where it has no dimension and no gradient would be lost.
function standsForNumber(value: unknown): boolean {
  return Tensor.isTensor(value) && native.dim(handleOf(value)) === 0 && !native.requiresGrad(handleOf(value));
}

const standsForInteger = (value: unknown): boolean =>
  standsForNumber(value) && /^u?int/.test(native.dtype(handleOf(value as Tensor)));

const isString = (value: unknown): boolean => typeof value === 'string';

const accepts: Record<Kind, (value: unknown) => boolean> = {
  [Kind.Tensor]: Tensor.isTensor,
  [Kind.Int]: (value) => isInteger(value) || standsForInteger(value),
  [Kind.Float]: (value) => isReal(value) || standsForNumber(value),
  [Kind.Bool]: (value) => typeof value === 'boolean',
  [Kind.Scalar]: (value) => isScalar(value) || standsForNumber(value),
  [Kind.String]: isString,
  [Kind.ScalarType]: isDType,
  [Kind.Layout]: isString,
  [Kind.MemoryFormat]: isString,
  [Kind.Device]: isDevice,
  [Kind.Generator]: (value) => Generator.idOf(value) !== undefined,
  [Kind.QScheme]: () => false,
  [Kind.Unsupported]: () => false,
};

/** Whether a value can be given for a parameter, by the rules of Python's argument parser. */
export function fits(parameter: Parameter, value: unknown): boolean {
  if (value === undefined) return !parameter.isRequired;
  if (value === null && (parameter.isOptional || parameter.kind === Kind.Generator)) return true;
  const accept = accepts[parameter.kind];
  if (!parameter.isList) return accept(value) || (parameter.takesNumbers && isScalar(value));
  if (!Array.isArray(value)) return parameter.listSize > 0 && accept(value);
  return everyItem(value, (item) => (item === null ? parameter.hasOptionalItems : accept(item)));
}

const itemOf = (value: unknown): unknown => (Tensor.isTensor(value) ? native.item(handleOf(value)) : value);

/** A value as the addon takes it: tensors and generators become their numbers; `temporaries` gets what was made for it. */
export function lower(parameter: Parameter, value: unknown, temporaries: Handle[]): unknown {
  if (value === undefined || value === null) return value;
  switch (parameter.kind) {
    case Kind.Tensor:
      return parameter.isList ? lowerTensors(value as (Tensor | null)[]) : lowerTensor(value, temporaries);
    case Kind.Int:
    case Kind.Float:
    case Kind.Scalar:
      if (!Array.isArray(value)) return itemOf(value);
      return everyItem(value, (item) => !Tensor.isTensor(item)) ? value : Array.from(value, itemOf);
    case Kind.Generator:
      return Generator.idOf(value);
    default:
      return value;
  }
}

function lowerTensor(value: unknown, temporaries: Handle[]): Handle {
  if (Tensor.isTensor(value)) return handleOf(value);
  enterContext();
  const handle = native.wrapNumber(value);
  temporaries.push(handle);
  return handle;
}

function lowerTensors(list: (Tensor | null)[]): Float64Array {
  // A single tensor stands for a list of one, where the schema gives the list's length.
  if (!Array.isArray(list)) return handlesOf([list]);
  if (everyItem(list, (item) => item !== null)) return handlesOf(list as Tensor[]);
  return Float64Array.from(list, (item) => (item === null ? -1 : handleOf(item)));
}
