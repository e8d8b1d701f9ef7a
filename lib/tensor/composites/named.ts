import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { isOptions, unknownOption } from '../../signature.js';
import { Tensor } from '../tensor.js';

export function invalid(name: string, reason: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `${name}: ${reason}.`);
}

/**
 * The arguments of a function by name: leading ones by position, the rest in a trailing options object. `Named` is what
 * the function's types promise; unknown names and doubled arguments are errors.
 */
export function named<Named extends object>(
  name: string,
  parameters: readonly (keyof Named & string)[],
  given: unknown[],
): Partial<Named> {
  const args = given.slice(0, given.findLastIndex((arg) => arg !== undefined) + 1);
  const options = isOptions(args.at(-1)) ? (args.pop() as Record<string, unknown>) : {};
  if (args.length > parameters.length) {
    throw invalid(name, `takes at most ${parameters.length} arguments (${parameters.join(', ')}), got ${args.length}`);
  }
  const result: Record<string, unknown> = {};
  for (const [i, arg] of args.entries()) if (arg !== undefined) result[parameters[i]!] = arg;
  for (const [option, value] of Object.entries(options)) {
    if (!(parameters as readonly string[]).includes(option)) {
      throw unknownOption(name, option, parameters);
    }
    if (Object.hasOwn(result, option)) throw invalid(name, `got '${option}' twice, by position and by name`);
    if (value !== undefined) result[option] = value;
  }
  return result as Partial<Named>;
}

/** Tensors that were given one by one or as one list. */
export function tensorList(name: string, given: readonly unknown[]): Tensor[] {
  const list: readonly unknown[] = given.length === 1 && Array.isArray(given[0]) ? given[0] : given;
  // By index: an array is any caller's, and may have no iterator.
  const items = Array.from({ length: list.length }, (_, i) => list[i]);
  const wrong = items.findIndex((item) => !Tensor.isTensor(item));
  if (wrong >= 0) throw invalid(name, `expected Tensors, found ${show(items[wrong])}`);
  return items as Tensor[];
}
