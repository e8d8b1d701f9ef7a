import { arange, manualSeed, rand, tensor, type DType, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { hexOf } from '../support/exact.mjs';
import { reference } from '../support/reference.mjs';

/** A tensor as Python wrote it, or several. */
type Recorded = { dtype: DType; shape: number[]; hex: string } | Recorded[];
type Result = Tensor | Result[];

/** The same values as `image(…)` of test/reference/transforms_images.py. */
export function image(dtype: DType, ...shape: number[]): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const values = arange(count, { dtype: 'int64' }).mul(7919).add(13).remainder(251).view(shape);
  return dtype.startsWith('float') ? values.to('float32').div(250).to(dtype) : values.to(dtype);
}

/** The images of the reference script, by name. */
export const images: Record<string, Tensor> = {
  bytes: image('uint8', 3, 17, 23),
  floats: image('float32', 3, 17, 23),
  batch: image('uint8', 2, 3, 16, 15),
  'batch of floats': image('float32', 2, 3, 16, 15),
  grey: image('uint8', 1, 17, 23),
  'grey floats': image('float32', 1, 17, 23),
  int32: image('int32', 3, 17, 23),
  float64: image('float64', 3, 17, 23),
  int8: image('int8', 1, 5, 6),
  int16: image('int16', 1, 5, 6),
  int64: image('int64', 1, 5, 6),
  nested: image('uint8', 2, 2, 3, 9, 12),
  'channels last': image('uint8', 2, 3, 16, 15).to({ memoryFormat: 'channels_last' }),
  'floats, channels last': image('float32', 2, 3, 16, 15).to({ memoryFormat: 'channels_last' }),
  transposed: image('float32', 3, 23, 17).transpose(-1, -2),
};

/** How far two tensors are apart, to say so where their bytes differ. */
function distance(got: Tensor, expected: { dtype: DType; hex: string }): string {
  const arrays = {
    uint8: Uint8Array,
    float32: Float32Array,
    float64: Float64Array,
    int16: Int16Array,
    int32: Int32Array,
  };
  const bytes = Uint8Array.from(Buffer.from(expected.hex, 'hex'));
  const values = new (arrays[expected.dtype as keyof typeof arrays] ?? BigInt64Array)(bytes.buffer);
  const own = got.contiguous().flatten().tolist<number[]>();
  const off = own.map((value, i) => Math.abs(Number(value) - Number(values[i])));
  const count = off.filter((value) => value !== 0).length;
  return `${count} of ${own.length} values differ, by up to ${off.reduce((a, b) => Math.max(a, b), 0)}`;
}

export function expectRecordedBits(got: Result, expected: Recorded, at: string): void {
  if (Array.isArray(expected)) {
    expect(Array.isArray(got), `${at} has parts`).to.equal(true);
    expect((got as Result[]).length, at).to.equal(expected.length);
    expected.forEach((each, i) => expectRecordedBits((got as Result[])[i]!, each, `${at}, part ${i}`));
    return;
  }
  const found = got as Tensor;
  expect([found.dtype, ...found.shape], at).to.deep.equal([expected.dtype, ...expected.shape]);
  if (hexOf(found) !== expected.hex) expect.fail(`${at}: ${distance(found, expected)}`);
}

type Cases = Record<string, Record<string, Recorded>>;

/** One test a case of the reference script: the bits are Python's, and inputs stay as they were. */
export function likePython(
  script: string,
  inputs: Record<string, Tensor | readonly Tensor[]>,
  functions: Record<string, (...given: Tensor[]) => unknown>,
  seeded: Record<string, (...given: Tensor[]) => unknown>,
): void {
  let cases: Cases = {};
  before(function () {
    this.timeout(60_000);
    cases = JSON.parse(reference(this, script)) as Cases;
  });

  it('there is a test of each case of Python’s', () => {
    expect([...Object.keys(functions), ...Object.keys(seeded)].sort()).to.deep.equal(Object.keys(cases).sort());
  });

  const given = (name: string): readonly Tensor[] => {
    const input = inputs[name]!;
    return Array.isArray(input) ? (input as Tensor[]) : [input as Tensor];
  };
  for (const [name, apply] of Object.entries(functions)) {
    it(name, () => {
      for (const [at, expected] of Object.entries(cases[name]!)) {
        const before = given(at).map(hexOf);
        expectRecordedBits(apply(...given(at)) as Result, expected, at);
        expect(given(at).map(hexOf), `${at} is changed`).to.deep.equal(before);
      }
    });
  }
  for (const [name, apply] of Object.entries(seeded)) {
    it(`${name}, seeded`, () => {
      for (const [key, expected] of Object.entries(cases[name]!)) {
        const [at, seed] = key.split(', seed ') as [string, string];
        const before = given(at).map(hexOf);
        manualSeed(Number(seed));
        expectRecordedBits([apply(...given(at)) as Result, rand([1])], expected, key);
        expect(given(at).map(hexOf), `${at} is changed`).to.deep.equal(before);
      }
    });
  }
}

/** Numbers as a tensor of shape [n, 1, 1]. */
export const perChannel = (...values: number[]): Tensor => tensor(values, { dtype: 'float32' }).view([-1, 1, 1]);
