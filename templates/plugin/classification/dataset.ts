import {
  BaseDataset,
  generateData,
  Generator,
  loadSafetensors,
  randint,
  randn,
  validate,
  type LoadContext,
} from 'aiforge';
import { z } from 'zod';

/** The settings under `datasetArgs` in the experiment. */
const Args = z.strictObject({
  count: z.int().min(10).default(600).describe('Points to generate; default 600'),
  classes: z.int().min(2).default(3).describe('Groups of points; default 3'),
});

export interface Item {
  features: number[];
  label?: number; // not known of what the trained model is asked
}

/** Points in the plane, around one centre a class. Read your own data in `loadData` instead. */
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
    const { features, labels } = loadSafetensors(dataPath).tensors;
    const rows = features!.tolist<number[][]>();
    const classes = labels!.tolist<number[]>();
    this.items = rows.map((row, index) => ({ features: row, label: classes[index]! }));
  }
}

function points({ count, classes }: z.infer<typeof Args>) {
  // A generator of its own: the data are the same each time, whatever else is drawn.
  const generator = new Generator().manualSeed(1);
  const labels = randint(0, classes, [count], { generator, dtype: 'int64' });
  const centres = randn([classes, 2], { generator }).mul(3);
  return { features: centres.indexSelect(0, labels).add(randn([count, 2], { generator })), labels };
}
