import { expect } from 'chai';
import { flattenParams } from '#lib/tracking/flatten.js';

describe('flattenParams', () => {
  it('joins keys with dots and makes every value a text', () => {
    const params = { name: 'x', training: { epochs: 2, checkpoint: { keepLast: true, everySteps: null } } };
    expect(flattenParams(params)).to.deep.equal({
      name: 'x',
      'training.epochs': '2',
      'training.checkpoint.keepLast': 'true',
      'training.checkpoint.everySteps': 'null',
    });
  });

  it('keeps lists and empty objects as JSON, and leaves undefined out', () => {
    expect(flattenParams({ dims: [64, [1]], of: [{ a: 1 }], none: {}, gone: undefined })).to.deep.equal({
      dims: '[64,[1]]',
      of: '[{"a":1}]',
      none: '{}',
    });
  });

  it('writes out what JSON cannot hold', () => {
    const date = new Date(0);
    expect(flattenParams({ a: NaN, b: -Infinity, c: 2n ** 70n, d: date, e: [1n] })).to.deep.equal({
      a: 'NaN',
      b: '-Infinity',
      c: '1180591620717411303424',
      d: String(date),
      e: '1',
    });
  });

  it('ends on an object that holds itself, and shows a shared one twice', () => {
    const shared = { x: 1 };
    const params: Record<string, unknown> = { one: shared, two: shared };
    params.self = params;
    expect(flattenParams(params)).to.deep.equal({ 'one.x': '1', 'two.x': '1', self: '[circular]' });
  });
});
