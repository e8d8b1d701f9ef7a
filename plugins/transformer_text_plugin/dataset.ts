import {
  BaseDataset,
  generateData,
  Generator,
  loadSafetensors,
  randint,
  type LoadContext,
  type Tensor,
  validate,
} from 'aiforge';
import { z } from 'zod';

const Args = z.strictObject({
  numSamples: z.int().min(1).default(1000).describe('Texts to generate'),
  maxSeqLen: z.int().min(1).default(128).describe('Tokens of a text'),
  vocabSize: z.int().min(2).default(5000).describe('Token ids to draw from; 0 is padding and never drawn'),
  numClasses: z.int().min(2).default(2).describe('Labels to draw from'),
  seed: z.int().min(0).default(43).describe('Seed of the texts'),
});

export interface Item {
  input_ids: Tensor;
  labels: Tensor;
}

/** Generated token ids with random labels: there is nothing to learn, but everything to try. */
export class Dataset extends BaseDataset<Item> {
  private ids!: Tensor;
  private labels!: Tensor;

  get length(): number {
    return this.labels.size(0);
  }

  get(index: number): Item {
    return { input_ids: this.ids.select(0, index), labels: this.labels.select(0, index) };
  }

  /** Rank 0 generates the texts into `dataPath`, unless they are there; all ranks read them from there. */
  async loadData(dataPath: string, { rank, barrier, args, logger }: LoadContext): Promise<void> {
    const settings = validate(Args, args, { source: 'the experiment', under: ['datasetArgs'] });
    const generate = () => {
      logger.info(`Generating ${settings.numSamples} texts of ${settings.maxSeqLen} tokens`);
      return texts(settings);
    };
    if (rank === 0) generateData(dataPath, { maker: 'transformer_text_plugin', settings, generate });
    await barrier();
    const { tensors } = loadSafetensors(dataPath);
    this.ids = tensors.ids!;
    this.labels = tensors.labels!;
  }
}

function texts({ numSamples, maxSeqLen, vocabSize, numClasses, seed }: z.infer<typeof Args>) {
  // A generator of its own leaves the default one as it was.
  const generator = new Generator().manualSeed(seed);
  return {
    ids: randint(1, vocabSize, [numSamples, maxSeqLen], { generator, dtype: 'int64' }),
    labels: randint(0, numClasses, [numSamples], { generator, dtype: 'int64' }),
  };
}
