import { expect } from 'chai';

import { python } from '../../nn/reference.mjs';
import { note } from '../../support/recorded.mjs';
import { digest, STEPS, type Case } from './cases.mjs';

// Python now must be met to the bit. Where another C library recorded, its `cos`, `log` and `pow` may have other last bits.
// A step rounds at most 8 times, such a function counting twice, and errors add up over the steps of a chained formula.
const ROUNDINGS = 8 * STEPS;

const roundingOf = ({ optimizer }: Case): number => (optimizer.tensor === 'float32' ? 2 ** -24 : 2 ** -53);

/** Expects the same numbers in arrays and objects; those that are not whole may be off by the roundings of numbers of `size`. */
function expectNumbers(actual: unknown, expected: unknown, test: Case, size: number, what: string): void {
  if (typeof expected === 'number' && !Number.isInteger(expected)) {
    const difference = Math.abs((actual as number) - expected);
    const share = difference / (ROUNDINGS * roundingOf(test) * Math.max(size, Math.abs(expected)));
    expect(share, `${what}: the difference, as a share of what rounding allows`).to.be.at.most(1);
    note(difference > 0, share);
  } else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(actual as object), what).to.have.members(Object.keys(expected));
    for (const [key, value] of Object.entries(expected))
      expectNumbers((actual as Record<string, unknown>)[key], value, test, size, `${what}.${key}`);
  } else expect(actual, what).to.equal(expected);
}

const largest = ({ samples }: Case): number => Math.max(...samples.flat().map(Math.abs));

const sum = (numbers: number[]): number => numbers.reduce((total, each) => total + each, 0);

/** Expects the rates of all steps: one that is wrong changes both sums of its column. */
export function expectRates(rows: number[][], test: Case): void {
  if (digest(rows) === test.digest) return;
  if (python !== undefined) expect(digest(rows)).to.equal(test.digest);
  expectNumbers(
    rows.filter((_, i) => i % 40 === 0),
    test.samples,
    test,
    largest(test),
    'samples',
  );
  const columns = rows[0]!.map((_, column) => rows.map((row) => row[column]!));
  const sums = columns.map((column) => [sum(column), sum(column.map((rate, i) => (i + 1) * rate))]);
  expectNumbers(sums, test.sums, test, 0, 'sums');
}

/** Expects the state of a scheduler, as `plain` gives it. */
export function expectState(state: unknown, test: Case): void {
  if (python !== undefined) expect(state).to.deep.equal(test.half);
  else expectNumbers(state, test.half, test, largest(test), 'state');
}
