import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { AiforgeError, arange, load, ones, save, saveSafetensors, tensor, zeros } from 'aiforge';
import { expect } from 'chai';

import { reference } from '../support/reference.mjs';
import { readZip, writePickle, writeZip } from './zipFiles.mjs';

describe('hostile files of torch.save', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'aiforge-test-'));
    file = path.join(folder, 'data.pt');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function refusal(): AiforgeError {
    try {
      load(file);
    } catch (error) {
      expect(error).to.be.instanceOf(AiforgeError);
      return error as AiforgeError;
    }
    throw new Error('it was read');
  }

  it('have integers of any length, which take time in proportion to it', () => {
    const digits = Buffer.alloc(1 << 20, 0x7f);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(digits.length);
    writePickle(file, Buffer.concat([Buffer.from('\x80\x02\x8b', 'latin1'), length, digits, Buffer.from('.')]));
    const start = performance.now();
    const value = load<bigint>(file);
    expect(performance.now() - start).to.be.lessThan(2000);
    expect(value.toString(16)).to.equal('7f'.repeat(1 << 20));
    for (const [bytes, expected] of [
      ['\xff', -1],
      ['\x00\x80', -32768],
      ['', 0],
      ['\xff\x00', 255],
    ] as const) {
      // prettier-ignore
      writePickle(file, `\x80\x02\x8b${String.fromCharCode(bytes.length)}\0\0\0${bytes}.`);
      expect(load<number>(file)).to.equal(expected);
    }
  });

  it('have no entries that overlap, and none twice', () => {
    save({ a: arange(100), b: arange(200) }, file);
    const whole = readFileSync(file);
    const entries = readZip(file);
    writeZip(file, [...entries, entries[0]!]);
    expect(refusal().message).to.match(/the entry 'archive\/data.pkl' twice/);
    // The position of the second storage becomes that of the first.
    const at = (name: string) => whole.lastIndexOf(name) + name.length + 4 + 16;
    for (const shift of [0n, 1n, 64n]) {
      const overlapping = Buffer.from(whole);
      const first = overlapping.readBigUInt64LE(at('archive/data/0'));
      overlapping.writeBigUInt64LE(first + shift, at('archive/data/1'));
      writeFileSync(file, overlapping);
      expect(refusal().message).to.match(/overlap|reaches into the next/);
    }
  });

  it('make no more of their pickles than is in them', () => {
    // One text of a million characters, of which a call makes bytes, again and again.
    const text = 'x'.repeat(1 << 20);
    const calls = 'h\0h\x01R0'.repeat(50_000);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    const head = `\x80\x02c_codecs\nencode\nq\0(X${length.toString('latin1')}${text}X\x06\0\0\0latin1tq\x01`;
    writePickle(file, `${head}${calls}N.`);
    expect(refusal().message).to.match(/far more than it holds/);
  });

  it('name storages no larger than the files', () => {
    const storage = (length: string) =>
      `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu${length}tQK\0))\x89)tR.`;
    for (const length of ['J\xff\xff\xff\x7f', 'J\xff\xff\xff\xff', '\x8a\x08\0\0\0\0\0\0\0\x40']) {
      const [magic, version, machine] = [
        '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.',
        '\x80\x02M\xe9\x03.',
        '\x80\x02}X\x0d\0\0\0little_endian\x88s.',
      ];
      writeFileSync(file, Buffer.from(`${magic}${version}${machine}${storage(length)}\x80\x02].`, 'latin1'));
      expect(refusal().message).to.match(/its storages should have|malformed storage/);
    }
  });

  it('hold nothing that only code can make', () => {
    for (const [pickle, message] of [
      ['\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.', /an object of os.system/],
      ['\x80\x02cos\nsystem\n.', /os.system itself, which is no data/],
      ['\x80\x02ctorch.nn\nModule\n)\x81.', /an object of torch.nn.Module/],
      ['\x80\x02]}b.', /attributes to what is no dictionary/],
    ] as const) {
      writePickle(file, pickle);
      const error = refusal();
      expect([error.code, error.message.match(message) === null]).to.deep.equal(['FILE_INVALID', false]);
    }
  });

  it('end no process and take no memory, however they are damaged', function () {
    this.timeout(300_000);
    save({ x: arange(3), z: tensor([{ re: 1, im: 2 }]).conj(), list: [1, 'two', { 3: { a: new Set([4]) } }] }, file);
    saveSafetensors(path.join(folder, 'a.safetensors'), {
      half: ones([3], { dtype: 'float16' }),
      four: zeros([2, 2], { dtype: 'uint8' }).view('float4_e2m1fn_x2'),
    });
    // With Python there is a file of each kind as well.
    const python = process.env.AIFORGE_REFERENCE_PYTHON !== undefined;
    if (python) reference(this, 'torch_kinds.py', 'write', folder);
    else console.log('      without the files of Python: AIFORGE_REFERENCE_PYTHON is not set');
    const script = fileURLToPath(new URL('fixtures/mutations.mjs', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder, python ? '60' : '1000', '7'], {
      encoding: 'utf8',
    });
    expect([status, stderr]).to.deep.equal([0, '']);
    const found = JSON.parse(stdout) as {
      outcomes: Record<string, number>;
      uncoded: string[];
      slowest: number;
      maxRss: number;
    };
    expect(found.uncoded).to.deep.equal([]);
    expect(found.outcomes.FILE_INVALID).to.be.greaterThan(100);
    expect(found.outcomes.loaded).to.be.greaterThan(100);
    expect(found.slowest).to.be.lessThan(10_000);
    expect(found.maxRss).to.be.lessThan(1_000_000);
    expect(statSync(file).size).to.be.greaterThan(0);
  });
});
