import { mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { cache, DataLoader } from '#lib/data/index.js';
import { ones, type Tensor } from '#lib/tensor/index.js';

/** A dataset that counts what it is asked for. */
function counting(length = 3) {
  const asked: number[] = [];
  const get = (index: number): { x: Tensor; name: string } => {
    asked.push(index);
    return { x: ones([2]).mul(index), name: `n${index}` };
  };
  return { length, get, asked };
}

const pass = (dataset: ConstructorParameters<typeof DataLoader<{ x: Tensor; name: string }>>[0]) =>
  Array.from(new DataLoader(dataset), ({ x, name }) => [x.tolist(), name]);

describe('a cache', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'cache-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('refuses keys that JSON does not tell apart, and folders that cannot be made', () => {
    for (const key of [{ size: NaN }, { augment: () => 1 }, new Map([[1, 2]]), [undefined], 2n, Infinity]) {
      expect(() => cache(counting(), { folder, key }), inspect(key)).to.throw(/its key/);
    }
    writeFileSync(path.join(folder, 'file'), '');
    const beneath = cache(counting(), { folder: path.join(folder, 'file'), key: 1 });
    expect(() => beneath.get(0))
      .to.throw()
      .with.property('code', 'FILE_NOT_WRITABLE');
  });

  it('in memory asks for each sample once, and keeps its tensors beyond the batch', () => {
    const source = counting();
    const cached = cache(source);
    const first = pass(cached);
    expect(pass(cached)).to.deep.equal(first);
    expect(source.asked).to.deep.equal([0, 1, 2]);
  });

  it('asks again for what failed', async () => {
    let fails = true;
    const cached = cache({ length: 1, get: () => (fails ? Promise.reject(new Error('no')) : Promise.resolve(7)) });
    expect(await cached.get(0).catch(() => 'failed')).to.equal('failed');
    fails = false;
    expect(await cached.get(0)).to.equal(7);
  });

  it('in files is there for another process, and made anew by another key, file or length', () => {
    const input = path.join(folder, 'input.csv');
    writeFileSync(input, 'a');
    const options = { folder: path.join(folder, 'cache'), key: { width: 4 }, files: [input] };
    const source = counting();
    const first = pass(cache(source, options));
    expect(pass(cache(source, options))).to.deep.equal(first);
    expect(source.asked).to.deep.equal([0, 1, 2]);
    pass(cache(source, { ...options, key: { width: 5 } }));
    expect(source.asked).to.have.length(6);
    utimesSync(input, 1, 1);
    pass(cache(source, options));
    expect(source.asked).to.have.length(9);
    pass(cache(counting(2), options));
    expect(readdirSync(options.folder)).to.have.length(4);
  });

  it('makes a damaged file anew', () => {
    const source = counting();
    const options = { folder, key: 1 };
    const first = pass(cache(source, options));
    const [key] = readdirSync(folder);
    truncateSync(path.join(folder, key!, '1.pt'), 20);
    expect(pass(cache(source, options))).to.deep.equal(first);
    expect(source.asked).to.deep.equal([0, 1, 2, 1]);
  });

  it('needs to know what its files depend on', () => {
    expect(() => cache([1], { folder })).to.throw(/a folder needs a key, or files/);
    expect(() => cache([1], { folder, files: [path.join(folder, 'none')] }))
      .to.throw(/there is no file .*none/)
      .with.property('code', 'FILE_NOT_FOUND');
  });

  it('says where a folder cannot be', () => {
    const file = path.join(folder, 'file');
    writeFileSync(file, '');
    expect(() => cache([1], { folder: file, key: 1 }).get(0))
      .to.throw(/cannot be written/)
      .with.property('code', 'FILE_NOT_WRITABLE');
  });
});
