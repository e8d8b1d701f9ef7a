import {
  BaseDataset,
  generateData,
  Generator,
  loadSafetensors,
  rand,
  randn,
  validate,
  type LoadContext,
} from 'aiforge';
import { z } from 'zod';

/** The settings under `datasetArgs` in the experiment. */
const Args = z.strictObject({
  count: z.int().min(10).default(600).describe('Points to generate; default 600'),
  noise: z.number().min(0).default(0.1).describe('Standard deviation of the noise; default 0.1'),
});

export interface Item {
  features: number[];
  target?: number; // not known of what the trained model is asked
}

/** Noisy points on a sine. Read your own data in `loadData` instead. */
export class Dataset extends BaseDataset<Item> {
  private items: Item[] = [];

  /** How many samples there are. */
  get length(): number {
    return this.items.length;
  }

  /** The sample at an index, as it is: the preprocessor makes tensors of it. */
  get(index: number): Item {
    return this.items[index]!;
  }

  /** Makes the data available: the one place to read files. `dataPath` and `args` come from the experiment. */
  async loadData(dataPath: string, { rank, barrier, args }: LoadContext): Promise<void> {
    const settings = validate(Args, args, { source: 'the experiment', under: ['datasetArgs'] });
    const generate = () => points(settings);
    // Of several processes, the first writes the file, and the others wait for it.
    if (rank === 0) generateData(dataPath, { maker: '__name__', settings, generate });
    await barrier();
    const { features, targets } = loadSafetensors(dataPath).tensors;
    const rows = features!.tolist<number[][]>();
    const values = targets!.tolist<number[]>();
    this.items = rows.map((row, index) => ({ features: row, target: values[index]! }));
  }
}

function points({ count, noise }: z.infer<typeof Args>) {
  // A generator of its own: the data are the same each time, whatever else is drawn.
  const generator = new Generator().manualSeed(1);
  const features = rand([count, 1], { generator }).mul(6).sub(3);
  return {
    features,
    targets: features
      .squeeze(1)
      .sin()
      .add(randn([count], { generator }).mul(noise)),
  };
}
