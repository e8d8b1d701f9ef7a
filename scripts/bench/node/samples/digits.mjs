// MNIST's pictures as a user's dataset gives them; python/samples.py has the same, as of the other modules here.
import path from 'node:path';

import { data } from 'aiforge';
import { Compose, Normalize, ToDtype } from 'aiforge/transforms';

/** Pictures of one channel in bytes, which become floats of mean 0 and deviation 1 when they are asked for. */
class Digits {
  constructor(images, labels, normalise) {
    this.images = images;
    this.labels = labels;
    this.normalise = normalise;
  }

  get length() {
    return this.labels.length;
  }

  get(index) {
    return [this.normalise(this.images.select(0, index)), this.labels[index]];
  }
}

const [mean, deviation] = [0.1307, 0.3081];

const byTransforms = () => {
  const transform = new Compose([new ToDtype('float32', { scale: true }), new Normalize([mean], [deviation])]);
  return (image) => transform.forward(image);
};

const byOperators = () => (image) => image.to('float32').div(255).sub(mean).div(deviation);

/** @param how Whether `'transforms'` or `'operators'` normalise. */
export async function digits(folder, how) {
  const images = await data.readIdx(path.join(folder, 't10k-images-idx3-ubyte'));
  const labels = await data.readIdx(path.join(folder, 't10k-labels-idx1-ubyte'));
  return new Digits(images.unsqueeze(1), labels.tolist(), how === 'transforms' ? byTransforms() : byOperators());
}
