import {
  BaseDataset,
  generateData,
  Generator,
  loadSafetensors,
  randn,
  type LoadContext,
  type Tensor,
  validate,
} from 'aiforge';
import { z } from 'zod';

const Args = z.strictObject({
  numSamples: z.int().min(10).default(1000).describe('Points to generate'),
  inputDim: z.int().min(1).default(10).describe('Coordinates of a point'),
  seed: z.int().min(0).default(42).describe('Seed of the points'),
});

export interface Item {
  features: Tensor;
  labels: Tensor;
}

/** Normally distributed points; the label says whether a point lies farther from the origin than the median one. */
export class Dataset extends BaseDataset<Item> {
  override readonly classNames = ['inside', 'outside'];
  private features!: Tensor;
  private labels!: Tensor;

  get length(): number {
    return this.labels.size(0);
  }

  get(index: number): Item {
    return { features: this.features.select(0, index), labels: this.labels.select(0, index) };
  }

  /** Rank 0 generates the points into `dataPath`, unless they are there; all ranks read them from there. */
  async loadData(dataPath: string, { rank, barrier, args, logger }: LoadContext): Promise<void> {
    const settings = validate(Args, args, { source: 'the experiment', under: ['datasetArgs'] });
    const generate = () => {
      logger.info(`Generating ${settings.numSamples} points with ${settings.inputDim} coordinates`);
      return points(settings);
    };
    if (rank === 0) generateData(dataPath, { maker: 'simple_nn', settings, generate });
    await barrier();
    const { tensors } = loadSafetensors(dataPath);
    this.features = tensors.features!;
    this.labels = tensors.labels!;
  }
}

function points({ numSamples, inputDim, seed }: z.infer<typeof Args>) {
  // A generator of its own leaves the default one as it was.
  const generator = new Generator().manualSeed(seed);
  const features = randn([numSamples, inputDim], { generator });
  const distances = features.square().sum(1);
  return { features, labels: distances.gt(distances.median()).to('int64') };
}
