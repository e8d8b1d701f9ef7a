import { AiforgeError } from '../errors.js';
import { kind, whole } from '../kinds.js';
import { show } from '../show.js';
import { isOptions, signature } from '../signature.js';
import { checkIndex, getBatchTakes, sampleAt, samplesAt, samplesKind, type Dataset, type Samples } from './dataset.js';

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
const getTakes = signature({ index: whole });

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

  get(index: number): Stacked<Given> {
    if (arguments.length > 1) getTakes.check('get', arguments);
    checkIndex('StackDataset', index, this.length);
    return this.#stack((dataset, who) => sampleAt(dataset, index, who));
  }

  /** Asks each dataset once. */
  getBatch(indices: readonly number[]): Stacked<Given>[] {
    getBatchTakes.check('getBatch', arguments);
    const columns = this.#stack((dataset, who) => samplesAt(dataset, indices, who)) as Record<string, unknown[]>;
    return indices.map((_, i) => this.#each(columns, (column) => (column as unknown[])[i]));
  }

  #stack(body: (dataset: Samples, who: string) => unknown): Stacked<Given> {
    return this.#each(this.datasets, (dataset, name) => body(dataset as Samples, `StackDataset: its dataset ${name}`));
  }

  #each(of: object, body: (value: unknown, name: string) => unknown): Stacked<Given> {
    const entries = Object.entries(of).map(([name, value]) => [name, body(value, name)] as const);
    return (
      Array.isArray(this.datasets) ? entries.map(([, value]) => value) : Object.fromEntries(entries)
    ) as Stacked<Given>;
  }
}
