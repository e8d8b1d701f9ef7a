import path from 'node:path';

import { arange, load, ones, quantizePerTensor, save, tensor, type Tensor, zeros } from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { refusalOf } from '../support/refusal.mjs';
import { writePickle } from './zipFiles.mjs';

describe('values in files of torch.save', () => {
  const folder = temporaryFolder('values');
  const file = path.join(folder, 'data.pt');

  const refusal = (work: () => unknown): string => {
    const { code, message } = refusalOf(work);
    return `${code}: ${message}`;
  };

  function saved<T>(value: T): T {
    save(value, file);
    return load<T>(file);
  }

  it('are what they were, or refused', () => {
    const value = {
      set: new Set([1, 'a', null]),
      bytes: new Uint8Array([0, 127, 128, 255]),
      halves: '\ud800 \udfff\ud83d 😀 é',
      map: new Map<unknown, unknown>([[[1, ['x']], 1], [null, 2], [true, 3], [2n ** 70n, 4], [1.5, 5]]), // prettier-ignore
      wholes: [2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53 - 1, 2n ** 64n, -(2n ** 63n), (-128n) ** 9n],
      none: [[], {}, new Map<unknown, unknown>([[null, null]])],
    };
    expect(saved(value)).to.deep.equal(value);
    const holed: unknown[] = [1];
    holed[2] = 3;
    expect(refusal(() => save(holed, file))).to.match(/INVALID_ARGUMENT: save: \[1\] is undefined/);
    expect(refusal(() => save({ a: { b: [undefined] } }, file))).to.match(/save: a\.b\[0\] is undefined/);
    const gone = Uint8Array.of(1);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expect(refusal(() => save({ gone }, file))).to.match(/INVALID_ARGUMENT: save: the ArrayBuffer is detached/);
    expect(refusal(() => save(2n ** 2039n, file))).to.match(/an integer of 2040 bits is too large/);
    expect(saved(2n ** 2038n)).to.equal(2n ** 2038n);
    expect(saved(-(2n ** 2039n))).to.equal(-(2n ** 2039n));
  });

  it('are keys that Python can tell apart', () => {
    for (const keys of [
      [1, true],
      [1, 1n],
      [0, false],
      [
        [1, 'a'],
        [1, 'a'],
      ],
      [2n ** 60n, 2 ** 60],
    ]) {
      const entries = keys.map((key, i): [unknown, unknown] => [key, i]);
      expect(
        refusal(() => save(new Map(entries), file)),
        String(keys),
      ).to.match(/occurs twice for Python/);
      expect(
        refusal(() => save(new Set<unknown>(keys), file)),
        String(keys),
      ).to.match(/occurs twice for Python/);
    }
    for (const key of [{}, new Map(), ones([1]), undefined, [[{}]]]) {
      expect(refusal(() => save(new Map([[key, 1]]), file))).to.match(/is no key of a dictionary/);
    }
  });

  it('are not made one where Python had two', () => {
    // A dictionary with torch.float32 and 'float32' as keys; a set of the same; a dictionary with two NaN.
    const both = 'ctorch\nfloat32\nK\x01X\x07\0\0\0float32K\x02';
    writePickle(file, `\x80\x02}(${both}u.`);
    expect(refusal(() => load(file))).to.match(/FILE_INVALID: .*a collection with float32 twice/);
    writePickle(file, `\x80\x02c__builtin__\nset\n](${both.replace(/K./g, '')}e\x85R.`);
    expect(refusal(() => load(file))).to.match(/FILE_INVALID: .*a collection with float32 twice/);
    const nan = 'G\x7f\xf8\0\0\0\0\0\0';
    writePickle(file, `\x80\x02}(${nan}K\x01${nan}K\x02u.`);
    expect(refusal(() => load(file))).to.match(/FILE_INVALID: .*the key NaN twice/);
    writePickle(file, '\x80\x02X\x02\0\0\0a\xff.');
    expect(refusal(() => load(file))).to.match(/FILE_INVALID: .*a text that is no UTF-8/);
  });

  it('that occur twice are one again, and may hold themselves', () => {
    const shared = { list: [1] };
    const x = ones([2]);
    const found = saved({ a: shared, b: [shared, shared], x, y: [x] });
    expect([found.a === found.b[0], found.b[0] === found.b[1], found.x === found.y[0]]).to.deep.equal([
      true,
      true,
      true,
    ]);
    const self: unknown[] = [1];
    self.push(new Map([['self', self]]), self);
    const again = saved(self);
    expect([again[2] === again, (again[1] as { self: unknown }).self === again]).to.deep.equal([true, true]);
    // As text, each level doubles it.
    let doubled: unknown = 'leaf';
    for (let i = 0; i < 60; ++i) doubled = [doubled, doubled];
    const [first, second] = saved(doubled) as unknown[];
    expect(first).to.equal(second);
  });

  it('may be nested as deep as memory goes', () => {
    const leaf = ones([1]);
    let deep: unknown = leaf;
    for (let i = 0; i < 30_000; ++i) deep = i % 3 === 0 ? [deep] : i % 3 === 1 ? { a: deep } : new Map([[1, deep]]);
    let found: unknown = saved(deep);
    let levels = 0;
    for (; typeof found === 'object' && found !== null && !('shape' in found); ++levels) {
      found = found instanceof Map ? found.get(1) : Object.values(found)[0];
    }
    expect([levels, (found as Tensor).item()]).to.deep.equal([30_000, 1]);
  });

  it('may be tensors with attributes, which are kept', () => {
    const x = Object.assign(zeros([2]), { note: 'kept', inner: [ones([3])] });
    const { x: found, y } = saved({ x, y: x });
    expect(found.note).to.equal('kept');
    expect([found.inner[0]!.tolist(), found === y]).to.deep.equal([[1, 1, 1], true]);
    Object.assign(x, { self: x });
    expect(refusal(() => save(x, file))).to.match(/INVALID_ARGUMENT: save: .*self is/);
    // What only a tampered file has: Python's `shape` cannot be set.
    const state = '}X\x05\0\0\0shapeK\x01s';
    const meta = '(ctorch._utils\n_rebuild_meta_tensor_no_storage\nctorch\nTensor\n(ctorch\nfloat32\n)))\x89t';
    writePickle(file, `\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n${meta}${state}tR.`);
    expect(refusal(() => load(file))).to.match(/FILE_INVALID: .*the attribute 'shape', whose name has a meaning here/);
  });

  it('share memory across dtypes, and are quantized', () => {
    const z = tensor([{ re: 1, im: 2 }, { re: 3, im: -4 }]); // prettier-ignore
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [1, 3, 0, 2],
    ]) {
      const views = [z, z.imag, z.conj(), z.conj().imag];
      const found = saved(order.map((i) => views[i]!));
      const [whole, imag, conj, negative] = [0, 1, 2, 3].map((i) => found[order.indexOf(i)]!);
      expect(conj!.tolist()).to.deep.equal([{ re: 1, im: -2 }, { re: 3, im: 4 }]); // prettier-ignore
      imag!.fill_(9);
      expect([whole!.imag.tolist(), negative!.tolist()]).to.deep.equal([[9, 9], [-9, -9]]); // prettier-ignore
    }
    const bytes = arange(5, { dtype: 'uint8' });
    const [, words] = saved([bytes, bytes.at('0:4').view('int16')]);
    expect(words.tolist()).to.deep.equal([256, 770]);
    const quantized = quantizePerTensor(tensor([0, 0.5, 1]), 0.5, 1, 'qint8');
    const found = saved([quantized, quantized]);
    expect([found[1]!.dequantize().tolist(), found[1]!.qScale()]).to.deep.equal([[0, 0.5, 1], 0.5]);
  });

  it('leave tensors as they are, before and after', () => {
    const x = arange(4);
    const loaded = saved(x);
    for (const resized of [x, loaded]) expect(resized.resize_([8]).shape).to.deep.equal([8]);
  });
});
