import { AiforgeError, data, finfo, func, ones } from 'aiforge';
import { plainCopy } from '#lib/config/plainCopy.js';
import { fromJson, toJson } from '#lib/core/checkpoints/checkpointJson.js';
import { joinTensors, splitTensors } from '#lib/core/checkpoints/tensorTree.js';
import { frozenCopy } from '#lib/core/copies.js';
import { plainJson } from '#lib/plainJson.js';
import { flattenParams } from '#lib/tracking/flatten.js';
import { expect } from 'chai';

const list = (leaf: unknown, levels: number): unknown => {
  let value = leaf;
  for (let i = 0; i < levels; ++i) value = [value];
  return value;
};
const object = (leaf: unknown, levels: number): object => {
  let value = leaf;
  for (let i = 0; i < levels; ++i) value = { a: value };
  return value as object;
};

describe('what is nested deeper than the call stack holds', () => {
  const walks: [name: string, walk: (value: unknown) => unknown][] = [
    ['moveToDevice', (value) => data.moveToDevice(value, 'cpu')],
    ['defaultCollate', (value) => data.defaultCollate([value, value])],
    ['vjp', (value) => func.vjp(() => ones([]), [value] as never)],
    ['settings', (value) => plainCopy(value, 'the settings')],
    ['plain data', (value) => plainJson('the data', value, 'CONFIG_INVALID')],
    ['a frozen copy', frozenCopy],
    ['the state of a run', toJson],
    ['the state of a callback', splitTensors],
    ['the state of a run in a file', (value) => fromJson(JSON.stringify(list(1, 4000)).replace('1', String(value)))],
    ['parameters', (value) => flattenParams({ value })],
  ];
  for (const [name, walk] of walks) {
    it(`is refused with a code: ${name}`, () => {
      const given = name === 'the state of a run in a file' ? '1' : object(name === 'vjp' ? ones([]) : 1, 20_000);
      expect(() => walk(given))
        .to.throw(AiforgeError)
        .with.property('message')
        .that.matches(/nested (too deeply|more than 500 deep)/);
    });
  }

  it('is told of with its place in the state of a callback, as is what holds itself', () => {
    const held: { seen: object[] } = { seen: [] };
    held.seen.push(held);
    for (const [state, said] of [
      [held, /^The state of a callback holds itself at state\.seen\[0\], /],
      [object(1, 20_000), /^The state of a callback, at state(\.a){37}\.…, is nested more than 500 deep/],
    ] as const) {
      expect(() => splitTensors(state))
        .to.throw(AiforgeError, said)
        .with.property('code', 'PLUGIN_INVALID');
    }
    const shared = { a: [1] };
    expect(splitTensors([shared, shared]).value).to.deep.equal([shared, shared]);
  });

  it('keeps the sign of a zero in the state of a callback', () => {
    const { value, tensors } = splitTensors({ low: -0, high: 0 });
    const read = joinTensors(fromJson(toJson(value)), tensors) as { low: number; high: number };
    expect(Object.is(read.low, -0)).to.equal(true);
    expect(Object.is(read.high, 0)).to.equal(true);
  });

  it('is shown by its beginning', () => {
    expect(() => finfo(list(1, 20_000) as never)).to.throw(/got \[\[\[\[…\]\]\]\]/);
    expect(flattenParams({ a: list(1, 20_000) })).to.deep.equal({ a: '[[[[…]]]]' });
  });

  it('is walked to a depth that nobody reaches', () => {
    const batch = object(ones([1]), 400);
    expect(data.moveToDevice(batch, 'cpu')).to.have.nested.property(`a${'.a'.repeat(20)}`);
    expect(plainCopy(object(1, 400), 'the settings')).to.deep.equal(object(1, 400));
  });
});
