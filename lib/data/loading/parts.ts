import { openStream, StreamDataset, type OpenStream, type Position, type Stream } from '../stream.js';
import { seedAt, type PassSeed } from './sampleDraws.js';

/** The parts of a stream that can be read side by side; the stream itself where it has none. */
export function partsOf<Item>(stream: Stream<Item>): readonly Stream<Item>[] {
  const parts = stream instanceof StreamDataset ? stream.parts() : [];
  return parts.length > 0 ? parts : [stream];
}

/** The same part draws the same in a pass, and every part something else. */
export const openPart = <Item>(
  parts: readonly Stream<Item>[],
  part: number,
  seed: PassSeed,
  position: Position | undefined,
): OpenStream<Item> => openStream(parts[part]!, position, { seed: seedAt(seed, part) });
