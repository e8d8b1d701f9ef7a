import { readFile } from 'node:fs/promises';

import { BaseDataset, validate, type LoadContext } from 'aiforge';
import { z } from 'zod';

/** A line of the file. */
const Line = z.strictObject({ text: z.string(), label: z.int().min(0) });

export interface Item {
  text: string;
  label?: number; // not known of what the trained model is asked
}

/** Texts with labels, from a file with one JSON object a line. */
export class Dataset extends BaseDataset<Item> {
  override readonly classNames = ['unfriendly', 'friendly'];
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
  async loadData(dataPath: string, { args }: LoadContext): Promise<void> {
    // Nothing can be set under datasetArgs: what is there is a mistake.
    validate(z.strictObject({}), args, { source: 'the experiment', under: ['datasetArgs'] });
    const lines = (await readFile(dataPath, 'utf8')).split('\n');
    this.items = lines.flatMap((line, index) => {
      if (line.trim() === '') return [];
      return [validate(Line, JSON.parse(line), { source: `${dataPath}, line ${index + 1},` })];
    });
  }
}
