import { AiforgeError, BasePreprocessor, scope, tensor, type Tensor } from 'aiforge';
import { z } from 'zod';
import type { Item } from './dataset.js';

export interface Sample {
  image: Tensor;
  labels?: Tensor;
}

const State = z.strictObject({ mean: z.number(), std: z.number().positive() });

/** Brings pixels to the mean 0 and the standard deviation 1 that they have over the training split. */
export class Preprocessor extends BasePreprocessor<Item, Sample> {
  private scale: z.infer<typeof State> | undefined;

  fit(items: Iterable<Item>): void {
    let [sum, squares, count] = [0, 0, 0];
    for (const { image } of items) {
      // Whole numbers: their sums are exact, in whatever order they are added.
      scope(() => {
        const pixels = image.to('int64');
        sum += Number(pixels.sum().item());
        squares += Number(pixels.square().sum().item());
      });
      count += image.numel();
    }
    const mean = sum / count;
    this.scale = { mean, std: Math.sqrt(squares / count - mean * mean) };
  }

  transform({ image, label }: Item): Sample {
    const { mean, std } = this.fitted();
    const sample = { image: image.to('float32').sub(mean).div(std).unsqueeze(0) };
    return label === undefined ? sample : { ...sample, labels: tensor(label) };
  }

  inverseTransform({ image, labels }: Sample): Item {
    const { mean, std } = this.fitted();
    const item = { image: image.squeeze(0).mul(std).add(mean).round().to('uint8') };
    return labels === undefined ? item : { ...item, label: Number(labels.item()) };
  }

  state(): z.infer<typeof State> {
    return this.fitted();
  }

  restore(state: unknown): void {
    const result = State.safeParse(state);
    if (!result.success) {
      throw new AiforgeError(
        'FILE_INVALID',
        `Not a state of fashion_mnist's preprocessor:\n${z.prettifyError(result.error)}`,
      );
    }
    this.scale = result.data;
  }

  private fitted(): z.infer<typeof State> {
    if (this.scale !== undefined) return this.scale;
    throw new AiforgeError('INVALID_ARGUMENT', 'The preprocessor has seen no pictures yet; call fit or load first.');
  }
}
