import { readFileSync, rmSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';

import { writeFileAtomic } from '../atomicFile.js';
import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import type { TrackedImage } from './image.js';
import { encodePng } from './png.js';
import type { MetricPoint } from './tracker.js';

const folder = 'media';

/** The path of an image in a run's folder, such as `media/val_input/12.png` for step 12. */
export const mediaFile = (name: string, step: number): string => `${folder}/${name}/${step}.png`;

/** Writes an image into a run's folder; gives its path in it. */
export function writeMedia(directory: string, name: string, image: TrackedImage, { step }: MetricPoint): string {
  const file = mediaFile(name, step);
  const place = inMedia(directory, file);
  if (place === undefined) {
    throw new AiforgeError('INVALID_ARGUMENT', `An image cannot be called ${show(name)}: its file would be elsewhere.`);
  }
  writeFileAtomic(place, [encodePng(image)]);
  return file;
}

/** Removes a file that a line named which is no longer there. */
export function removeMedia(directory: string, file: unknown): void {
  const place = inMedia(directory, file);
  if (place !== undefined) rmSync(place, { force: true });
}

/** The PNG file that a line names; undefined where it is gone. */
export function readMedia(directory: string, file: unknown): Uint8Array | undefined {
  const place = inMedia(directory, file);
  if (place === undefined) return undefined;
  try {
    return readFileSync(place);
  } catch {
    return undefined;
  }
}

/** Where a path leads that is to stay among the media of a run; undefined where it does not. */
function inMedia(directory: string, file: unknown): string | undefined {
  if (typeof file !== 'string' || file.includes('\0')) return undefined;
  const place = resolve(directory, file);
  return place.startsWith(join(resolve(directory), folder) + sep) ? place : undefined;
}
