import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ones, tensor, type Tensor } from 'aiforge';

interface Described {
  dtype: string;
  shape: number[];
  stride: number[];
  storage: number;
}

interface Result {
  name: string;
  samples: number;
  gradients: number;
  dtypes: Record<string, number>;
  tensors: number;
  identical: number;
  failed: number;
  failures: { message: string }[];
}

interface Compare {
  difference(frame: object, expected: object, actual: unknown, tally: Tally, options?: object): string | null;
  Tally: new () => Tally;
}

interface Tally {
  tensors: number;
  identical: number;
}

interface RunOptions {
  first: number | null;
  autocast: string | null;
}

interface Supervise {
  listEntries(python: string): Promise<{ entries: { name: string; index: number }[]; operators: Set<string> }>;
  runEntries(python: string, entries: object[], options: RunOptions, print: () => void): Promise<Result[]>;
}

const load = async (name: string): Promise<unknown> =>
  import(pathToFileURL(path.resolve('scripts/parity', name)).href) as Promise<unknown>;

describe('scripts/parity/compare.mjs', () => {
  let compare: Compare;
  before(async () => {
    compare = (await load('compare.mjs')) as Compare;
  });

  function differenceOf(theirs: number[], ours: unknown, described: Partial<Described> = {}, options: object = {}) {
    const data = Float32Array.from(theirs);
    const expected = { dtype: 'float32', shape: [theirs.length], stride: [1], storage: 0, ...described };
    const frame = { header: { tensors: [expected], storages: [[0, data.byteLength]] }, blob: data.buffer };
    const tally = new compare.Tally();
    const found = compare.difference(frame, { $: 'tensor', index: 0 }, ours, tally, options);
    return { found, ...tally };
  }
  const float32 = (values: number[]): Tensor => tensor(values, { dtype: 'float32' });

  it('tells the same bits from close values', () => {
    expect(differenceOf([1, NaN], float32([1, NaN]))).to.deep.equal({ found: null, tensors: 1, identical: 1 });
    expect(differenceOf([1, 2], float32([1.000001, 2]))).to.deep.equal({ found: null, tensors: 1, identical: 0 });
  });

  it('takes close values for different ones where every bit counts', () => {
    const exact = (theirs: number[], ours: Tensor) => differenceOf(theirs, ours, {}, { exact: true }).found;
    expect(exact([1, 2], float32([1, 2]))).to.equal(null);
    expect(exact([1, 2], float32([1.000001, 2]))).to.match(
      /1 of 2 elements differ, element 0: expected 1, got 1.00000/,
    );
    expect(exact([0], float32([-0]))).to.match(/zeros of other signs/);
  });

  it('says what differs', () => {
    expect(differenceOf([1, 2], float32([1, 2.01])).found).to.match(
      /1 of 2 elements differ, element 1: expected 2, got/,
    );
    expect(differenceOf([1, NaN], float32([1, 2])).found).to.match(/element 1: expected NaN, got 2/);
    expect(differenceOf([1, Infinity], float32([1, 3e38])).found).to.match(/expected Infinity/);
    expect(differenceOf([1], ones([1], { dtype: 'float64' })).found).to.match(/expected dtype float32, got float64/);
    expect(differenceOf([1, 1], ones(2, 1)).found).to.match(/expected shape \[2\], got \[2, 1\]/);
    expect(differenceOf([1, 1], ones(2, 2).select(1, 0)).found).to.match(/expected strides \[1\], got \[2\]/);
    expect(differenceOf([1], 1).found).to.match(/expected a tensor, got 1/);
  });
});

describe('scripts/parity/supervise.mjs', () => {
  let supervise: Supervise;
  before(async () => {
    supervise = (await load('supervise.mjs')) as Supervise;
  });

  it('runs entries against Python, and says what aiforge does not have', async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON is not set; run `npm test -- --reference`');
      this.skip();
    }
    this.timeout(120_000);
    const { entries, operators } = await supervise.listEntries(python);
    expect(entries.length).to.be.greaterThan(600);
    expect(operators.has('add')).to.equal(true);
    const chosen = entries.filter(({ name }) => name === 'sub' || name === 'jiterator_unary');
    const [sub, jiterator] = await supervise.runEntries(python, chosen, { first: 2, autocast: null }, () => undefined);
    expect(sub).to.include({ name: 'sub', failed: 0, samples: 8, gradients: 6 });
    expect(jiterator!.failures[0]!.message).to.equal('aiforge has no function of this name');
  });

  it('runs entries in autocast on both sides', async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON is not set; run `npm test -- --reference`');
      this.skip();
    }
    this.timeout(120_000);
    const { entries } = await supervise.listEntries(python);
    const chosen = entries.filter(({ name }) => name === 'matmul' || name === 'linalg.matrix_power');
    for (const autocast of ['bfloat16', 'float16']) {
      const results = await supervise.runEntries(python, chosen, { first: 4, autocast }, () => undefined);
      for (const result of results) {
        expect(result.failed, `${result.name} in ${autocast}`).to.equal(0);
        expect(result.dtypes).to.include({ float32: 4 });
        expect(result.identical).to.equal(result.tensors);
      }
    }
  });

  it('counts an entry as failed whose process ends', async () => {
    const [result] = await supervise.runEntries(
      '/bin/false',
      [{ name: 'sub', index: 0 }],
      { first: 2, autocast: null },
      () => undefined,
    );
    expect(result).to.include({ name: 'sub', failed: 1 });
    expect(result!.failures[0]!.message).to.match(/the process ended with status/);
  });
});
