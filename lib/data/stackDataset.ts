import { AiforgeError } from '../errors.js';
import { kind } from '../kinds.js';
import { show } from '../show.js';
import { isOptions, signature } from '../signature.js';
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

type Named = Readonly<Record<string, Samples>>;

/** What a sample of stacked datasets is: the samples of each, in a list or by the names of the datasets. */
export type Stacked<Given> = Given extends readonly Samples[]
  ? { -readonly [Key in keyof Given]: SampleOf<Given[Key]> }
  : { -readonly [Key in keyof Given]: SampleOf<Given[Key]> };

type SampleOf<Given> = Given extends Samples<infer Item> ? Item : never;

const stackTakes = signature({
  datasets: kind<Named | readonly Samples[]>(
    'an array or an object of datasets',
    (value) => Array.isArray(value) || isOptions(value),
  ),
});

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `StackDataset: ${problem}.`);

function checkAll(given: Named | readonly unknown[]): void {
  const all = Object.entries(given);
  if (all.length === 0) throw refusal('expected a dataset or more');
  for (const [name, each] of all) {
    if (!samplesKind.accepts(each)) throw refusal(`expected ${samplesKind.expected} as ${name}, got ${show(each)}`);
  }
  const lengths = all.map(([name, each]) => `${name} has ${(each as Samples).length}`);
  if (new Set(all.map(([, each]) => (each as Samples).length)).size > 1) {
    throw refusal(`the datasets have different lengths: ${lengths.join(', ')}`);
  }
}

/**
 * Several datasets side by side: the sample at an index has that of each, in a list for an array of datasets, by name for an
 * object. As `torch.utils.data.StackDataset`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for no datasets, for what is none, and for datasets of different lengths.
 * @example
 * import { data } from 'aiforge';
 * const pairs = new data.StackDataset({ image: [[1.5], [2.5]], text: ['one', 'two'] });
 * pairs.get(1); // { image: [2.5], text: 'two' }
 */
export class StackDataset<const Given extends readonly Samples[] | Named> implements Dataset<Stacked<Given>> {
  readonly length: number;

  constructor(readonly datasets: Given) {
    stackTakes.check(new.target.name, arguments);
    checkAll(datasets);
    this.length = Object.values(datasets)[0]!.length;
  }

  get(index: number, context?: SampleContext): Stacked<Given> {
    if (arguments.length > 1) getTakes.check('get', arguments);
    checkIndex('StackDataset', index, this.length);
    const lots = this.#each((dataset, who) => [sampleAt(dataset, index, who, context)]);
    const stacked = ofAll(lots, (found) => this.#stack(found));
    return (Array.isArray(stacked) ? stacked[0]! : stacked.then(([sample]) => sample)) as Stacked<Given>;
  }

  /** Asks each dataset once. */
  getBatch(indices: readonly number[], contexts?: readonly SampleContext[]): Found<Stacked<Given>> {
    getBatchTakes.check('getBatch', arguments);
    return ofAll(
      this.#each((dataset, who) => samplesAt(dataset, indices, who, contexts)),
      (lots) => this.#stack(lots),
    );
  }

  #each<Result>(body: (dataset: Samples, who: string) => Result): Result[] {
    return Object.entries(this.datasets).map(([name, dataset]) => body(dataset, `StackDataset: its dataset ${name}`));
  }

  /** Of a lot of samples from each dataset, a lot of stacked ones. */
  #stack(lots: readonly unknown[][]): Stacked<Given>[] {
    const names = Array.isArray(this.datasets) ? null : Object.keys(this.datasets);
    return lots[0]!.map((_, i) => {
      const values = lots.map((lot) => lot[i]);
      return (
        names === null ? values : Object.fromEntries(names.map((name, j) => [name, values[j]]))
      ) as Stacked<Given>;
    });
  }
}
