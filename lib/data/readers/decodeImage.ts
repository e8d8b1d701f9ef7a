import { Buffer } from 'node:buffer';
import { readFile } from 'node:fs/promises';

import { AiforgeError } from '../../errors.js';
import { boolean, count, either, kind, oneOf, string, tuple, type Kind } from '../../kinds.js';
import { isUint8Array } from '../../realms.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { fromBuffer, scope, type Tensor } from '../../tensor/index.js';
import { optionalLibrary } from '../optionalLibrary.js';
import { unreadable } from './localFile.js';

/** What an image is decoded to: RGB or grey without transparency, or the channels that it has. */
export type ImageMode = 'RGB' | 'GRAY' | 'UNCHANGED';

export interface DecodeImageOptions {
  /**
   * The channels: 3 (`'RGB'`), 1 (`'GRAY'`, of colours 0.299 R + 0.587 G + 0.114 B), or those that the image has (`'UNCHANGED'`: grey,
   * grey and alpha, RGB, or RGB and alpha). Default: `'UNCHANGED'`.
   */
  mode?: ImageMode;
  /** Turns and mirrors the image as its EXIF data says. Default: false. */
  applyExifOrientation?: boolean;
  /**
   * The size in pixels: `[height, width]`, or a number for the shorter side, which keeps the ratio. Interpolated linearly, over all
   * pixels that one covers. Default: the image's own.
   */
  resize?: number | readonly [height: number, width: number];
  /** Gives (height, width, channels) instead of (channels, height, width). Default: false. */
  channelsLast?: boolean;
  /** Refuses an image that says to have more pixels, before it is decoded. Default: 178,956,970, as Pillow. */
  limitInputPixels?: number;
}

const sizeKind: Kind<number | readonly [height: number, width: number]> = either(count, tuple(count, count));

/** What options about images must be. */
export const imageKinds = {
  mode: oneOf('RGB', 'GRAY', 'UNCHANGED'),
  applyExifOrientation: boolean,
  resize: sizeKind,
  channelsLast: boolean,
  limitInputPixels: count,
} as const;

const decodeImageTakes = signature<DecodeImageOptions>(
  { source: kind('bytes or the path of a file', (value) => string.accepts(value) || isUint8Array(value)) },
  imageKinds,
);

const mostPixels = 178_956_970;

/** How files of each format begin; a dot is any byte. */
const beginnings: readonly [format: string, pattern: RegExp][] = [
  ['JPEG', /^\xff\xd8\xff/],
  ['PNG', /^\x89PNG\r\n.\n/],
  ['GIF', /^GIF8[79]a/],
  ['WebP', /^RIFF[^]{4}WEBP/],
  ['TIFF', /^(II\*\0|MM\0\*)/],
  ['AVIF', /^[^]{4}ftypavi[fs]/],
];

const decoded = beginnings.map(([format]) => format).join(', ');

// The decoders of other formats that a build of libvips may have are not for bytes from anywhere: SVG and PDF read other files.
function checkFormat(bytes: Uint8Array, who: string): void {
  const start = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  if (beginnings.some(([, pattern]) => pattern.test(start))) return;
  const found = bytes.length === 0 ? 'is empty' : `begins with the bytes ${show(start)}`;
  throw invalid(who, `it ${found}, expected an image: ${decoded}; convert others to PNG`);
}

const invalid = (who: string, problem: string, cause?: unknown): AiforgeError =>
  new AiforgeError('FILE_INVALID', `${who}: ${problem}.`, cause === undefined ? {} : { cause });

const loadSharp = async (who: string) =>
  (await optionalLibrary<{ default: typeof import('sharp') }>(who, 'sharp', ['default'])).default;

type Sharp = Awaited<ReturnType<typeof loadSharp>>;

interface Pixels {
  data: Buffer;
  height: number;
  width: number;
  channels: number;
}

/** The size that an image gets: as torchvision's Resize, the longer side rounds down. */
function targetSize(
  resize: NonNullable<DecodeImageOptions['resize']>,
  width: number,
  height: number,
): [number, number] {
  if (typeof resize !== 'number') return [resize[1], resize[0]];
  const longer = Math.floor((resize * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? [resize, longer] : [longer, resize];
}

async function pixelsOf(sharp: Sharp, bytes: Uint8Array, options: DecodeImageOptions, who: string): Promise<Pixels> {
  const { resize, applyExifOrientation = false, limitInputPixels = mostPixels } = options;
  // Colour profiles are left aside, as Pillow and torchvision do.
  let image = sharp(bytes, { limitInputPixels: false, failOn: 'error', ignoreIcc: true });
  const { width, height, space, autoOrient, pages = 1, hasAlpha } = await image.metadata();
  if (width * height > limitInputPixels) {
    const problem = `it has ${width} x ${height} pixels, more than limitInputPixels, ${limitInputPixels}`;
    throw invalid(who, `${problem}; give a greater limitInputPixels if it is to be trusted`);
  }
  if (pages > 1) image = sharp(bytes, { limitInputPixels, failOn: 'error', ignoreIcc: true, page: 0 });
  if (applyExifOrientation) image = image.autoOrient();
  if (resize !== undefined) {
    const shown = applyExifOrientation ? autoOrient : { width, height };
    const [toWidth, toHeight] = targetSize(resize, shown.width, shown.height);
    if (toWidth * toHeight > limitInputPixels) {
      throw invalid(
        who,
        `resized to ${toWidth} x ${toHeight} it has more pixels than limitInputPixels, ${limitInputPixels}`,
      );
    }
    image = image.resize(toWidth, toHeight, { fit: 'fill', kernel: 'linear' });
  }
  const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const pixels = { data, height: info.height, width: info.width, channels: info.channels };
  return isGrey(space) ? chosenChannels(pixels, hasAlpha ? [0, 3] : [0]) : pixels;
}

const isGrey = (space: string): boolean => space === 'b-w' || space === 'grey16';

/** Some channels only: sharp gives grey images three equal ones. */
function chosenChannels(pixels: Pixels, chosen: readonly number[]): Pixels {
  const { channels } = pixels;
  const data = Buffer.alloc((pixels.data.length / channels) * chosen.length);
  let to = 0;
  for (let from = 0; from < pixels.data.length; from += channels) {
    for (const channel of chosen) data[to++] = pixels.data[from + channel]!;
  }
  return { ...pixels, data, channels: chosen.length };
}

/** Grey of colours, with Pillow's weights and rounding. */
function greyOf({ data, channels }: Pixels): Buffer {
  const grey = Buffer.alloc(data.length / channels);
  for (let i = 0, at = 0; i < grey.length; ++i, at += channels) {
    grey[i] = (19595 * data[at]! + 38470 * data[at + 1]! + 7471 * data[at + 2]! + 0x8000) >> 16;
  }
  return grey;
}

function grey(pixels: Pixels): Pixels {
  if (pixels.channels < 3) return chosenChannels(pixels, [0]);
  return { ...pixels, data: greyOf(pixels), channels: 1 };
}

function toTensor(pixels: Pixels, mode: ImageMode, isLast: boolean): Tensor {
  const { data, height, width, channels } = mode === 'GRAY' ? grey(pixels) : pixels;
  return scope(() => {
    let image = fromBuffer(data, { shape: [height, width, channels] });
    if (mode === 'RGB' && channels < 3) image = image.at(':', ':', '0:1').expand([height, width, 3]);
    if (mode === 'RGB' && channels > 3) image = image.at(':', ':', '0:3');
    return (isLast ? image : image.permute([2, 0, 1])).contiguous();
  });
}

/** Decodes in the name of who asks; the options are checked already. */
export async function decodePixels(
  source: string | Uint8Array,
  options: DecodeImageOptions,
  who: string,
): Promise<Tensor> {
  const sharp = await loadSharp(who);
  let bytes = source;
  if (typeof bytes === 'string') {
    try {
      bytes = await readFile(bytes);
    } catch (cause) {
      throw unreadable(who, source as string, cause);
    }
  }
  const name = typeof source === 'string' ? `${who}: '${source}'` : who;
  checkFormat(bytes, name);
  let pixels: Pixels;
  try {
    pixels = await pixelsOf(sharp, bytes, options, name);
  } catch (cause) {
    if (cause instanceof AiforgeError) throw cause;
    throw invalid(name, `it cannot be decoded: ${(cause as Error).message}`, cause);
  }
  return toTensor(pixels, options.mode ?? 'UNCHANGED', options.channelsLast === true);
}

/**
 * An image as a uint8 tensor of shape (channels, height, width), as `torchvision.io.decode_image`: JPEG, PNG, GIF (its first picture),
 * WebP, TIFF and AVIF, from bytes or a file. Needs the package sharp. The values of a JPEG differ a little between decoders.
 *
 * @throws AiforgeError FILE_INVALID for what is damaged or no image, FILE_NOT_FOUND, MISSING_DEPENDENCY, INVALID_ARGUMENT.
 * @example
 * import { data } from 'aiforge';
 * const png = Buffer.from(
 *   'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVQImWNgZGJmYWUDAAA/ABajRWCVAAAAAElFTkSuQmCC',
 *   'base64',
 * );
 * const image = await data.decodeImage(png);
 * image.shape; // [3, 1, 2]
 */
export async function decodeImage(source: string | Uint8Array, options: DecodeImageOptions = {}): Promise<Tensor> {
  decodeImageTakes.check('decodeImage', arguments);
  return decodePixels(source, options, 'decodeImage');
}
