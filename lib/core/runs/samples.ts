import { type Dataset, type SampleContext } from '../../data/index.js';
import { samplesAt } from '../../data/dataset.js';
import { ofAll } from '../../data/found.js';
import { noDraws } from '../../data/loading/sampleDraws.js';
import { AiforgeError } from '../../errors.js';
import { isPromise } from '../../promised.js';
import type { BaseDataset } from '../baseDataset.js';
import type { BasePreprocessor } from '../basePreprocessor.js';
import { calledFor, thrownBy } from '../plugins/calls.js';

/** A plugin's items. One that is missing shows here: a preprocessor, or what makes batches, would blame itself. */
export function itemsOf(dataset: BaseDataset): Dataset {
  const { length } = dataset;
  const call = (index: number): string => `Dataset.get(${index})`;
  const get = (index: number, context?: SampleContext): unknown => {
    const item = soonFrom(call, index, () => dataset.get(index, context));
    return isPromise(item) ? item.then((come) => present(come, call, index)) : present(item, call, index);
  };
  if (dataset.getBatch === undefined) return { length, get };
  const whole = (): string => 'Dataset.getBatch';
  const answers: Dataset = {
    length,
    get,
    getBatch: (indices, contexts) =>
      soonFrom(whole, 0, () => dataset.getBatch!(indices, contexts)) as unknown[] | Promise<unknown[]>,
  };
  const inBatch = (index: number): string => `Dataset.getBatch, for ${index},`;
  return {
    length,
    get,
    getBatch: (indices, contexts) =>
      ofAll([samplesAt(answers, indices, 'Dataset', contexts)], ([items]) =>
        items!.map((item, i) => present(item, inBatch, indices[i]!)),
      ),
  };
}

/** The samples that a preprocessor makes of items. */
export function transformed(items: Dataset, preprocessor: BasePreprocessor): Dataset {
  const call = (index: number): string => `Preprocessor.transform, for item ${index},`;
  const transform = (item: unknown): unknown => preprocessor.transform(item);
  return mapped(items, (item, index) => calledFor(call, transform, item, index));
}

/** The samples as a preprocessor changes them to train on. */
export function augmented(samples: Dataset, preprocessor: BasePreprocessor | undefined): Dataset {
  if (preprocessor?.augment === undefined) return samples;
  const call = (index: number): string => `Preprocessor.augment, for item ${index},`;
  return mapped(samples, (sample, index, context = noDraws()) =>
    calledFor(call, (given: unknown) => preprocessor.augment!(given, context), sample, index),
  );
}

type Change = (item: unknown, index: number, context?: SampleContext) => unknown;

function mapped(items: Dataset, change: Change): Dataset {
  return {
    length: items.length,
    get: (index, context) => {
      const item = items.get(index, context);
      return isPromise(item) ? item.then((come) => change(come, index, context)) : change(item, index, context);
    },
    getBatch: (indices, contexts) =>
      ofAll([samplesAt(items, indices, 'Dataset', contexts)], ([found]) =>
        found!.map((item, i) => change(item, indices[i]!, contexts?.[i])),
      ),
  };
}

/** What a plugin gives for an item, or a promise of it. */
function soonFrom(call: (index: number) => string, index: number, read: () => unknown): unknown {
  try {
    const given = read();
    if (!isPromise(given)) return given;
    return Promise.resolve(given).catch((thrown: unknown) => {
      throw thrownBy(call(index), thrown);
    });
  } catch (thrown) {
    throw thrownBy(call(index), thrown);
  }
}

function present(item: unknown, call: (index: number) => string, index: number): unknown {
  if (item !== undefined && item !== null) return item;
  throw new AiforgeError('PLUGIN_INVALID', `${call(index)} returned ${String(item)}; expected the item.`);
}

/** The items at some indices, as often as they are asked for: by `for` where they are there at once, by `for await` always. */
export class Items implements Iterable<unknown>, AsyncIterable<unknown> {
  constructor(
    private readonly items: Dataset,
    private readonly indices: readonly number[],
  ) {}

  *[Symbol.iterator](): Iterator<unknown> {
    for (const index of this.indices) {
      const item = this.items.get(index);
      if (isPromise(item)) {
        throw new AiforgeError('PLUGIN_INVALID', `Dataset.get(${index}) returned a promise, so Preprocessor.fit is to be asynchronous and to take its items with 'for await'.`); // prettier-ignore
      }
      yield item;
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<unknown> {
    for (const index of this.indices) yield await this.items.get(index);
  }
}
