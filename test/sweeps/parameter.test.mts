import { expect } from 'chai';
import fc from 'fast-check';

import { gridOf, Parameter, valueAt } from '#lib/sweeps/parameter.js';

const places = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('a parameter of a sweep', () => {
  it('has all of its values in a grid', () => {
    expect(gridOf({ values: ['a', null, 3] })).to.deep.equal(['a', null, 3]);
    expect(gridOf({ min: 0, max: 0.3, step: 0.1 })).to.deep.equal([0, 0.1, 0.2, 0.3]);
    expect(gridOf({ min: 1, max: 4, integer: true })).to.deep.equal([1, 2, 3, 4]);
    expect(gridOf({ min: 0, max: 1 })).to.equal(undefined);
    expect(gridOf({ min: 1, max: 8, integer: true, scale: 'log' })).to.equal(undefined);
  });

  it('stays within its range, and on its steps', () => {
    fc.assert(
      fc.property(places, (place) => {
        expect(valueAt({ min: 0.001, max: 0.1, scale: 'log' }, place)).to.be.within(0.001, 0.1);
        expect(valueAt({ min: -1, max: 1 / 3 }, place)).to.be.within(-1, 1 / 3);
        expect(valueAt({ min: 3, max: 5, integer: true }, place)).to.be.oneOf([3, 4, 5]);
        expect(valueAt({ min: 2, max: 64, scale: 'log', integer: true }, place)).to.satisfy(Number.isInteger);
        expect(valueAt({ min: 2, max: 64, scale: 'log', integer: true }, place)).to.be.within(2, 64);
        expect(valueAt({ min: 0, max: 1, step: 0.25 }, place)).to.be.oneOf([0, 0.25, 0.5, 0.75, 1]);
        expect(valueAt({ values: ['a', 'b'] }, place)).to.be.oneOf(['a', 'b']);
      }),
    );
  });

  it('is drawn evenly: in its values, or in their logarithms', () => {
    const evenly = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000);
    const share = (parameter: Parameter, isIn: (value: number) => boolean) =>
      evenly.filter((place) => isIn(valueAt(parameter, place) as number)).length / 1000;
    expect(share({ min: 0, max: 10 }, (value) => value < 1)).to.be.closeTo(0.1, 0.002);
    expect(share({ min: 1, max: 100, scale: 'log' }, (value) => value < 10)).to.be.closeTo(0.5, 0.002);
    for (const which of [3, 4, 5]) {
      expect(share({ min: 3, max: 5, integer: true }, (value) => value === which)).to.be.closeTo(1 / 3, 0.002);
    }
    // As many of 1 as of 2 and 3 together.
    const octaves: Parameter = { min: 1, max: 3, scale: 'log', integer: true };
    expect(share(octaves, (value) => value === 1)).to.be.closeTo(0.5, 0.002);
    expect(share(octaves, (value) => value >= 2)).to.be.closeTo(0.5, 0.002);
  });

  for (const [given, expected] of [
    [{}, 'expected values: […], or min and max'],
    [{ min: 1 }, 'expected values: […], or min and max'],
    [{ values: [] }, '>=1 items'],
    [{ values: [1], min: 0 }, 'not both: leave min out'],
    [{ values: [1], scale: 'log' }, 'not both: leave scale out'],
    [{ values: [Infinity] }, 'no infinities'],
    [{ min: 2, max: 2 }, 'min to be less than max'],
    [{ min: 0, max: 2, scale: 'log' }, 'min above 0'],
    [{ min: 1, max: 2, scale: 'log', step: 1 }, 'no step'],
    [{ min: 0.5, max: 2, integer: true }, 'whole numbers'],
    [{ min: 0, max: 2, stp: 1 }, 'Unrecognized key'],
  ] as [object, string][]) {
    it(`refuses ${JSON.stringify(given)}`, () => {
      const { success, error } = Parameter.safeParse(given);
      expect(success).to.equal(false);
      expect(error!.issues[0]!.message).to.include(expected);
    });
  }
});
