import { expect } from 'chai';
import { tensor } from 'aiforge';

import { exact } from './exact.mjs';
import { expectExact, expectRecorded } from './recorded.mjs';

describe('expectRecorded', () => {
  const made = tensor([1, 2], { dtype: 'float32' });
  const bounded = { ...exact(made), within: 0.25 };
  const fails = (actual: unknown, expected: unknown): void => {
    expect(() => expectRecorded(actual, expected, 'it')).to.throw(/^it/);
  };

  it('accepts the recorded bits, and asks for them where no bound was recorded', () => {
    expectExact(made, bounded, 'bounded');
    expectRecorded({ a: [exact(made), null, 3] }, { a: [bounded, null, 3] }, 'nested');
    fails(exact(tensor([1, 2.0000002], { dtype: 'float32' })), exact(made));
  });

  it('refuses what is further off than rounding can be, or no number', () => {
    for (const wrong of [2.375, 1.625, NaN, Infinity]) fails(exact(tensor([1, wrong], { dtype: 'float32' })), bounded);
  });

  it('refuses other shapes, dtypes and keys', () => {
    fails(exact(made.view(2, 1)), bounded);
    fails(exact(made.to('float64')), bounded);
    fails(null, bounded);
    fails({ a: exact(made), b: 1 }, { a: bounded });
    fails({}, { a: bounded });
    fails([exact(made)], [bounded, bounded]);
  });
});
