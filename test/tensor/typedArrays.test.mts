import { expect } from 'chai';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { AiforgeError } from '#lib/errors.js';
import { native } from '#lib/native.js';
import { fromBuffer, fromTypedArray, scope, tensor, type DType } from '#lib/tensor/index.js';
import { collectGarbage } from '../support/garbage.mjs';

const isDetached = (buffer: ArrayBuffer) => {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
};

describe('fromTypedArray() with transfer', () => {
  it('takes the memory: the caller is left with an empty array', () => {
    const source = Float32Array.of(1, 2, 3, 4);
    const { buffer } = source;
    const made = fromTypedArray(source, { shape: [2, 2], transfer: true });
    expect(isDetached(buffer)).to.equal(true);
    expect(source).to.have.length(0);
    made.add_(1);
    expect(made.tolist()).to.deep.equal([
      [2, 3],
      [4, 5],
    ]);
  });

  it('takes part of a buffer', () => {
    const source = Int32Array.of(1, 2, 3, 4);
    expect(fromTypedArray(source.subarray(1, 3), { transfer: true }).tolist()).to.deep.equal([2, 3]);
    expect(source).to.have.length(0);
    expect(fromTypedArray(new Float32Array(0), { shape: [0, 2], transfer: true }).shape).to.deep.equal([0, 2]);
  });

  it('takes bits as another dtype, and converts from its own', () => {
    expect(fromTypedArray(Uint16Array.of(0x3c00), { dtype: 'float16', transfer: true }).tolist()).to.deep.equal([1]);
    expect(fromTypedArray(Float32Array.of(1, 2), { dtype: 'complex64', transfer: true }).tolist()).to.deep.equal([
      { re: 1, im: 2 },
    ]);
    expect(fromTypedArray(Int8Array.of(1, 2), { dtype: 'float64', transfer: true }).tolist()).to.deep.equal([1, 2]);
  });

  it('keeps the memory as long as the last view of the tensor, and no longer', async () => {
    const bytes = () => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers;
    };
    const before = bytes();
    const views = [];
    for (let i = 0; i < 20; ++i) {
      const made = fromTypedArray(new Float32Array(250_000).fill(i), { transfer: true });
      views.push(made.narrow(0, 5, 3));
      made.dispose();
    }
    expect(bytes() - before).to.be.at.least(19_000_000);
    expect(views.map((view) => view.tolist())).to.deep.equal(views.map((_, i) => [i, i, i]));
    for (const view of views) view.dispose();
    // V8 gives freed arrays back on another thread.
    for (let round = 0; round < 50 && bytes() - before > 2_000_000; ++round) await setTimeout(10);
    expect(bytes() - before).to.be.below(2_000_000);
  });

  it('is released by a scope', async () => {
    scope(() => fromTypedArray(new Float32Array(1000), { transfer: true }).sum().item());
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    scope(() => {
      for (let i = 0; i < 10; ++i) fromTypedArray(new Float32Array(1_000_000), { transfer: true });
    });
    const grown = () => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers - before;
    };
    for (let round = 0; round < 50 && grown() > 8_000_000; ++round) await setTimeout(10);
    expect(grown()).to.be.below(8_000_000);
  });

  it('refuses shared memory, misaligned memory and that of a tensor, and leaves it as it was', () => {
    const shared = new Float32Array(new SharedArrayBuffer(8));
    expect(() => fromTypedArray(shared, { transfer: true })).to.throw(/SharedArrayBuffer cannot be transferred/);
    const ofTensor = tensor([1.5, 2]).viewTypedArray();
    expect(() => fromTypedArray(ofTensor, { transfer: true })).to.throw(/cannot be transferred/);
    const bytes = Uint8Array.of(0, 0, 0, 0, 128, 63);
    expect(() => fromBuffer(bytes.subarray(2), { dtype: 'float32', transfer: true })).to.throw(/no multiple of the 4/);
    expect(() => fromTypedArray(bytes, { shape: [7], transfer: true })).to.throw(/need 7/);
  });

  it("does not take the memory of Node's small buffers from the others there", () => {
    const neighbour = Buffer.from('neighbour');
    const small = Buffer.from([1, 2, 3]);
    expect(() => fromTypedArray(small, { transfer: true })).to.throw(/cannot be transferred/);
    expect(neighbour.toString()).to.equal('neighbour');
  });
});

describe('memory that JavaScript could take away', () => {
  it('is never under a tensor, whatever an array says of itself', () => {
    class Liar extends Float32Array {
      override get buffer(): never {
        return new SharedArrayBuffer(16) as never;
      }
    }
    const liar = new Liar([1, 2, 3, 4]);
    const made = fromTypedArray(liar);
    liar[0] = 9;
    expect(made.tolist()).to.deep.equal([1, 2, 3, 4]);
    const masked = Object.setPrototypeOf(new ArrayBuffer(8), SharedArrayBuffer.prototype) as ArrayBuffer;
    const view = new Float32Array(masked);
    const copied = fromTypedArray(view);
    view[0] = 9;
    expect(copied.tolist()).to.deep.equal([0, 0]);
    expect(() => native.shareTypedArray(new Float32Array(2), 'float32', [2])).to.throw(/only the memory of a Shared/);
  });

  it('is refused where its resizable memory leaves it out', () => {
    // TypeScript knows it since ES2024.
    type Resizable = ArrayBuffer & { resize(bytes: number): void };
    const memory = Reflect.construct(ArrayBuffer, [16, { maxByteLength: 64 }]) as Resizable;
    const whole = new Float32Array(memory);
    const array = new Float32Array(memory, 8, 2);
    expect(tensor(array).shape).to.deep.equal([2]);
    memory.resize(4);
    for (const make of [tensor, fromTypedArray, fromBuffer, () => tensor([array, array])] as ((
      a: Float32Array,
    ) => unknown)[]) {
      expect(() => make(array)).to.throw(AiforgeError, /outside its ArrayBuffer/);
    }
    expect(tensor(whole).shape).to.deep.equal([1]);
    memory.resize(0);
    expect(tensor(whole).shape).to.deep.equal([0]);
    memory.resize(16);
    expect(tensor(array).shape).to.deep.equal([2]);
  });

  it('is refused once it is detached', () => {
    const array = Float32Array.of(1, 2);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    for (const make of [fromTypedArray, tensor] as ((data: Float32Array) => unknown)[]) {
      expect(() => make(array)).to.throw(/detached/);
    }
    const integers = BigInt64Array.of(1n, 2n);
    structuredClone(integers.buffer, { transfer: [integers.buffer] });
    for (const row of [array, integers] as Float32Array[]) {
      expect(() => tensor([row, row])).to.throw(AiforgeError, /^tensor: the ArrayBuffer is detached/);
    }
    expect(() => fromBuffer(array, { dtype: 'float32' })).to.throw(/detached/);
    expect(() => fromTypedArray(array, { transfer: true })).to.throw(/detached/);
  });

  it('is copied of a buffer that can be resized', () => {
    const buffer = new (
      ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer & { resize(n: number): void }
    )(8, { maxByteLength: 16 });
    const array = new Float32Array(buffer).fill(3);
    const made = fromTypedArray(array);
    buffer.resize(0);
    expect(made.tolist()).to.deep.equal([3, 3]);
  });

  it('stays when the worker that shared it with this thread has ended', async () => {
    const shared = new SharedArrayBuffer(8);
    const made = fromTypedArray(new Float32Array(shared));
    const worker = new Worker('new Float32Array(require("worker_threads").workerData).fill(2)', {
      eval: true,
      workerData: shared,
    });
    await once(worker, 'exit');
    expect(made.tolist()).to.deep.equal([2, 2]);
  });
});

describe('fromBuffer()', () => {
  const bytes = Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 64);

  it('takes every kind of memory', () => {
    const shared = new SharedArrayBuffer(8);
    new Uint8Array(shared).set(bytes);
    const all = [
      bytes,
      bytes.buffer,
      Buffer.from(bytes),
      new DataView(bytes.buffer),
      shared,
      new Int16Array(bytes.buffer),
    ];
    for (const source of all) expect(fromBuffer(source, { dtype: 'float32' }).tolist()).to.deep.equal([1, 2]);
    expect(fromBuffer(bytes).dtype).to.equal('uint8');
  });

  it('takes an offset, a count and a shape', () => {
    const options = { dtype: 'uint8' as DType };
    expect(fromBuffer(bytes, { ...options, offset: 2, count: 2 }).tolist()).to.deep.equal([128, 63]);
    expect(fromBuffer(bytes, { dtype: 'float32', offset: 4 }).tolist()).to.deep.equal([2]);
    expect(fromBuffer(bytes, { ...options, shape: [2, 4] }).shape).to.deep.equal([2, 4]);
    expect(fromBuffer(bytes, { ...options, offset: 8 }).shape).to.deep.equal([0]);
  });

  it('copies where elements do not begin at a multiple of their size', () => {
    const shifted = new SharedArrayBuffer(12);
    new Uint8Array(shifted, 1).set(bytes);
    expect(fromBuffer(new Uint8Array(shifted, 1, 8), { dtype: 'float32' }).tolist()).to.deep.equal([1, 2]);
    const pooled = Buffer.concat([Buffer.of(9), bytes]).subarray(1);
    expect(fromBuffer(pooled, { dtype: 'float32' }).tolist()).to.deep.equal([1, 2]);
    expect(fromBuffer(new DataView(shifted, 1, 8), { dtype: 'float32' }).tolist()).to.deep.equal([1, 2]);
  });

  it('shares a SharedArrayBuffer, unless a copy is asked for', () => {
    const shared = new Float32Array(new SharedArrayBuffer(8));
    const over = fromBuffer(shared.buffer, { dtype: 'float32' });
    const apart = fromBuffer(shared.buffer, { dtype: 'float32', copy: true });
    shared.fill(5);
    expect(over.tolist()).to.deep.equal([5, 5]);
    expect(apart.tolist()).to.deep.equal([0, 0]);
  });

  it('makes proper booleans, and reads every dtype', () => {
    expect([...fromBuffer(Uint8Array.of(0, 2, 255), { dtype: 'bool' }).toTypedArray()]).to.deep.equal([0, 1, 1]);
    for (const dtype of ['bfloat16', 'float8_e5m2', 'int64', 'uint64', 'complex32', 'complex64'] as const) {
      const made = fromBuffer(bytes, { dtype });
      expect(made.dtype).to.equal(dtype);
      expect(Buffer.from(made.toTypedArray().buffer).equals(bytes)).to.equal(true);
    }
  });

  it('refuses what does not fit', () => {
    const bad = [
      { offset: 9 },
      { offset: -1 },
      { offset: 0.5 },
      { offset: NaN },
      { count: 9 },
      { count: -1 },
      { dtype: 'float32' as DType, offset: 1 },
      { dtype: 'float32' as DType, count: 1.5 },
      { shape: [9] },
      { dtype: 'complex128' as DType },
      { dtype: 'float' as DType },
    ];
    for (const options of bad) expect(() => fromBuffer(bytes, options), JSON.stringify(options)).to.throw(AiforgeError);
    for (const source of [null, 1, 'x', [1], {}]) {
      expect(() => fromBuffer(source as never)).to.throw(/expected an ArrayBuffer/);
    }
  });
});

describe('tensor() of arrays within arrays', () => {
  it('takes typed arrays for rows, with their dtype', () => {
    const rows = [Float64Array.of(1, 2), Float64Array.of(3, 4)];
    expect(tensor(rows).dtype).to.equal('float64');
    expect(tensor([Int8Array.of(1), Int8Array.of(2)]).dtype).to.equal('int8');
    expect(tensor([[Int8Array.of(1, 2)], [[3, 4]]]).dtype).to.equal('int64');
    expect(tensor([BigInt64Array.of(2n ** 60n), [1]]).tolist()).to.deep.equal([[2n ** 60n], [1]]);
    expect(tensor([Buffer.from([1, 2]), [0.5, 1]]).tolist()).to.deep.equal([
      [1, 2],
      [0.5, 1],
    ]);
  });

  // As torch.tensor infers for the same lists.
  const inferred: [unknown[], DType][] = [
    [[tensor(1), 2], 'int64'],
    [[tensor(1.5, { dtype: 'float64' }), 2], 'float64'],
    [[tensor(1, { dtype: 'int8' }), tensor(2, { dtype: 'int8' })], 'int8'],
    [[tensor(1, { dtype: 'int8' }), 2], 'int64'],
    [[tensor(1, { dtype: 'int8' }), 2.5], 'float32'],
    [[tensor({ re: 0, im: 1 }), true], 'complex64'],
  ];
  inferred.forEach(([data, dtype], i) => {
    it(`infers ${dtype} from tensors without dimensions, case ${i}`, () => {
      const made = tensor(data as never);
      expect(made.dtype).to.equal(dtype);
      expect(made.at(0).to(dtype).tolist()).to.deep.equal((data[0] as ReturnType<typeof tensor>).to(dtype).tolist());
    });
  });

  it('names the place of what does not fit', () => {
    expect(() => tensor([[1, 2], [3]])).to.throw(/expected data\[1\] to be an array of 2 items.*it has 1 items/);
    expect(() =>
      tensor([
        [[1], [2]],
        [[3], 4],
      ] as never),
    ).to.throw(/expected data\[1\]\[1\] to be an array of 1 items.*is 4/);
    expect(() =>
      tensor([
        [1, 2],
        [3, [4]],
      ] as never),
    ).to.throw(/expected data\[1\]\[1\] to be a number, but it is an array/);
    expect(() => tensor([Float32Array.of(1, 2), Float32Array.of(3)])).to.throw(/data\[1\] to be an array of 2/);
    expect(() => tensor([[1, 300]], { dtype: 'uint8' })).to.throw(/300 of data\[0\]\[1\] cannot be held by uint8/);
    expect(() => tensor([tensor([1, 2])])).to.throw(/sizes \[2\] in data\[0\]; use stack\(\) or cat\(\)/);
    expect(() => tensor(tensor(1))).to.throw(/use clone\(\)/);
  });

  it('refuses endless and immense arrays', () => {
    const endless: unknown[] = [];
    endless.push(endless);
    expect(() => tensor(endless as never)).to.throw(/more than 64 deep/);
    const immense = new Array<never[]>(2 ** 32 - 1);
    immense[0] = new Array<never>(2 ** 32 - 1);
    expect(() => tensor(immense)).to.throw(/too large/);
    expect(() => tensor([1], { dtype: 'qint8' })).to.throw(/quantizePerTensor/);
  });

  it('reads each element of an array once', () => {
    let reads = 0;
    const row: unknown = new Proxy([1, 2], {
      get: (target, name) => (
        typeof name === 'string' && /^\d$/.test(name) && ++reads,
        Reflect.get(target, name) as unknown
      ),
    });
    expect(tensor([[5, 6], row] as never).tolist()).to.deep.equal([
      [5, 6],
      [1, 2],
    ]);
    expect(reads).to.equal(2);
  });
});
