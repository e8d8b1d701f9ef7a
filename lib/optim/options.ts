import { AiforgeError } from '../errors.js';

export function checkNotNegative(name: string, value: number): void {
  if (typeof value === 'number' && value >= 0) return;
  throw new AiforgeError('INVALID_ARGUMENT', `${name}: expected a number, 0 or more, got ${String(value)}.`);
}

export function checkImplementation(foreach: boolean | null, fused: boolean | null): void {
  if (foreach !== true || fused !== true) return;
  throw new AiforgeError('INVALID_ARGUMENT', 'fused and foreach cannot both be true: leave one out.');
}
