import { isListOf, kind } from '../kinds.js';
import { signature } from '../signature.js';
import {
  checkIndex,
  getBatchTakes,
  getTakes,
  sampleAt,
  samplesAt,
  samplesKind,
  type Dataset,
  type SampleContext,
  type Samples,
} from './dataset.js';
import { ofAll, type Found } from './found.js';

const concatTakes = signature({
  datasets: kind<readonly Samples[]>(
    'an array of datasets, one or more',
    (value) => isListOf(value, samplesKind) && value.length > 0,
  ),
});
const who = 'ConcatDataset: one of its datasets';

/**
 * The samples of several datasets, one dataset after another. As `torch.utils.data.ConcatDataset`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for no datasets, and for what is none.
 * @example
 * import { data } from 'aiforge';
 * const all = new data.ConcatDataset([['a', 'b'], ['c']]);
 * all.get(2); // 'c'
 */
export class ConcatDataset<Item> implements Dataset<Item> {
  /** How many samples there are up to the end of each dataset. */
  readonly cumulativeSizes: readonly number[];

  constructor(readonly datasets: readonly Samples<Item>[]) {
    concatTakes.check(new.target.name, arguments);
    let sum = 0;
    this.cumulativeSizes = datasets.map(({ length }) => (sum += length));
  }

  get length(): number {
    return this.cumulativeSizes.at(-1)!;
  }

  get(index: number, context?: SampleContext): Item {
    if (arguments.length > 1) getTakes.check('get', arguments);
    const [dataset, own] = this.#place(index);
    return sampleAt(this.datasets[dataset]!, own, who, context);
  }

  /** Asks each dataset once for all that is its own. */
  getBatch(indices: readonly number[], contexts?: readonly SampleContext[]): Found<Item> {
    getBatchTakes.check('getBatch', arguments);
    const asked = new Map<number, { own: number[]; places: number[] }>();
    indices.forEach((index, place) => {
      const [dataset, own] = this.#place(index);
      const already = asked.get(dataset) ?? { own: [], places: [] };
      asked.set(dataset, already);
      already.own.push(own);
      already.places.push(place);
    });
    const parts = [...asked].map(([dataset, { own, places }]) => {
      const theirs = contexts && places.map((place) => contexts[place]!);
      return samplesAt(this.datasets[dataset]!, own, who, theirs);
    });
    const places = [...asked.values()].map((each) => each.places);
    return ofAll(parts, (found) => inPlaces(found, places));
  }

  #place(index: number): [dataset: number, own: number] {
    checkIndex('ConcatDataset', index, this.length);
    let [low, high] = [0, this.cumulativeSizes.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.cumulativeSizes[middle]! > index) high = middle;
      else low = middle + 1;
    }
    return [low, index - (this.cumulativeSizes[low - 1] ?? 0)];
  }
}

function inPlaces<Item>(lots: readonly Item[][], places: readonly number[][]): Item[] {
  const samples: Item[] = [];
  lots.forEach((lot, i) => lot.forEach((sample, j) => (samples[places[i]![j]!] = sample)));
  return samples;
}
