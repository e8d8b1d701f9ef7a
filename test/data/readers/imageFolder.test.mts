import { data, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';

import { reference } from '../../support/reference.mjs';
import { refusalOf, rejectionOf } from '../../support/refusal.mjs';
import { mutations } from '../../support/mutations.mjs';

const noise = (width: number, height: number, channels: 1 | 3) =>
  sharp(
    Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 7919) % 251),
    { raw: { width, height, channels } },
  );

describe('decodeImage and ImageFolder', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'aiforge-images-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('gives the pixels of a PNG as they are, with the channels that the mode asks for', async () => {
    const bytes = Uint8Array.from([10, 20, 30, 40, 50, 60]);
    const colours = await sharp(bytes, { raw: { width: 2, height: 1, channels: 3 } })
      .png()
      .toBuffer();
    const image = await data.decodeImage(colours);
    expect([image.dtype, image.shape]).to.deep.equal(['uint8', [3, 1, 2]]);
    expect(image.tolist()).to.deep.equal([[[10, 40]], [[20, 50]], [[30, 60]]]);
    expect((await data.decodeImage(colours, { channelsLast: true })).tolist()).to.deep.equal([[[10, 20, 30], [40, 50, 60]]]); // prettier-ignore
    expect((await data.decodeImage(colours, { mode: 'GRAY' })).tolist()).to.deep.equal([[[18, 48]]]);
    const grey = await sharp(bytes, { raw: { width: 3, height: 2, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const rows = [[10, 20, 30], [40, 50, 60]]; // prettier-ignore
    expect((await data.decodeImage(grey)).tolist()).to.deep.equal([rows]);
    expect((await data.decodeImage(grey, { mode: 'RGB' })).tolist()).to.deep.equal([rows, rows, rows]);
  });

  it('reads every format that it names, from bytes and from a file', async () => {
    const formats = { jpeg: 40, png: 0, gif: 60, webp: 0, tiff: 0, avif: 60 };
    for (const [format, bound] of Object.entries(formats)) {
      const options = format === 'webp' ? { lossless: true } : format === 'tiff' ? { compression: 'lzw' as const } : {};
      const flat = sharp({ create: { width: 16, height: 8, channels: 3, background: '#306090' } });
      const bytes = await flat.toFormat(format as 'png', options).toBuffer();
      const file = path.join(folder, `flat.${format}`);
      writeFileSync(file, bytes);
      for (const source of [bytes, file]) {
        const image = await data.decodeImage(source, { mode: 'RGB' });
        expect(image.shape, format).to.deep.equal([3, 8, 16]);
        const off = image.at(':', 4, 8).tolist<number[]>().map((value, i) => Math.abs(value - [48, 96, 144][i]!)); // prettier-ignore
        expect(Math.max(...off), format).to.be.at.most(bound);
      }
    }
  });

  it('turns an image as its EXIF data says, where that is asked for, and gives it another size', async () => {
    const bytes = await noise(6, 4, 3).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const shape = async (options: data.DecodeImageOptions) => (await data.decodeImage(bytes, options)).shape;
    expect(await shape({})).to.deep.equal([3, 4, 6]);
    expect(await shape({ applyExifOrientation: true })).to.deep.equal([3, 6, 4]);
    expect(await shape({ resize: [2, 5] })).to.deep.equal([3, 2, 5]);
    expect(await shape({ resize: [2, 5], applyExifOrientation: true })).to.deep.equal([3, 2, 5]);
    expect(await shape({ resize: 3 })).to.deep.equal([3, 3, 4]);
    expect(await shape({ resize: 3, applyExifOrientation: true, mode: 'GRAY' })).to.deep.equal([1, 4, 3]);
  });

  it('refuses what is no image, damaged, or too large, by name', async () => {
    const said = async (source: string | Uint8Array, options?: data.DecodeImageOptions) => {
      const error = await rejectionOf(data.decodeImage(source, options));
      return `${error.code} ${error.message}`;
    };
    const bytes = await noise(40, 30, 3).png().toBuffer();
    expect(await said(new Uint8Array())).to.match(
      /^FILE_INVALID decodeImage: it is empty, expected an image: JPEG, PNG/,
    );
    expect(await said(Buffer.from('BM\0\0hello'))).to.match(/FILE_INVALID.*begins with the bytes 'BM\\x00\\x00hello'/);
    expect(await said(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).to.match(/FILE_INVALID.*'<svg/);
    expect(await said(bytes.subarray(0, bytes.length / 2))).to.match(/FILE_INVALID decodeImage: it cannot be decoded:/);
    const jpeg = await noise(40, 30, 3).jpeg().toBuffer();
    expect(await said(jpeg.subarray(0, jpeg.length / 2))).to.match(/FILE_INVALID decodeImage: it cannot be decoded:/);
    expect(await said(bytes, { limitInputPixels: 1199 })).to.match(/FILE_INVALID.*40 x 30 pixels, more than limitInputPixels, 1199/); // prettier-ignore
    expect(await said(bytes, { resize: [100_000, 100_000] })).to.match(
      /FILE_INVALID.*100000 x 100000.*limitInputPixels/,
    );
    expect(await said(path.join(folder, 'none.png'))).to.match(
      /FILE_NOT_FOUND decodeImage: '.*none.png' cannot be read/,
    );
    expect(await said(bytes, { resize: 0 })).to.match(/INVALID_ARGUMENT.*resize must be/);
    expect(await said(bytes, { apply_exif_orientation: true } as never)).to.match(
      /Did you mean 'applyExifOrientation'/,
    );
    expect(await said(7 as never)).to.match(/INVALID_ARGUMENT.*source must be bytes or the path of a file, got 7/);
  });

  it('refuses a small file that says to be 4 gigapixels before it decodes any', async () => {
    const bytes = await noise(2, 2, 3).png().toBuffer();
    bytes.writeUInt32BE(65_000, 16);
    bytes.writeUInt32BE(65_000, 20);
    bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
    const { code, message } = await rejectionOf(data.decodeImage(bytes));
    expect(code).to.equal('FILE_INVALID');
    expect(message).to.match(/65000 x 65000 pixels, more than limitInputPixels, 178956970/);
  });

  it('gives an image or FILE_INVALID for whatever bytes', async () => {
    const originals = await Promise.all([noise(9, 7, 3).png().toBuffer(), noise(16, 8, 3).jpeg().toBuffer()]);
    let refused = 0;
    for (const original of originals) {
      for (const bytes of mutations(original, 150)) {
        try {
          expect((await data.decodeImage(bytes, { limitInputPixels: 1e6 })).dtype).to.equal('uint8');
        } catch (error) {
          expect(error).to.have.property('code', 'FILE_INVALID');
          ++refused;
        }
      }
    }
    expect(refused).to.be.greaterThan(50);
  });

  it('finds the images of each class, and loads them one by one', async () => {
    const root = path.join(folder, 'found');
    for (const [name, colour] of [
      ['b/2.png', '#00ff00'],
      ['a/1.PNG', '#ff0000'],
      ['b/in/3.png', '#0000ff'],
    ] as const) {
      // prettier-ignore
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      const flat = sharp({ create: { width: 3, height: 2, channels: 3, background: colour } }).png();
      writeFileSync(path.join(root, name), await flat.toBuffer());
    }
    writeFileSync(path.join(root, 'readme.png'), 'beside the classes');
    const images = new data.ImageFolder(root, { channelsLast: true });
    expect([images.length, images.classes, images.targets]).to.deep.equal([3, ['a', 'b'], [0, 1, 1]]);
    expect(images.classToIdx.get('b')).to.equal(1);
    expect(images.samples.map(([file]) => path.relative(root, file))).to.deep.equal([
      'a/1.PNG',
      'b/2.png',
      'b/in/3.png',
    ]);
    const loaded = await Promise.all([0, 1, 2].map(async (i) => images.get(i)));
    expect(loaded.map(([image]) => image.at(0, 0).tolist())).to.deep.equal([[255, 0, 0], [0, 255, 0], [0, 0, 255]]); // prettier-ignore
    expect((await rejectionOf(images.get(3))).message).to.match(/index 3 is outside the samples/);
  });

  it('refuses a folder without classes, a class without images, and a link that leads back', () => {
    const root = path.join(folder, 'odd');
    mkdirSync(path.join(root, 'empty'), { recursive: true });
    const said = (...args: ConstructorParameters<typeof data.ImageFolder>) => {
      const { code, message } = refusalOf(() => new data.ImageFolder(...args));
      return `${code} ${message}`;
    };
    expect(said(path.join(folder, 'none'))).to.match(/^FILE_NOT_FOUND ImageFolder: '.*none' cannot be read/);
    expect(said(path.join(root, 'empty'))).to.match(/FILE_NOT_FOUND.*has no folders, expected one for each class/);
    expect(said(root)).to.match(/FILE_NOT_FOUND.*no images in the folders of the classes \['empty'\].*allowEmpty/);
    expect(new data.ImageFolder(root, { allowEmpty: true })).to.include({ length: 0 });
    symlinkSync(root, path.join(root, 'empty', 'again'));
    expect(said(root)).to.match(/INVALID_ARGUMENT.*'.*again' is a link to a folder that it lies in/);
    expect(said(root, { extensions: ['png'] })).to.match(
      /INVALID_ARGUMENT.*extensions must be an array, each item a string such as '.png'/,
    );
  });

  it('gives Pillow’s pixels in torchvision’s order', async function () {
    this.timeout(60_000);
    const root = path.join(folder, 'python');
    const python = JSON.parse(reference(this, 'images.py', root)) as {
      classes: string[];
      samples: { file: string; label: number; rgb: number[][][]; grey: number[][] }[];
      resized: number[][][];
    };
    const images = new data.ImageFolder(root);
    expect(images.classes).to.deep.equal(python.classes);
    expect(images.samples).to.deep.equal(python.samples.map(({ file, label }) => [file, label]));
    for (const { file, rgb, grey } of python.samples) {
      // Decoders of JPEG round differently; where colours have half the resolution they also interpolate differently.
      const bound = /420/.test(file) ? 4 : /jpg$/.test(file) ? 2 : 0;
      const colours = await data.decodeImage(file, { mode: 'RGB', channelsLast: true });
      expect(farthest(colours, rgb), file).to.be.at.most(bound);
      const greys = await data.decodeImage(readFileSync(file), { mode: 'GRAY' });
      expect(farthest(greys, [grey]), file).to.be.at.most(bound);
    }
    const smooth = await data.decodeImage(path.join(root, 'é/smooth.jpg'), { resize: 12 });
    expect(smooth.shape).to.deep.equal([3, python.resized[0]!.length, python.resized[0]![0]!.length]);
    expect(farthest(smooth, python.resized)).to.be.at.most(3);
  });
});

function farthest(image: Tensor, expected: unknown): number {
  const [found, wanted] = [image.tolist<number[]>().flat(3), (expected as number[]).flat(3)] as [number[], number[]];
  expect(found.length).to.equal(wanted.length);
  return Math.max(...found.map((value, i) => Math.abs(value - wanted[i]!)));
}

/** The checksum of PNG's chunks. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; ++bit) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
