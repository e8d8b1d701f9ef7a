import { AiforgeError, BasePreprocessor, tensor, type Tensor } from 'aiforge';
import { z } from 'zod';
import type { Item } from './dataset.js';

export interface Sample {
  features: Tensor;
  targets?: Tensor;
}

const measures = ['cylinders', 'displacement', 'horsepower', 'weight', 'acceleration', 'year'] as const;
/** Cars from elsewhere, the USA, are those that are neither. */
const origins = ['Europe', 'Japan'];

/** How many numbers a car becomes. */
export const features = measures.length + origins.length;

const State = z.strictObject({
  mean: z.array(z.number()).length(measures.length),
  std: z.array(z.number().positive()).length(measures.length),
});

/** Brings each measure to the mean 0 and the standard deviation 1 that it has over the training split; what is not known is the mean. */
export class Preprocessor extends BasePreprocessor<Item, Sample> {
  private scale: z.infer<typeof State> | undefined;

  fit(items: Iterable<Item>): void {
    const cars = [...items];
    const columns = measures.map((measure) => cars.flatMap((car) => car[measure] ?? []));
    const mean = columns.map(meanOf);
    const std = columns.map((column, i) => Math.sqrt(meanOf(column.map((value) => (value - mean[i]!) ** 2))) || 1);
    this.scale = { mean, std };
  }

  transform(item: Item): Sample {
    const { mean, std } = this.fitted();
    const scaled = measures.map((measure, i) => ((item[measure] ?? mean[i]!) - mean[i]!) / std[i]!);
    const from = origins.map((origin) => Number(item.origin === origin));
    const sample = { features: tensor([...scaled, ...from], { dtype: 'float32' }) };
    if (item.milesPerGallon === undefined) return sample;
    return { ...sample, targets: tensor(item.milesPerGallon, { dtype: 'float32' }) };
  }

  inverseTransform({ features, targets }: Sample): Item {
    const { mean, std } = this.fitted();
    const values = features.tolist<number[]>();
    const [cylinders, displacement, horsepower, weight, acceleration, year] = measures.map(
      (_, i) => values[i]! * std[i]! + mean[i]!,
    ) as [number, number, number, number, number, number];
    const origin = origins.find((_, i) => values[measures.length + i] === 1) ?? 'USA';
    const item = { cylinders, displacement, horsepower, weight, acceleration, year, origin };
    return targets === undefined ? item : { ...item, milesPerGallon: targets.item<number>() };
  }

  state(): z.infer<typeof State> {
    return this.fitted();
  }

  restore(state: unknown): void {
    const result = State.safeParse(state);
    if (!result.success) {
      throw new AiforgeError(
        'FILE_INVALID',
        `Not a state of car_mileage's preprocessor:\n${z.prettifyError(result.error)}`,
      );
    }
    this.scale = result.data;
  }

  private fitted(): z.infer<typeof State> {
    if (this.scale !== undefined) return this.scale;
    throw new AiforgeError('INVALID_ARGUMENT', 'The preprocessor has seen no cars yet; call fit or load first.');
  }
}

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
