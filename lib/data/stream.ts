/** Where a reading stands: plain JSON, which a checkpoint keeps. */
export type Position = null | boolean | number | string | readonly Position[] | { readonly [key: string]: Position };

/** Samples one after another, and where the next one is. */
export interface SampleReader<Item> extends AsyncIterableIterator<Item, undefined> {
  /** Where to open the stream for the samples after those given so far. */
  position(): Position;
  /** Lets go of files and the like; the samples are at their end after it. */
  return(): Promise<IteratorResult<Item, undefined>>;
}

/**
 * Samples that are read one after another, as `torch.utils.data.IterableDataset`, from the beginning or from where an earlier
 * reading stood.
 */
export abstract class StreamDataset<Item = unknown> implements AsyncIterable<Item> {
  /** Begins to read at what `position()` of an earlier reading gave, or with the first sample. */
  abstract open(position?: Position): SampleReader<Item>;

  /** Parts that can be read side by side, such as files; one after another they are the whole. None where it has no parts. */
  parts(): readonly StreamDataset<Item>[] {
    return [];
  }

  [Symbol.asyncIterator](): SampleReader<Item> {
    return this.open();
  }
}
