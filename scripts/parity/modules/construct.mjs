// Builds here what describe.py describes.
import * as aiforge from '../../../dist/lib/index.js';
import { camelCase } from '../../../dist/lib/tensor/calls/schema.js';
import { packedParts } from '../compare.mjs';
import { Arguments } from '../values.mjs';

const { nn, Tensor } = aiforge;

/** The arguments of a constructor or of a forward call; modules in them are constructed. */
export class ModuleArguments extends Arguments {
  value(encoded) {
    switch (encoded?.$) {
      case 'module':
        return this.construct(encoded);
      case 'function':
        return functionOf(encoded.name);
      case 'parameter':
        return new nn.Parameter(this.value(encoded.tensor).detach());
      case 'packed':
        return packedSequence(encoded.items.map((item) => this.value(item)));
      case 'dict':
        return Object.fromEntries(Object.entries(encoded.items).map(([key, item]) => [key, this.value(item)]));
      default:
        return super.value(encoded);
    }
  }

  construct({ class: name, args, options }) {
    const Class = nn[name];
    if (Class === undefined) throw new MissingClass(name);
    return new Class(...this.all({ args, options }));
  }

  /** Arguments by position, then the options if there are any. */
  all({ args, options }) {
    const positional = args.map((item) => this.value(item));
    return Object.keys(options).length === 0 ? positional : [...positional, this.options(options)];
  }
}

/** aiforge has no class of the name. */
export class MissingClass extends Error {
  constructor(name) {
    super(`aiforge has no nn.${name}`);
    this.name = 'MissingClass';
  }
}

function packedSequence([data, batchSizes, sortedIndices, unsortedIndices]) {
  return new nn.utils.rnn.PackedSequence(data, batchSizes, { sortedIndices, unsortedIndices });
}

function functionOf(name) {
  const found = nn.functional[camelCase(name)] ?? aiforge[camelCase(name)];
  if (found === undefined) throw new Error(`aiforge has no function ${camelCase(name)}`);
  return found;
}

/** The tensors of an output, in order. */
export function tensorsOfOutput(value) {
  if (Tensor.isTensor(value)) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsOfOutput);
  return value?.batchSizes === undefined ? [] : packedParts(value).filter((part) => part != null);
}

/** The arguments with copies for the tensors that learn, for a module that works in place. */
export function cloned(value) {
  if (Tensor.isTensor(value)) return value.requiresGrad ? value.clone() : value;
  return Array.isArray(value) ? value.map(cloned) : value;
}
