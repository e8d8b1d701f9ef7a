import type { Complex } from '../tensor/dtype.js';

// Numbers as Python writes them, so that a message reads the same in both languages.

function float(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const exponent = value === 0 ? 0 : Number(value.toExponential().split('e')[1]);
  if (exponent < -4 || exponent >= 16) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  const text = String(value);
  return text.includes('.') ? text : `${Object.is(value, -0) ? '-0' : text}.0`;
}

const part = (value: number): string => float(value).replace(/\.0$/, '');

/** A number; whole ones have a point when they are of a floating-point kind. */
export function numberText(value: number | bigint | Complex, isFloating: boolean): string {
  if (typeof value === 'object') return `(${part(value.re)}${value.im < 0 ? '' : '+'}${part(value.im)}j)`;
  return isFloating ? float(Number(value)) : value.toString();
}

export const tupleText = (items: readonly number[]): string =>
  items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
