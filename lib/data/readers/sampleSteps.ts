import type { Position, SampleReader } from '../stream.js';

/** A sample, and where to go on after it. */
export type Step<Item> = readonly [sample: Item, next: Position];

/** A reader of what a generator gives, which begins at `start` and lets go of its files when it ends. */
export function sampleSteps<Item>(
  steps: AsyncGenerator<Step<Item>, void, undefined>,
  start: Position,
): SampleReader<Item> {
  let position = start;
  return {
    async next(): Promise<IteratorResult<Item, undefined>> {
      const { value, done } = await steps.next();
      if (done === true) return { value: undefined, done: true };
      position = value[1];
      return { value: value[0], done: false };
    },
    async return(): Promise<IteratorResult<Item, undefined>> {
      await steps.return();
      return { value: undefined, done: true };
    },
    position: () => position,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
