import { data, tensor } from 'aiforge';
import { expect } from 'chai';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { everyPosition } from '../../support/everyPosition.mjs';
import { mutations } from '../../support/mutations.mjs';
import { reference } from '../../support/reference.mjs';
import { refusalOf, rejectionOf } from '../../support/refusal.mjs';

const chunk = (name: string, content: Uint8Array, size = content.length): Buffer => {
  const head = Buffer.from(`${name}\0\0\0\0`, 'latin1');
  head.writeUInt32LE(size, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
};

interface Written {
  format?: number;
  bits?: number;
  channels?: number;
  rate?: number;
  frameBytes?: number;
  extensible?: boolean;
  dataSize?: number;
  before?: Buffer;
}

function wav(content: Uint8Array, written: Written = {}): Buffer {
  const { format = 1, bits = 16, channels = 1, rate = 8000, extensible = false, before = Buffer.alloc(0) } = written;
  const fmt = Buffer.alloc(extensible ? 40 : 16);
  fmt.writeUInt16LE(extensible ? 0xfffe : format, 0);
  fmt.writeUInt16LE(channels, 2);
  fmt.writeUInt32LE(rate, 4);
  fmt.writeUInt16LE(written.frameBytes ?? (channels * bits) / 8, 12);
  fmt.writeUInt16LE(bits, 14);
  if (extensible) {
    fmt.writeUInt16LE(22, 16);
    fmt.writeUInt16LE(format, 24);
    fmt.write('000000001000800000aa00389b71', 26, 'hex');
  }
  const body = Buffer.concat([before, chunk('fmt ', fmt), chunk('data', content, written.dataSize ?? content.length)]);
  return Buffer.concat([chunk('RIFF', Buffer.alloc(0), body.length + 4), Buffer.from('WAVE'), body]);
}

const int16 = (...values: number[]): Uint8Array => new Uint8Array(Int16Array.from(values).buffer);

describe('readWav and WavReader', () => {
  let folder: string;
  let made = 0;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'aiforge-sounds-'))));
  after(() => rmSync(folder, { recursive: true }));

  const file = (bytes: Uint8Array): string => {
    const name = path.join(folder, `${++made}.wav`);
    writeFileSync(name, bytes);
    return name;
  };
  const values = async (bytes: Uint8Array, options?: data.ReadWavOptions) =>
    (await data.readWav(file(bytes), options)).waveform.tolist();

  it('gives each format as float32 from -1 to 1, channel by channel', async () => {
    const { waveform, sampleRate } = await data.readWav(file(wav(int16(0, 16384, -32768, 1), { channels: 2 })));
    expect([waveform.dtype, waveform.shape, sampleRate]).to.deep.equal(['float32', [2, 2], 8000]);
    expect(waveform.tolist()).to.deep.equal([[0, -1], [0.5, 2 ** -15]]); // prettier-ignore
    expect(await values(wav(Uint8Array.of(0, 128, 255), { bits: 8 }))).to.deep.equal([[-1, 0, 127 / 128]]);
    const three = Uint8Array.of(0, 0, 0x40, 1, 0, 0, 0, 0, 0x80);
    expect(await values(wav(three, { bits: 24 }))).to.deep.equal([[0.5, 2 ** -23, -1]]);
    const wide = new Uint8Array(Int32Array.of(2 ** 30, -(2 ** 31)).buffer);
    expect(await values(wav(wide, { bits: 32 }))).to.deep.equal([[0.5, -1]]);
    const floats = new Uint8Array(Float32Array.of(0.25, -3).buffer);
    expect(await values(wav(floats, { format: 3, bits: 32 }))).to.deep.equal([[0.25, -3]]);
    const doubles = new Uint8Array(Float64Array.of(0.25, 1e300).buffer);
    expect(await values(wav(doubles, { format: 3, bits: 64, extensible: true }))).to.deep.equal([[0.25, Infinity]]);
  });

  it('gives whole numbers as they are, and frames first, where that is asked for', async () => {
    const bytes = wav(int16(1, 2, 3, 4), { channels: 2, extensible: true });
    const { waveform } = await data.readWav(file(bytes), { normalize: false, channelsFirst: false });
    expect([waveform.dtype, waveform.tolist()]).to.deep.equal(['int16', [[1, 2], [3, 4]]]); // prettier-ignore
  });

  it('reads some frames alone, past chunks that it does not know', async () => {
    const bytes = wav(int16(0, 1, 2, 3, 4, 5), { before: chunk('LIST', Buffer.from('odd')) });
    const some = async (options: data.ReadWavOptions) => values(bytes, { normalize: false, ...options });
    expect(await some({ frameOffset: 2, numFrames: 3 })).to.deep.equal([[2, 3, 4]]);
    expect(await some({ frameOffset: 4, numFrames: 9 })).to.deep.equal([[4, 5]]);
    expect(await some({ frameOffset: 6 })).to.deep.equal([[]]);
    expect((await rejectionOf(some({ frameOffset: 7 }))).message).to.match(
      /frameOffset is 7, .* has 6 frames; expected 0 … 6/,
    );
    expect((await rejectionOf(some({ numFrames: 0 }))).message).to.match(
      /numFrames must be a whole number above 0, or -1/,
    );
    // As ffmpeg writes into a pipe.
    expect(await values(wav(int16(7, 8), { dataSize: 0xffffffff }), { normalize: false })).to.deep.equal([[7, 8]]);
  });

  it('gives a file some frames at a time, and goes on exactly where a reading stood', async () => {
    const reader = new data.WavReader(file(wav(int16(...Array(10).keys()))), { chunkFrames: 3, normalize: false });
    expect(await reader.info()).to.deep.equal({ sampleRate: 8000, numFrames: 10, numChannels: 1, bitsPerSample: 16, encoding: 'PCM_S' }); // prettier-ignore
    const chunks = await everyPosition(reader, ({ waveform }) => waveform.at(0).tolist());
    expect(chunks).to.deep.equal([[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]); // prettier-ignore
    expect((await rejectionOf(reader.open(11).next())).message).to.match(/position is frame 11, .* has 10 frames/);
    expect(refusalOf(() => reader.open('x')).message).to.match(/a position is a frame's number, got 'x'/);
  });

  it('refuses what is damaged or of another format, by name', async () => {
    const said = async (bytes: Uint8Array) => {
      const { code, message } = await rejectionOf(data.readWav(file(bytes)));
      return `${code} ${message}`;
    };
    const good = wav(int16(1, 2, 3));
    expect(await said(Buffer.alloc(0))).to.match(/^FILE_INVALID readWav: '.*wav': it begins with "", expected 'RIFF'/);
    expect(await said(Buffer.from('ID3\x04 music in another format'))).to.match(/begins with "ID3/);
    expect(await said(good.subarray(0, 30))).to.match(/FILE_INVALID.*expected 16 from byte 20 on.*truncated/);
    expect(await said(good.subarray(0, 36))).to.match(/ends without samples \(a data chunk\)/);
    expect(await said(good.subarray(0, 46))).to.match(
      /samples say to be 6 bytes, of which 2 are there: it is truncated/,
    );
    expect(await said(wav(int16(1), { format: 7, bits: 8 }))).to.match(
      /mu-law of 8 bits, expected PCM of 8, 16, 24 or 32 bits/,
    );
    expect(await said(wav(int16(1), { bits: 20, frameBytes: 3 }))).to.match(/PCM of 20 bits/);
    expect(await said(wav(int16(1), { frameBytes: 7 }))).to.match(
      /1 channels of 16 bits in frames of 7 bytes do not fit/,
    );
    expect(await said(wav(int16(1), { channels: 0 }))).to.match(/0 channels/);
    expect(await said(wav(int16(1), { rate: 0 }))).to.match(/sample rate is 0/);
    expect((await rejectionOf(data.readWav(folder))).code).to.equal('FILE_NOT_FOUND');
    expect((await rejectionOf(data.readWav(path.join(folder, 'none.wav')))).code).to.equal('FILE_NOT_FOUND');
    expect((await rejectionOf(data.readWav('x.wav', { frame_offset: 1 } as never))).message).to.match(/Did you mean 'frameOffset'/); // prettier-ignore
  });

  it('gives sound or FILE_INVALID for whatever bytes', async () => {
    let refused = 0;
    for (const bytes of mutations(wav(int16(...Array(40).keys()), { extensible: true }), 300)) {
      try {
        expect((await data.readWav(file(bytes))).waveform.dtype).to.equal('float32');
      } catch (error) {
        expect(error).to.have.property('code', 'FILE_INVALID');
        ++refused;
      }
    }
    expect(refused).to.be.greaterThan(100);
  });

  it('gives the samples of SciPy, to the last bit', function () {
    const sounds = JSON.parse(reference(this, 'sounds.py', folder)) as Record<string, { rate: number; waveform: number[][] }>; // prettier-ignore
    expect(readdirSync(folder)).to.include.members(Object.keys(sounds));
    return Promise.all(
      Object.entries(sounds).map(async ([name, expected]) => {
        const { waveform, sampleRate } = await data.readWav(path.join(folder, name));
        expect(sampleRate).to.equal(expected.rate);
        expect(waveform.equal(tensor(expected.waveform, { dtype: 'float32' })), name).to.equal(true);
      }),
    );
  });
});
