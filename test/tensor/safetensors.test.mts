import { expect } from 'chai';
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AiforgeError } from '#lib/errors.js';
import {
  arange,
  loadSafetensors,
  ones,
  saveSafetensors,
  tensor,
  zeros,
  type DType,
  type Tensor,
} from '#lib/tensor/index.js';

const dtypes: Partial<Record<DType, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  float8_e4m3fnuz: 'F8_E4M3FNUZ',
  float8_e5m2fnuz: 'F8_E5M2FNUZ',
  float8_e8m0fnu: 'F8_E8M0',
  complex64: 'C64',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
};

const hex = (made: Tensor) => Buffer.from(made.toTypedArray().buffer as ArrayBuffer).toString('hex');

describe('safetensors', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'safetensors-'));
    file = path.join(folder, 'a.safetensors');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const everyDType = () =>
    Object.fromEntries(
      Object.keys(dtypes).map((dtype, i) => [`a.${dtype}`, tensor([[0, 1, i % 2]], { dtype: dtype as DType })]),
    );

  it('gives every dtype back, bit by bit', () => {
    const saved = { ...everyDType(), scalar: tensor(1.5), empty: zeros([0, 3]), ['__proto__x']: ones([1]) };
    saveSafetensors(file, saved, { note: 'é' });
    const { tensors, metadata } = loadSafetensors(file);
    expect(metadata).to.deep.equal({ note: 'é' });
    expect(Object.keys(tensors)).to.deep.equal(Object.keys(saved));
    for (const [name, original] of Object.entries(saved)) {
      const read = tensors[name]!;
      expect([read.dtype, read.shape, hex(read)], name).to.deep.equal([original.dtype, original.shape, hex(original)]);
    }
  });

  it('keeps pairs of four-bit numbers, which it counts one by one', () => {
    const pairs = tensor([[0x12, 0x34, 0x56]], { dtype: 'uint8' }).view('float4_e2m1fn_x2');
    saveSafetensors(file, { pairs });
    const bytes = readFileSync(file);
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE()))) as object;
    expect(header)
      .to.have.property('pairs')
      .deep.equal({ dtype: 'F4', shape: [1, 6], data_offsets: [0, 3] });
    const read = loadSafetensors(file).tensors.pairs!;
    expect([read.dtype, read.shape, hex(read)]).to.deep.equal(['float4_e2m1fn_x2', [1, 3], '123456']);
    expect(String(read)).to.equal('tensor([[18., 52., 86.]], dtype=torch.float4_e2m1fn_x2)');
    expect(() => saveSafetensors(file, { pair: tensor(1, { dtype: 'uint8' }).view('float4_e2m1fn_x2') })).to.throw(
      /without a dimension/,
    );
    write({ a: { dtype: 'F4', shape: [3], data_offsets: [0, 8] } });
    expect(refusal().message).to.match(/half a pair/);
  });

  it('is read by Python', function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON ?? 'python3';
    if (spawnSync(python, ['--version']).status !== 0) {
      console.log('      skipped: there is no Python');
      this.skip();
    }
    const saved = { ...everyDType(), turned: arange(6).view(2, 3).t() };
    saveSafetensors(file, saved, { epoch: '3' });
    const { status, stdout, stderr } = spawnSync(python, ['test/reference/safetensors_reader.py', file], {
      encoding: 'utf8',
    });
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
    const read = JSON.parse(stdout) as { metadata: object; tensors: Record<string, unknown> };
    expect(read.metadata).to.deep.equal({ epoch: '3' });
    for (const [name, { dtype, shape }] of Object.entries(saved)) {
      expect(read.tensors[name]).to.deep.equal([dtypes[dtype], shape, hex(saved[name as keyof typeof saved])]);
    }
  });

  it('begins every tensor at a multiple of its element size', () => {
    saveSafetensors(file, { a: ones([3], { dtype: 'uint8' }), b: ones([1], { dtype: 'float64' }), c: ones([1]) });
    const bytes = readFileSync(file);
    const length = Number(bytes.readBigUInt64LE());
    expect(length % 8).to.equal(0);
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, { data_offsets: number[] }>;
    expect(header.b!.data_offsets).to.deep.equal([0, 8]);
    expect(header.c!.data_offsets).to.deep.equal([8, 12]);
    expect(header.a!.data_offsets).to.deep.equal([12, 15]);
  });

  it('takes any name, and one tensor under two', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.string().filter((s) => s !== '__metadata__'),
          { maxLength: 6 },
        ),
        (names) => {
          const one = tensor([1, 2]);
          saveSafetensors(file, Object.fromEntries(names.map((name) => [name, one])));
          const { tensors } = loadSafetensors(file);
          expect(Object.keys(tensors).sort()).to.deep.equal(names.sort());
          for (const name of names) expect(tensors[name]!.tolist()).to.deep.equal([1, 2]);
        },
      ),
      { numRuns: 30 },
    );
    saveSafetensors(file, Object.fromEntries([['__proto__', ones([1])]]));
    expect(Object.keys(loadSafetensors(file).tensors)).to.deep.equal(['__proto__']);
    expect(() => saveSafetensors(file, { __metadata__: ones([1]) })).to.throw(/is no name for a tensor/);
    expect(() => saveSafetensors(file, { x: ones([1], { dtype: 'complex128' }) })).to.throw(/complex128/);
    expect(Object.keys(loadSafetensors(file).tensors), 'the old file').to.deep.equal(['__proto__']);
  });

  function refusal(): AiforgeError {
    try {
      loadSafetensors(file);
    } catch (error) {
      expect(error).to.be.instanceOf(AiforgeError);
      return error as AiforgeError;
    }
    throw new Error('it was read');
  }

  it('refuses a file that was cut anywhere', () => {
    saveSafetensors(file, { a: ones([3]), b: ones([2, 2], { dtype: 'int16' }) });
    const whole = readFileSync(file);
    for (let length = 0; length < whole.length; ++length) {
      writeFileSync(file, whole.subarray(0, length));
      const error = refusal();
      expect(error.code, `${length} bytes`).to.equal('FILE_INVALID');
      expect(error.message).to.include(file);
    }
    writeFileSync(file, Buffer.concat([whole, Buffer.of(0)]));
    expect(refusal().code, 'a byte too many').to.equal('FILE_INVALID');
  });

  function write(header: unknown, dataBytes = 8, length?: bigint): void {
    const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(length ?? BigInt(text.length));
    writeFileSync(file, Buffer.concat([size, text, Buffer.alloc(dataBytes)]));
  }
  const entry = (changes: object = {}) => ({ dtype: 'F32', shape: [2], data_offsets: [0, 8], ...changes });

  it('reads the file that the refusals below are changes of', () => {
    write({ a: entry() });
    expect(loadSafetensors(file).tensors.a!.tolist()).to.deep.equal([0, 0]);
  });

  const bad: [string, unknown, number?, bigint?][] = [
    ['no JSON', '{"a": '],
    ['a list', []],
    ['null', 'null'],
    ['a number', '1'],
    ['an absurd header length', { a: entry() }, 8, 2n ** 64n - 1n],
    ['a header length beyond the file', { a: entry() }, 8, 5000n],
    ['an entry that is null', { a: null }],
    ['an entry without a dtype', { a: entry({ dtype: undefined }) }],
    ['an unknown dtype', { a: entry({ dtype: 'F31' }) }],
    ['a dtype of Object.prototype', { a: entry({ dtype: 'constructor' }) }],
    ['a negative size', { a: entry({ shape: [-2] }) }],
    ['a size that is no whole number', { a: entry({ shape: [2.5] }) }],
    ['a huge shape', { a: entry({ shape: [2 ** 50, 2 ** 50] }) }],
    ['a huge empty shape', { a: entry({ shape: [2 ** 50, 2 ** 50, 0] }) }],
    ['a shape that does not fit', { a: entry({ shape: [3] }) }],
    ['one offset', { a: entry({ data_offsets: [0] }) }],
    ['reversed offsets', { a: entry({ data_offsets: [8, 0] }) }],
    ['negative offsets', { a: entry({ data_offsets: [-8, 0] }) }],
    ['offsets out of range', { a: entry({ data_offsets: [8, 16] }) }],
    ['overlapping tensors', { a: entry(), b: entry({ shape: [1], data_offsets: [4, 8] }) }],
    ['the same bytes twice', { a: entry(), b: entry() }],
    ['a gap', { a: entry({ data_offsets: [8, 16] }) }, 16],
    ['bytes that belong to no tensor', { a: entry() }, 16],
    ['metadata that are no texts', { __metadata__: { a: 1 }, a: entry() }],
    ['metadata that are a list', { __metadata__: ['x'], a: entry() }],
    ['metadata twice', '{"__metadata__":{},"__metadata__":{}}', 0],
    ...(
      [
        ['a size with a fraction', '"shape":[2]', '"shape":[2.0]'],
        ['a size with an exponent', '"shape":[2]', '"shape":[2e0]'],
        ['an offset with a fraction', '[0,8]', '[0,8.0]'],
        ['an offset with a sign', '[0,8]', '[-0,8]'],
        ['a dtype twice', '{"dtype"', '{"dtype":"F32","dtype"'],
        ['a shape twice', '{"dtype"', '{"shape":[2],"dtype"'],
        ['offsets twice', '{"dtype"', '{"data_offsets":[0,8],"dtype"'],
        ['a field twice, once with escapes', '{"dtype"', '{"dt\\u0079pe":"F32","dtype"'],
      ] as const
    ).map(([what, text, other]): [string, string] => [what, JSON.stringify({ a: entry() }).replace(text, other)]),
  ];
  for (const [what, header, bytes, length] of bad) {
    it(`refuses ${what}`, () => {
      write(header, bytes, length);
      expect(refusal().code).to.equal('FILE_INVALID');
    });
  }

  it('refuses a header that is no UTF-8', () => {
    write({ ÿ: entry() });
    const bytes = readFileSync(file);
    bytes[bytes.indexOf(0xc3)] = 0xff;
    writeFileSync(file, bytes);
    expect(refusal().message).to.include('its header is no UTF-8');
  });

  it('takes what Python takes: other fields, keys that come twice, no metadata, spaces and escapes', () => {
    const odd = JSON.stringify({ a: entry() })
      .replace('{"dtype"', '{ "other" : [1.5, {"shape": [1.0], "x": 1, "x": "]}\\"1.5"}], "other": -1, "d\\u0074ype"')
      .replace('{"a"', '{"__metadata__": {"shape": "2.0", "dtype": "1", "dtype": "2"}, "a"');
    write(odd);
    const { tensors, metadata } = loadSafetensors(file);
    expect(tensors.a!.tolist()).to.deep.equal([0, 0]);
    expect(metadata).to.deep.equal({ shape: '2.0', dtype: '2' });
    write({ __metadata__: null, a: entry() });
    expect(loadSafetensors(file).metadata).to.deep.equal({});
    const both = JSON.stringify({ a: entry() });
    write(`${both.slice(0, -1)},${both.slice(1)}`);
    expect(Object.keys(loadSafetensors(file).tensors)).to.deep.equal(['a']);
  });

  it('refuses noise without a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        writeFileSync(file, noise);
        if (noise.length > 9) return;
        expect(refusal().code).to.equal('FILE_INVALID');
      }),
    );
    saveSafetensors(file, { a: ones([3]), b: ones([2]) });
    const whole = readFileSync(file);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(whole);
        damaged[at] = byte;
        writeFileSync(file, damaged);
        try {
          loadSafetensors(file);
        } catch (error) {
          expect(error).to.have.property('code', 'FILE_INVALID');
        }
      }),
      { numRuns: 300 },
    );
  });

  it('says that there is no file', () => {
    expect(refusal().code).to.equal('FILE_NOT_FOUND');
    file = folder;
    expect(refusal().code, 'a folder').to.equal('FILE_NOT_FOUND');
  });

  it('leaves the old file whole where the new one finds no room', () => {
    saveSafetensors(file, { a: ones([3]) });
    const old = readFileSync(file);
    const script = `const { saveSafetensors, zeros } = require('./dist/lib/tensor/index.js');
      try { saveSafetensors(${JSON.stringify(file)}, { a: zeros([10000000]) }); console.log('saved'); } catch (error) { console.log(error.code, error.cause.code); }`;
    // No file may grow beyond 1 MB; the system's signal for that is ignored, so that the write itself fails.
    const shell = `trap '' XFSZ; ulimit -f 1000; exec "$0" -e "$1"`;
    const { stdout } = spawnSync('bash', ['-c', shell, process.execPath, script], { encoding: 'utf8' });
    expect(stdout.trim()).to.equal('FILE_NOT_WRITABLE EFBIG');
    expect(readFileSync(file).equals(old)).to.equal(true);
    expect(readdirSync(folder)).to.deep.equal(['a.safetensors']);
  });

  it('fails in an unwritable place and leaves the old file whole', () => {
    saveSafetensors(file, { a: ones([3]) });
    const old = readFileSync(file);
    expect(() => saveSafetensors(path.join(file, 'b'), { a: ones([1]) })).to.throw(/ENOTDIR|EEXIST/);
    const gone = ones([1]);
    gone.dispose();
    expect(() => saveSafetensors(file, { a: ones([9]), gone })).to.throw(/disposed/);
    expect(readFileSync(file).equals(old)).to.equal(true);
    expect(readdirSync(folder)).to.deep.equal(['a.safetensors']);
  });

  it('names what has no plain elements', () => {
    const made = { coo: ones([2]).toSparse(), csr: ones([2, 2]).toSparseCsr(), mkldnn: ones([2]).toMkldnn() };
    for (const [name, key] of Object.entries(made)) {
      const save = () => saveSafetensors(path.join(tmpdir(), 'none.safetensors'), { [name]: key });
      expect(save).to.throw(`'${name}' has the layout`).with.property('code', 'INVALID_ARGUMENT');
    }
    const meta = () => saveSafetensors(path.join(tmpdir(), 'none.safetensors'), { m: ones([2], { device: 'meta' }) });
    expect(meta).to.throw("'m' is on the device meta").with.property('code', 'INVALID_ARGUMENT');
  });
});
