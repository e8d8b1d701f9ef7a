import type { Position, StreamDataset } from '#lib/data/stream.js';
import { expect } from 'chai';

/**
 * The samples of a stream, after it was opened at each position that a reading had, also by way of JSON: there it must give exactly those
 * that were left.
 */
export async function everyPosition<Item, Shown>(
  stream: StreamDataset<Item>,
  show: (item: Item) => Shown,
): Promise<Shown[]> {
  const reader = stream.open();
  const positions = [reader.position()];
  const whole: Shown[] = [];
  for await (const item of reader) {
    whole.push(show(item));
    positions.push(reader.position());
  }
  for (const [given, position] of positions.entries()) {
    const left: Shown[] = [];
    for await (const item of stream.open(JSON.parse(JSON.stringify(position)) as Position)) left.push(show(item));
    expect(left, `after ${given}`).to.deep.equal(whole.slice(given));
  }
  return whole;
}
