// Photographs as a user's dataset gives them.
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { data } from 'aiforge';
import { Compose, Normalize, ToDtype } from 'aiforge/transforms';
import sharp from 'sharp';

/** JPEGs, decoded to 224 by 224 and normalised as ImageNet's are. */
export class Photos {
  constructor(folder) {
    // Of each image that is decoded.
    sharp.concurrency(1);
    this.files = JSON.parse(readFileSync(path.join(folder, 'photos.json'), 'utf8'));
    this.transform = new Compose([
      new ToDtype('float32', { scale: true }),
      new Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]);
  }

  get length() {
    return this.files.length;
  }

  async get(index) {
    const image = await data.decodeImage(this.files[index], { mode: 'RGB', resize: [224, 224] });
    return [this.transform.forward(image), index];
  }
}
