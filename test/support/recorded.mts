import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import type { Tensor } from 'aiforge';
import { expect } from 'chai';

import { elements, exact, type Exact } from './exact.mjs';

// Processors round differently: they add in other orders and differ in the last bits of `exp` and the like. What Python
// computes now must be met to the bit. What it was recorded to compute on some other machine may be off by as much as
// rounding can do there, which the recording scripts measure (test/reference/recording.py): never by a test's own tolerance.

/** A recorded tensor whose last bits depend on the processor, and how far its elements may be off. */
interface Bounded extends Exact {
  within: number;
}

const python = process.env.AIFORGE_REFERENCE_PYTHON;

/** What a reference script computes: by the Python of AIFORGE_REFERENCE_PYTHON now, else as it was recorded. */
export function recorded<T>(name: string): T {
  if (python === undefined) return JSON.parse(readFileSync(`test/fixtures/${name}.json`, 'utf8')) as T;
  const command = [`test/reference/${name}.py`, '--json'];
  return JSON.parse(execFileSync(python, command, { encoding: 'utf8', maxBuffer: 1 << 28 })) as T;
}

/** Expects the recorded tensors in arrays and objects of them: bit by bit, or within the bounds that were recorded. */
export function expectRecorded(actual: unknown, expected: unknown, what: string): void {
  if (typeof expected !== 'object' || expected === null) expect(actual, what).to.equal(expected);
  else if ('within' in expected) expectWithin(actual as Exact, expected as Bounded, what);
  else if ('hex' in expected) expect(actual, what).to.deep.equal(expected);
  else {
    expect(actual, what).to.be.an(Array.isArray(expected) ? 'array' : 'object');
    expect(Object.keys(actual as object), what).to.have.members(Object.keys(expected));
    for (const [key, value] of Object.entries(expected))
      expectRecorded((actual as Record<string, unknown>)[key], value, `${what}: ${key}`);
  }
}

export function expectExact(tensor: Tensor | null, expected: Exact | null, what: string): void {
  expectRecorded(tensor === null ? null : exact(tensor), expected, what);
}

function expectWithin(actual: Exact, { within, ...expected }: Bounded, what: string): void {
  expect({ ...actual, hex: '' }, what).to.deep.equal({ ...expected, hex: '' });
  const share = distance(actual, expected) / within;
  expect(share, `${what}: the largest difference, as a share of what rounding allows`).to.be.at.most(1);
  note(actual.hex !== expected.hex, share);
}

function distance(a: Exact, b: Exact): number {
  const [x, y] = [elements(a) as Float64Array, elements(b) as Float64Array];
  const differences = x.map((value, i) => Math.abs(value - y[i]!));
  return differences.some(Number.isNaN) ? Infinity : Math.max(0, ...differences);
}

const seen = { compared: 0, different: 0, share: 0 };

/** Counts a value that is compared within a bound, for the line that tells at the end. */
export function note(isDifferent: boolean, share: number): void {
  seen.compared += 1;
  if (isDifferent) seen.different += 1;
  seen.share = Math.max(seen.share, share);
}

after(() => {
  if (seen.different === 0) return;
  console.log(
    `  This processor rounds otherwise than the one that recorded test/fixtures: ${seen.different} of ${seen.compared} values ` +
      `that depend on it differ, by at most ${Math.ceil(100 * seen.share)} % of what rounding allows.`,
  );
});
