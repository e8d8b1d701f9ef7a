import { AiforgeError } from '../errors.js';

/** The options that are given, with defaults for the others; undefined is not given. */
export function withDefaults<Options extends object>(defaults: Options, given: Partial<Options>): Options {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...defaults, ...set };
}

export function checkNotNegative(name: string, value: number): void {
  if (typeof value === 'number' && value >= 0) return;
  throw new AiforgeError('INVALID_ARGUMENT', `${name}: expected a number, 0 or more, got ${String(value)}.`);
}

export function checkImplementation(foreach: boolean | null, fused: boolean | null): void {
  if (foreach !== true || fused !== true) return;
  throw new AiforgeError('INVALID_ARGUMENT', 'fused and foreach cannot both be true: leave one out.');
}
