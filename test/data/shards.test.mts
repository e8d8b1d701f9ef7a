import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import {
  DataLoader,
  padCollate,
  ShardedDataset,
  ShardWriter,
  verifyShards,
  type ShardWriterOptions,
} from '#lib/data/index.js';
import { arange, loadSafetensors, scope, tensor, type DType, type Tensor } from '#lib/tensor/index.js';
import { mutations } from '../support/mutations.mjs';

describe('shards', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'shards-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const sampleOf = (i: number) => ({
    image: arange(6).add(i).reshape([2, 3]).to('float32'),
    tokens: Array.from({ length: i % 4 }, (_, j) => 10 * i + j),
    name: `sample ${i} – ü`,
    label: i,
    half: tensor(i / 2, { dtype: 'float16' }),
    isOdd: i % 2 === 1,
  });

  it('refuses fields that could not be read again, and says what stands where a sample does not fit', async () => {
    const writer = (ragged: string[]) => new ShardWriter(path.join(folder, String(Math.random())), { ragged });
    const collides = /'a\.(values|offsets)' cannot stand beside one whose values are written under that name/;
    expect(() => writer(['a']).add({ a: [1, 2], 'a.values': [9] })).to.throw(collides);
    expect(() => writer([]).add({ 'a.offsets': 7, a: 'text' })).to.throw(collides);
    expect(() => writer(['tokns']).add({ tokens: [1] })).to.throw(/ragged names 'tokns', which the sample has not/);
    expect(() => writer(['name']).add({ name: 'x' })).to.throw(/'name', which is a string/);
    const other = writer([]);
    other.add({ a: 1 });
    expect(() => other.add({ a: 1, constructor: 2 })).to.throw(/has a field constructor, which those before have not/);
    expect(() => writer([]).add({ a: Promise.reject(new Error('late')) })).to.throw(/await it/);
    // A rejection that nobody handles would end the process.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('says of a folder that cannot be made that it cannot be written', () => {
    writeFileSync(path.join(folder, 'file'), '');
    for (const place of [path.join(folder, 'file'), '', `${folder}/a\0b`]) {
      expect(() => new ShardWriter(place), place)
        .to.throw()
        .with.property('code', 'FILE_NOT_WRITABLE');
    }
  });

  function write(samples: number, options: ShardWriterOptions = {}, from = 0): ShardWriter {
    const writer = new ShardWriter(folder, { ragged: ['tokens'], shardSamples: 4, ...options });
    for (let i = from; i < samples; ++i)
      writer.add({ ...sampleOf(i), tokens: tensor(sampleOf(i).tokens, { dtype: 'int64' }) });
    return writer;
  }

  const plain = (sample: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(sample).map(([name, value]) => [name, typeof value === 'string' ? value : (value as Tensor).tolist()])); // prettier-ignore

  const expected = (i: number) => ({ ...sampleOf(i), image: sampleOf(i).image.tolist(), half: i / 2 });

  it('give back what was written, at random, of every kind', () => {
    write(11).close();
    const dataset = new ShardedDataset(folder);
    expect(dataset.length).to.equal(11);
    for (const i of [10, 0, 7, 4, 3]) expect(plain(dataset.get(i))).to.deep.equal(expected(i));
    expect(Object.entries(dataset.get(0)).map(([name, value]) => [name, typeof value === 'string' ? value : (value).dtype])).to.deep.equal([
      ['image', 'float32'],
      ['tokens', 'int64'],
      ['name', 'sample 0 – ü'],
      ['label', 'int64'],
      ['half', 'float16'],
      ['isOdd', 'bool'],
    ]); // prettier-ignore
    expect(() => dataset.get(11)).to.throw(/index 11 is outside the samples/);
  });

  it('are files of safetensors, each with the checksum that the index says', () => {
    write(6).close();
    expect(readdirSync(folder).sort()).to.deep.equal(['000000.safetensors', '000001.safetensors', 'index.json']);
    const { tensors } = loadSafetensors(path.join(folder, '000001.safetensors'));
    expect(tensors['tokens.offsets']!.tolist()).to.deep.equal([0, 0, 1]);
    expect(verifyShards(folder)).to.deep.include({
      file: '000001.safetensors',
      samples: 2,
      bytes: verifyShards(folder)[1]!.bytes,
      problem: null,
    });
  });

  it('are read by batches, in workers too', async () => {
    write(10).close();
    const dataset = new ShardedDataset(folder);
    const passes: unknown[][] = [[], []];
    for (const numWorkers of [0, 2]) {
      const loader = new DataLoader(dataset, { batchSize: 3, collate: padCollate(), numWorkers });
      for await (const batch of loader) passes[numWorkers / 2]!.push([(batch.tokens as Tensor).tolist(), batch.name]);
    }
    expect(passes[1]).to.deep.equal(passes[0]);
  });

  it('are shared out among ranks by shards', () => {
    write(18).close();
    const parts = [0, 1, 2].map((rank) => new ShardedDataset(folder, { rank, worldSize: 3 }));
    const labels = parts.map((part) =>
      Array.from({ length: part.length }, (_, i) => (part.get(i).label as Tensor).item<number>()),
    );
    expect(labels.flat().sort((a, b) => a - b)).to.deep.equal([...Array(18).keys()]);
    expect(labels[1]).to.deep.equal([4, 5, 6, 7, 16, 17]);
    expect(() => new ShardedDataset(folder, { rank: 0, worldSize: 9 })).to.throw(
      /has 5 shards, fewer than the 9 ranks/,
    );
  });

  it('go on after the last whole one where a writer was broken off', () => {
    write(7);
    expect(() => new ShardedDataset(folder)).to.throw(/are not complete/);
    expect(() => new ShardWriter(folder)).to.throw(/has shards already; give resume/);
    const again = new ShardWriter(folder, { ragged: ['tokens'], shardSamples: 4, resume: true });
    expect(again.safeSamples).to.equal(4);
    for (let i = again.safeSamples; i < 9; ++i)
      again.add({ ...sampleOf(i), tokens: tensor(sampleOf(i).tokens, { dtype: 'int64' }) });
    again.close();
    const dataset = new ShardedDataset(folder);
    for (let i = 0; i < 9; ++i) expect(plain(dataset.get(i))).to.deep.equal(expected(i));
    expect(() => new ShardWriter(folder, { resume: true })).to.throw(/is complete/);
  });

  it('hold what was given, also where the scope of a sample ends, or it changes', () => {
    const writer = new ShardWriter(folder);
    const values = arange(3);
    scope(() => writer.add({ own: arange(2).mul(2), values }));
    values.add_(5);
    writer.close();
    expect(plain(new ShardedDataset(folder).get(0))).to.deep.equal({ own: [0, 2], values: [0, 1, 2] });
  });

  it('take whole numbers for fractions where those before were', () => {
    const writer = new ShardWriter(folder);
    for (const x of [0.5, 1]) writer.add({ x });
    expect(() => writer.add({ x: 1n })).to.throw(/x is int64\[\], expected float64\[\]/);
    writer.close();
    expect(plain(new ShardedDataset(folder).get(1))).to.deep.equal({ x: 1 });
  });

  it('refuse samples that differ', () => {
    const writer = new ShardWriter(folder, { ragged: ['tokens'] });
    writer.add({ x: arange(3), tokens: [1, 2], name: 'a' });
    const wrong: [sample: object, message: RegExp][] = [
      [{ x: arange(4), tokens: [1], name: 'a' }, /x is int64\[4\], expected int64\[3\] as before/],
      [{ x: arange(3), tokens: [0.5], name: 'a' }, /tokens is float32\[1\], expected int64\[any\] as before/],
      [{ x: arange(3), tokens: [1], name: 5 }, /name is .*, expected a string as before/],
      [{ x: arange(3), tokens: [1] }, /the sample has no name, which those before have/],
      [{ x: arange(3), tokens: [1], name: 'a', y: 1 }, /the sample has a field y, which those before have not/],
      [{ x: () => 1, tokens: [1], name: 'a' }, /x is .*, expected a tensor, a number/],
    ];
    for (const [sample, message] of wrong) {
      expect(() => writer.add(sample as Record<string, unknown>))
        .to.throw(message)
        .with.property('code', 'INVALID_ARGUMENT');
    }
    writer.close();
    expect(() => writer.add({ x: 1 })).to.throw(/the writer is closed/);
    expect(() => writer.add({})).to.throw(/an object with a field or more/);
    expect(new ShardedDataset(folder).length).to.equal(1);
  });

  const labels = () => {
    const dataset = new ShardedDataset(folder);
    return Array.from({ length: dataset.length }, (_, i) => (dataset.get(i).x as Tensor).item<number>());
  };

  it('are of one writer: another one in the same folder ends the first', () => {
    const [first, second] = [0, 1].map(() => new ShardWriter(folder, { shardSamples: 2 })) as [
      ShardWriter,
      ShardWriter,
    ];
    first.add({ x: 0 });
    for (let i = 0; i < 4; ++i) second.add({ x: 100 + i });
    for (const write of [() => first.add({ x: 1 }), () => first.flush(), () => first.close()]) {
      expect(write).to.throw(/index\.json is not as this writer left it.* another one has begun/).with.property('code', 'FILE_NOT_WRITABLE'); // prettier-ignore
    }
    second.close();
    expect(() => first.close()).to.throw(/another one has begun/);
    expect(labels()).to.deep.equal([100, 101, 102, 103]);
    expect(verifyShards(folder).map(({ problem }) => problem)).to.deep.equal([null, null]);
    expect(readFileSync(path.join(folder, 'index.json'), 'utf8')).not.to.include('"writer"');
  });

  it('have a sample once whose writing failed and was tried again', () => {
    const writer = new ShardWriter(folder, { shardSamples: 2 });
    const inTheWay = path.join(folder, '000001.safetensors');
    mkdirSync(inTheWay);
    for (let i = 0; i < 3; ++i) writer.add({ x: i });
    for (let i = 0; i < 2; ++i) {
      expect(() => writer.add({ x: 3 }))
        .to.throw(/is a folder/)
        .with.property('code', 'FILE_NOT_WRITABLE');
      expect(writer.samples).to.equal(3);
    }
    rmSync(inTheWay, { recursive: true });
    writer.add({ x: 3 });
    writer.close();
    expect(labels()).to.deep.equal([0, 1, 2, 3]);
  });

  it('leave nothing of a writer that was killed', () => {
    const rest = '000000.safetensors.8d3ad1a5-6a4e-4c0f-9d39-0d7a1e0f2a11.tmp';
    for (const name of [`.${rest}`, `.index.json${rest.slice(18)}`, '.mine.tmp']) writeFileSync(path.join(folder, name), 'half'); // prettier-ignore
    new ShardWriter(folder).close();
    expect(readdirSync(folder).sort()).to.deep.equal(['.mine.tmp', 'index.json']);
    expect(new ShardedDataset(folder, { rank: 1, worldSize: 2 }).length).to.equal(0);
  });

  it('refuse what would not come back as it was', () => {
    const refused: [sample: Record<string, unknown>, message: RegExp][] = [
      [{ name: 'a\ud800' }, /name is .*half a surrogate pair/],
      [
        { a: 'text', 'a.values': 1 },
        /a field 'a\.values' cannot stand beside one whose values are written under that name/,
      ],
      [{ __metadata__: 1 }, /'__metadata__' is no name for a field/],
    ];
    for (const [sample, message] of refused) {
      const writer = new ShardWriter(folder);
      expect(() => writer.add(sample))
        .to.throw(message)
        .with.property('code', 'INVALID_ARGUMENT');
      expect(writer.samples).to.equal(0);
    }
    const writer = new ShardWriter(folder, { ragged: ['tokenz'] });
    expect(() => writer.add({ tokens: [1] })).to.throw(
      /ragged names 'tokenz', which the sample has not\. The fields are tokens/,
    );
    const fixed = new ShardWriter(folder, { shardSamples: 1 });
    fixed.add({ tokens: [1] });
    expect(() => new ShardWriter(folder, { resume: true, ragged: ['tokens'] })).to.throw(/'tokens', which is no ragged field/); // prettier-ignore
    const file = path.join(folder, 'index.json');
    expect(() => new ShardWriter(file))
      .to.throw(/cannot be written/)
      .with.property('code', 'FILE_NOT_WRITABLE');
  });

  it('tell what is damaged', () => {
    write(12).close();
    const shard = (number: number) => path.join(folder, `00000${number}.safetensors`);
    const bytes = readFileSync(shard(0));
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(shard(0), bytes);
    truncateSync(shard(1), 200);
    rmSync(shard(2));
    expect(verifyShards(folder).map(({ problem }) => problem)).to.have.length(3);
    const [changed, cut, gone] = verifyShards(folder).map(({ problem }) => problem);
    expect(changed).to.match(/checksum differs/);
    expect(cut).to.match(/it has 200 bytes, and the index says \d+/);
    expect(gone).to.equal('it is missing');
    const dataset = new ShardedDataset(folder);
    expect(() => dataset.get(4))
      .to.throw(/it has 200 bytes/)
      .with.property('code', 'FILE_INVALID');
    expect(() => dataset.get(8))
      .to.throw(/There is no shard/)
      .with.property('code', 'FILE_NOT_FOUND');
    expect(() => new ShardedDataset(path.join(folder, 'none'))).to.throw(/There are no shards in/);
  });

  it('give a sample or FILE_INVALID for whatever bytes', function () {
    this.timeout(20_000);
    write(4).close();
    const files = ['000000.safetensors', 'index.json'].map((name) => path.join(folder, name));
    const dtypes = new Set<DType>();
    for (const file of files) {
      const original = readFileSync(file);
      for (const bytes of mutations(original, 150)) {
        writeFileSync(file, bytes);
        if (file.endsWith('index.json') === false && bytes.length < original.length) appendFileSync(file, Buffer.alloc(original.length - bytes.length)); // prettier-ignore
        try {
          const dataset = new ShardedDataset(folder);
          for (let i = 0; i < Math.min(4, dataset.length); ++i) for (const value of Object.values(dataset.get(i))) if (typeof value !== 'string') dtypes.add(value.dtype); // prettier-ignore
        } catch (error) {
          expect(['FILE_INVALID', 'FILE_NOT_FOUND', 'INVALID_ARGUMENT'], String((error as Error).stack)).to.include(
            (error as { code?: string }).code,
          );
        }
      }
      writeFileSync(file, original);
    }
    expect(dtypes).to.include('float32');
    expect(existsSync(files[0]!)).to.equal(true);
  });
});
