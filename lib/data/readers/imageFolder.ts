import { Buffer } from 'node:buffer';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

import { AiforgeError } from '../../errors.js';
import { boolean, kind, listOf, string } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/index.js';
import { checkIndex, type Dataset, getTakes } from '../dataset.js';
import { decodePixels, imageKinds, type DecodeImageOptions } from './decodeImage.js';
import { unreadable } from './localFile.js';
import { rememberArguments } from '../workers/remembered.js';

export interface ImageFolderOptions extends DecodeImageOptions {
  /** The endings of the files that are samples, in whatever case. Default: torchvision's, of which sharp decodes no bmp, pgm and ppm. */
  extensions?: readonly string[];
  /** Takes classes that have no images. Default: false. */
  allowEmpty?: boolean;
}

/** torchvision's `IMG_EXTENSIONS`. */
const imageExtensions = ['.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif', '.tiff', '.webp'];

const extension = kind<string>(
  "a string such as '.png'",
  (value) => string.accepts(value) && /^\../.test(String(value)),
);

const imageFolderTakes = signature<ImageFolderOptions>(
  { root: string },
  { extensions: listOf(extension), allowEmpty: boolean, ...imageKinds },
);

/** Python's order of strings, by code points. */
const byCodePoints = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;

/** A folder and the folders within it, links followed. Throws INVALID_ARGUMENT where a link leads back to a folder that it is in. */
function foldersFrom(folder: string, above: readonly string[]): string[] {
  const real = realpathSync(folder);
  if (above.includes(real)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `ImageFolder: '${folder}' is a link to a folder that it lies in; remove it.`,
    );
  }
  const inner = readdirSync(folder)
    .map((name) => path.join(folder, name))
    .filter(isFolder);
  return [folder, ...inner.flatMap((each) => foldersFrom(each, [...above, real]))];
}

/** The images of a class, in torchvision's order: folder by folder, each by name. */
function imagesIn(root: string, name: string, endings: readonly string[]): string[] {
  return foldersFrom(path.join(root, name), [realpathSync(root)])
    .sort(byCodePoints)
    .flatMap((each) =>
      readdirSync(each)
        .filter((file) => endings.some((ending) => file.toLowerCase().endsWith(ending)))
        .sort(byCodePoints)
        .map((file) => path.join(each, file))
        .filter((file) => !isFolder(file)),
    );
}

/**
 * Images in folders named after their classes, as `torchvision.datasets.ImageFolder`: `root/cat/1.png` is of the class `cat`. The
 * classes are the folders' names in order. `get` is asynchronous: a promise of the image, uint8 of shape (channels, height, width), and
 * the index of its class. Needs the package sharp. Images are RGB unless `mode` says otherwise.
 *
 * @throws AiforgeError FILE_NOT_FOUND where there is no such folder, or no images in one; from `get`, FILE_INVALID for what is no image.
 * @example
 * import { data } from 'aiforge';
 * import { mkdirSync, mkdtempSync } from 'node:fs';
 * import sharp from 'sharp';
 * const root = mkdtempSync('/tmp/images-');
 * for (const [name, background] of [['cat', 'orange'], ['dog', 'brown']]) {
 *   mkdirSync(`${root}/${name}`);
 *   await sharp({ create: { width: 8, height: 6, channels: 3, background } }).toFile(`${root}/${name}/1.png`);
 * }
 * const images = new data.ImageFolder(root, { resize: [4, 4] });
 * images.classes; // ['cat', 'dog']
 * const [image, label] = await images.get(1);
 * image.shape; // [3, 4, 4]
 * label; // 1
 */
export class ImageFolder implements Dataset<Promise<[image: Tensor, label: number]>> {
  readonly root: string;
  /** The names of the classes, in order. */
  readonly classes: readonly string[];
  /** The index of each class. */
  readonly classToIdx: ReadonlyMap<string, number>;
  /** The file of each sample, and the index of its class. */
  readonly samples: readonly (readonly [file: string, label: number])[];
  readonly #decoding: DecodeImageOptions;

  constructor(root: string, options: ImageFolderOptions = {}) {
    imageFolderTakes.check(new.target.name, arguments);
    const { extensions = imageExtensions, allowEmpty = false, ...decoding } = options;
    this.root = root;
    this.#decoding = { ...decoding, mode: decoding.mode ?? 'RGB' };
    this.classes = classesIn(root);
    this.classToIdx = new Map(this.classes.map((name, label) => [name, label]));
    const endings = extensions.map((ending) => ending.toLowerCase());
    const found = this.classes.map((name) => imagesIn(root, name, endings));
    const empty = this.classes.filter((_, label) => found[label]!.length === 0);
    if (empty.length > 0 && !allowEmpty) {
      const problem = `there are no images in the folders of the classes ${show(empty)} in '${root}'`;
      const remedy = `expected files ending in ${extensions.join(', ')}; or give allowEmpty`;
      throw new AiforgeError('FILE_NOT_FOUND', `ImageFolder: ${problem}, ${remedy}.`);
    }
    this.samples = found.flatMap((files, label) => files.map((file) => [file, label] as const));
    if (new.target === ImageFolder) rememberArguments(this, 'ImageFolder', arguments);
  }

  get length(): number {
    return this.samples.length;
  }

  /** The class of each sample. */
  get targets(): number[] {
    return this.samples.map(([, label]) => label);
  }

  async get(index: number): Promise<[image: Tensor, label: number]> {
    getTakes.check('get', arguments);
    checkIndex('ImageFolder', index, this.length);
    const [file, label] = this.samples[index]!;
    return [await decodePixels(file, this.#decoding, 'ImageFolder'), label];
  }
}

function classesIn(root: string): string[] {
  let names: string[];
  try {
    names = readdirSync(root);
  } catch (cause) {
    throw unreadable('ImageFolder', root, cause);
  }
  const classes = names.filter((name) => isFolder(path.join(root, name))).sort(byCodePoints);
  if (classes.length > 0) return classes;
  throw new AiforgeError('FILE_NOT_FOUND', `ImageFolder: '${root}' has no folders, expected one for each class.`);
}
