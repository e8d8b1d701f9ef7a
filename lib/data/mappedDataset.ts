import { isPromise } from '../promised.js';
import {
  checkIndex,
  getTakes,
  sampleAt,
  samplesAt,
  type Dataset,
  type SampleContext,
  type Samples,
} from './dataset.js';
import { findEach, ofAll, type Found } from './found.js';
import { noDraws } from './loading/sampleDraws.js';

/** A dataset whose samples are made of another one's. */
export class MappedDataset<In, Out> implements Dataset<Out> {
  constructor(
    readonly dataset: Samples<In>,
    readonly transform: (sample: Awaited<In>, context: SampleContext) => Out,
  ) {}

  get length(): number {
    return this.dataset.length;
  }

  get(index: number, context?: SampleContext): Out {
    if (arguments.length > 1) getTakes.check('get', arguments);
    checkIndex('map', index, this.length);
    return this.#made(sampleAt(this.dataset, index, 'map: its dataset', context), index, context);
  }

  /** Asks the dataset once. */
  getBatch(indices: readonly number[], contexts?: readonly SampleContext[]): Found<Out> {
    const found = samplesAt(this.dataset, indices, 'map: its dataset', contexts);
    return ofAll([found], ([samples]) =>
      findEach(indices, (index, i) => this.#made(samples![i]!, index, contexts?.[i])),
    );
  }

  #made(sample: In, index: number, context: SampleContext = noDraws()): Out {
    if (!isPromise(sample)) return this.transform(sample as Awaited<In>, context);
    return Promise.resolve(sample).then((given) => this.transform(given as Awaited<In>, context)) as Out;
  }
}
