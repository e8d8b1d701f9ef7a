import { data, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import tar from 'tar-stream';

import { everyPosition } from '../../support/everyPosition.mjs';
import { mutations } from '../../support/mutations.mjs';
import { refusalOf, rejectionOf } from '../../support/refusal.mjs';

type Entry = [name: string | (Partial<tar.Header> & { name: string }), content?: string | Uint8Array];

async function archive(...entries: Entry[]): Promise<Buffer<ArrayBuffer>> {
  const pack = tar.pack();
  for (const [name, content = ''] of entries) {
    pack.entry(typeof name === 'string' ? { name } : name, Buffer.from(content as string));
  }
  pack.finalize();
  return Buffer.from(await buffer(pack as never));
}

const texts = { decode: { txt: 'text', cls: 'integer', json: 'json' } } as const;

describe('TarReader', () => {
  let folder: string;
  let made = 0;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'aiforge-tar-'))));
  after(() => rmSync(folder, { recursive: true }));

  const file = (bytes: Uint8Array, ending = 'tar'): string => {
    const name = path.join(folder, `${++made}.${ending}`);
    writeFileSync(name, bytes);
    return name;
  };
  const all = async (reader: data.TarReader): Promise<data.TarSample[]> => {
    const samples: data.TarSample[] = [];
    for await (const sample of reader) samples.push(sample);
    return samples;
  };
  const said = async (bytes: Uint8Array, options: data.TarReaderOptions = texts, ending = 'tar') => {
    const { code, message } = await rejectionOf(all(new data.TarReader(file(bytes, ending), options)));
    return `${code} ${message}`;
  };

  it('puts files of one name together, and decodes them as asked', async () => {
    const png = await sharp({ create: { width: 2, height: 3, channels: 4, background: '#10203040' } })
      .png()
      .toBuffer();
    const bytes = await archive(
      ['a/0.v1.TXT', 'häh'], ['a/0.cls', ' 7\n'], ['a/0.png', png], ['a/0.bin', Uint8Array.of(0, 255)],
      [{ name: 'a/', type: 'directory' }], ['__index__.json', '{}'], ['b/0.json', '{"x": [1]}'], ['b/0.up', 'abc'],
    ); // prettier-ignore
    const decode = { 'v1.txt': 'text', cls: 'integer', png: 'image', json: 'json' } as const;
    const up = (given: Uint8Array, name: string) => Promise.resolve(`${name} ${Buffer.from(given).toString().toUpperCase()}`); // prettier-ignore
    const [first, second, ...rest] = await all(new data.TarReader(file(bytes), { decode: { ...decode, up } }));
    const { png: image, ...others } = first!;
    expect((image as Tensor).shape).to.deep.equal([3, 3, 2]);
    expect(others).to.deep.equal({ __key__: 'a/0', 'v1.txt': 'häh', cls: 7, bin: Buffer.from([0, 255]) });
    expect(second).to.deep.equal({ __key__: 'b/0', json: { x: [1] }, up: 'b/0.up ABC' });
    expect(rest).to.be.empty;
  });

  for (const ending of ['tar', 'tar.gz', 'tgz']) {
    it(`goes on exactly where a reading stood, in shards .${ending}`, async () => {
      const long = 'n'.repeat(120);
      const shards = [
        await archive(['0.txt', 'x'.repeat(700)], ['0.cls', '0'], [`${long}ü.txt`, 'long'], ['2.txt', 'two']),
        await archive(),
        await archive(['2.txt', 'another two'], ['3.txt', ''], ['3.cls', '3']),
      ].map((bytes) => file(ending === 'tar' ? bytes : gzipSync(bytes), ending));
      const reader = new data.TarReader(shards, texts);
      const samples = await everyPosition(reader, (sample) => sample);
      expect(samples.map(({ __key__ }) => __key__)).to.deep.equal(['0', `${long}ü`, '2', '2', '3']);
      expect(samples[4]).to.deep.equal({ __key__: '3', txt: '', cls: 3 });
      const parts = reader.parts();
      expect(parts.map(({ shards }) => shards)).to.deep.equal(shards.map((shard) => [shard]));
      expect((await Promise.all(parts.map(all))).flat()).to.deep.equal(samples);
      expect(parts[0]!.parts()).to.be.empty;
    });
  }

  it('reads what tar itself writes, in each of its formats', async () => {
    const root = path.join(folder, 'files');
    const long = `${'d'.repeat(60)}/${'e'.repeat(60)}`;
    mkdirSync(path.join(root, long), { recursive: true });
    writeFileSync(path.join(root, long, '0.bin'), Buffer.alloc(3 << 20, 5));
    writeFileSync(path.join(root, '1.txt'), 'one');
    for (const format of ['gnu', 'pax', 'ustar', 'v7']) {
      const target = path.join(folder, `${format}.tar`);
      const names = format === 'v7' ? ['1.txt'] : [long, '1.txt'];
      execFileSync('tar', ['-C', root, `--format=${format}`, '-cf', target, ...names]);
      const samples = await everyPosition(new data.TarReader(target, texts), ({ __key__, txt, bin }) => [__key__, txt ?? (bin as Buffer).length]); // prettier-ignore
      const [first, second] = [[`${long}/0`, 3 << 20], ['1', 'one']]; // prettier-ignore
      expect(samples, format).to.deep.equal(format === 'v7' ? [second] : [first, second]);
    }
  });

  it('does not decode what comes before its position', async () => {
    const bytes = await archive(...Array.from({ length: 5 }, (_, i): Entry => [`${i}.txt`, `${i}`]));
    const decoded: string[] = [];
    const decode = { txt: (given: Uint8Array) => decoded.push(String(given)) };
    const reader = new data.TarReader(file(bytes), { decode });
    const stopped = reader.open();
    for (let i = 0; i < 3; ++i) await stopped.next();
    await stopped.return();
    expect(await stopped.next()).to.deep.equal({ value: undefined, done: true });
    expect(decoded.splice(0)).to.deep.equal(['0', '1', '2']);
    const rest = reader.open(stopped.position());
    while ((await rest.next()).done !== true);
    expect(decoded).to.deep.equal(['3', '4']);
  });

  it('refuses names that lead outside, links and devices, or leaves them out and counts them', async () => {
    const bad: [Partial<tar.Header> & { name: string }, RegExp][] = [
      [{ name: '../up.txt' }, /'..\/up.txt' has a name that leads outside/],
      [{ name: 'a/..\\..\\up.txt' }, /leads outside/],
      [{ name: '/etc/passwd.txt' }, /'\/etc\/passwd.txt' has an absolute name/],
      [{ name: 'C:\\x.txt' }, /has an absolute name/],
      [{ name: 'link.txt', type: 'symlink', linkname: '/etc/passwd' }, /'link.txt' is no file but a symlink/],
      [{ name: 'hard.txt', type: 'link', linkname: '0.txt' }, /is no file but a link/],
      [{ name: 'null.txt', type: 'character-device', devmajor: 1, devminor: 3 }, /character-device/],
      [{ name: 'pipe.txt', type: 'fifo' }, /is no file but a fifo/],
      [{ name: 'README' }, /'README' has no ending/],
      [{ name: 'a/.hidden' }, /has no ending/],
      [{ name: 'x.__proto__' }, /begins with __/],
    ];
    for (const [header, message] of bad) {
      const bytes = await archive(['0.txt', 'zero'], [header], ['1.txt', 'one']);
      const problem = await said(bytes);
      expect(problem)
        .to.match(/^FILE_INVALID TarReader: '.*tar', byte 1024: /)
        .and.to.match(message);
      const reader = new data.TarReader(file(bytes), { ...texts, badEntries: 'skip' });
      expect(await everyPosition(reader, ({ txt }) => txt)).to.deep.equal(['zero', 'one']);
      expect(reader.skipped).to.be.greaterThan(0);
    }
  });

  it('refuses a compressed archive that ends within a file', async () => {
    const whole = gzipSync(await archive(['0.bin', randomBytes(1 << 18)]));
    for (const share of [0.3, 0.5, 0.7, 0.9]) {
      const cut = file(whole.subarray(0, Math.floor(whole.length * share)), 'tar.gz');
      const { code, message } = await rejectionOf(all(new data.TarReader(cut)));
      expect([code, /truncated or damaged: unexpected end of file/.test(message)]).to.deep.equal([
        'FILE_INVALID',
        true,
      ]);
    }
  });

  it('refuses archives that are truncated or damaged, and files that are not what they should be', async () => {
    const good = await archive(['0.txt', 'x'.repeat(600)], ['1.txt', 'one']);
    const pieces: [number, RegExp][] = [
      [300, /byte 0: it is truncated or damaged: Unexpected end of data/],
      [700, /byte 0: '0.txt' says to have 600 bytes, and the file ends before/],
      [1536, /byte 1536: it ends without the block of zeros that ends an archive/],
      [0, /byte 0: it ends without the block of zeros/],
    ];
    for (const [length, message] of pieces) {
      expect(await said(good.subarray(0, length)), String(length))
        .to.match(/^FILE_INVALID/)
        .and.to.match(message);
    }
    expect(await said(gzipSync(good).subarray(0, 60), texts, 'tgz')).to.match(
      /FILE_INVALID.*damaged: unexpected end of file/,
    );
    expect(await said(good, texts, 'tar.gz')).to.match(/FILE_INVALID.*damaged: incorrect header check/);
    expect(await said(gzipSync(good))).to.match(/FILE_INVALID.*(needs to be gunzipped|Unexpected end)/);
    expect(await said(await archive(['0.txt', 'a'], ['0.TXT', 'b']))).to.match(
      /byte 1024: the sample '0' has two files 'txt'/,
    );
    expect(await said(await archive(['0.cls', '1.5']))).to.match(
      /byte 0: '0.cls' cannot be decoded as integer: expected a whole/,
    );
    expect(await said(await archive(['0.cls', '9007199254740993']))).to.match(/up to 2\^53/);
    expect(await said(await archive(['0.json', '{']))).to.match(/'0.json' cannot be decoded as json/);
    expect(await said(await archive(['0.txt', Uint8Array.of(0xff)]))).to.match(/'0.txt' cannot be decoded as text/);
    expect(await said(await archive(['0.png', 'no image']), { decode: { png: 'image' } })).to.match(/byte 0: '0.png': it begins with the bytes 'no image'/); // prettier-ignore
    const own = new data.TarReader(file(good), { decode: { txt: () => { throw new RangeError('mine'); } } }); // prettier-ignore
    expect(await all(own).catch((error: unknown) => error)).to.be.instanceOf(RangeError);
  });

  it('reads no more of a sample than is allowed, whatever a compressed archive says', async () => {
    const zeros = gzipSync(await archive(['0.txt', 'small'], ['1.bin', new Uint8Array(4 << 20)]));
    expect(zeros.length).to.be.lessThan(10_000);
    expect(await said(zeros, { maxSampleBytes: 1 << 20 }, 'tgz')).to.match(/'1' has 4194304 bytes with '1.bin', more than maxSampleBytes, 1048576/); // prettier-ignore
    const huge = await archive(['0.txt', '']);
    huge.write('77777777777', 124, 'latin1');
    huge.write('      ', 148, 'latin1');
    const sum = huge.subarray(0, 512).reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    huge.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    expect(await said(huge)).to.match(/'0.txt' says to have 8589934591 bytes, and the file ends before/);
    expect(await said(gzipSync(huge), {}, 'tgz')).to.match(
      /8589934591 bytes with '0.txt', more than maxSampleBytes, 1073741824/,
    );
  });

  it('refuses files that there are not, positions of elsewhere, and options that make no sense', async () => {
    const none = new data.TarReader(path.join(folder, 'none.tar'));
    expect(await rejectionOf(all(none))).to.include({ code: 'FILE_NOT_FOUND' });
    expect(await rejectionOf(all(new data.TarReader(folder)))).to.include({ code: 'FILE_NOT_FOUND' });
    const reader = new data.TarReader(file(await archive(['0.txt', 'a'])));
    for (const position of [
      3,
      'x',
      { shard: 0, byte: 5 },
      { shard: 2, byte: 0 },
      { shard: -1, byte: 0 },
      { shard: 0 },
    ]) {
      expect(refusalOf(() => reader.open(position as never)).message).to.match(/a position is { shard, byte }/);
    }
    expect((await rejectionOf(reader.open({ shard: 0, byte: 51200 }).next())).message).to.match(
      /another file than before/,
    );
    const wrong = (options: object, shards: unknown = 'x.tar') => refusalOf(() => new data.TarReader(shards as string, options)).message; // prettier-ignore
    expect(wrong({ decode: { jpg: 'picture' } })).to.match(
      /decode must be an object with 'bytes'.*got { jpg: 'picture' }/,
    );
    expect(wrong({ decode: { '.jpg': 'image' } })).to.match(/decode must be/);
    expect(wrong({ bad_entries: 'skip' })).to.match(/Did you mean 'badEntries'/);
    expect(wrong({}, [])).to.match(/shards must be the path of a file, or an array of one or more paths, got \[\]/);
  });

  it('gives samples or FILE_INVALID for whatever bytes', async () => {
    const original = await archive(
      ['0.txt', 'zero'],
      ['0.cls', '0'],
      [`${'n'.repeat(120)}.txt`, 'long'],
      ['2.txt', 'two'],
    );
    let refused = 0;
    for (const [i, bytes] of [...mutations(original, 200), ...mutations(gzipSync(original), 100)].entries()) {
      try {
        await all(new data.TarReader(file(bytes, i < 200 ? 'tar' : 'tgz')));
      } catch (error) {
        expect(error).to.have.property('code', 'FILE_INVALID');
        ++refused;
      }
    }
    expect(refused).to.be.greaterThan(100);
  });
});
