import { BasePreprocessor, tensor, type data, type Tensor } from 'aiforge';
import { Normalize, RandomAffine, ToDtype } from 'aiforge/transforms';
import type { Item } from './dataset.js';

export interface Sample {
  image: Tensor;
  labels?: Tensor;
}

// The mean and the standard deviation of the training pictures.
const [mean, std] = [0.1307, 0.3081];

/** Scales pixels, and turns, moves and scales the pictures to train on. */
export class Preprocessor extends BasePreprocessor<Item, Sample> {
  private readonly scale = new ToDtype('float32', { scale: true });
  private readonly normalize = new Normalize([mean], [std]);
  private readonly jitter = new RandomAffine(10, {
    translate: [0.08, 0.08],
    scale: [0.9, 1.1],
    interpolation: 'bilinear',
    fill: -mean / std,
  });

  fit(): void {
    // What it scales by is known.
  }

  transform({ image, label }: Item): Sample {
    const sample = { image: this.normalize.forward(this.scale.forward(image.unsqueeze(0))) };
    return label === undefined ? sample : { ...sample, labels: tensor(label) };
  }

  override augment({ image, ...rest }: Sample, context: data.SampleContext): Sample {
    return { image: this.jitter.forward(image, context), ...rest };
  }

  inverseTransform({ image, labels }: Sample): Item {
    const pixels = image.squeeze(0).mul(std).add(mean).mul(255).round().clamp(0, 255);
    return { image: pixels.to('uint8'), ...(labels === undefined ? {} : { label: Number(labels.item()) }) };
  }

  state(): null {
    return null;
  }

  restore(): void {
    // Nothing was learnt.
  }
}
