import type { Buffer } from 'node:buffer';

import { limitsOf, type TrackedHistogram } from '../histogram.js';
import { Message } from './protobuf.js';

// The numbers of fields are those of tensorboard/compat/proto: event.proto, summary.proto, tensor.proto, histogram.proto.
const stringType = 7;
const started = 1;

/** When something was recorded. */
export interface EventPoint {
  step: number;
  /** Milliseconds since 1970. */
  time: number;
}

/** An image as a file holds it. */
export interface ImageFile {
  width: number;
  height: number;
  channels: number;
  png: Uint8Array;
}

const event = ({ step, time }: EventPoint): Message => new Message().double(1, time / 1000).varint(2, step);

const summary = (at: EventPoint, values: readonly Message[]): Buffer => {
  const message = new Message();
  for (const value of values) message.message(1, value);
  return event(at).message(5, message).encode();
};

/** The first event of every file. */
export function versionEvent(time: number): Buffer {
  return event({ step: 0, time }).bytes(3, 'brain.Event:2').encode();
}

/** Says that recording begins at a step: TensorBoard forgets what it has of this step and of later ones. */
export function startEvent(at: EventPoint): Buffer {
  return event(at).message(7, new Message().varint(1, started)).encode();
}

export function scalarEvent(scalars: Record<string, number>, at: EventPoint): Buffer {
  const values = Object.entries(scalars).map(([name, value]) => new Message().bytes(1, name).float(2, value));
  return summary(at, values);
}

/** A text, which TensorBoard shows as Markdown. */
export function textEvent(name: string, text: string, at: EventPoint): Buffer {
  const shape = new Message().message(2, new Message().varint(1, 1));
  const tensor = new Message().varint(1, stringType).message(2, shape).bytes(8, text);
  const metadata = new Message().message(1, new Message().bytes(1, 'text'));
  return summary(at, [new Message().bytes(1, name).message(8, tensor).message(9, metadata)]);
}

export function imageEvent(name: string, { width, height, channels, png }: ImageFile, at: EventPoint): Buffer {
  const image = new Message().varint(1, height).varint(2, width).varint(3, channels).bytes(4, png);
  return summary(at, [new Message().bytes(1, name).message(4, image)]);
}

export function histogramEvent(name: string, histogram: TrackedHistogram, at: EventPoint): Buffer {
  const { min, max, count, sum, sumOfSquares, counts } = histogram;
  const message = new Message()
    .double(1, min ?? 0)
    .double(2, max ?? 0)
    .double(3, count)
    .double(4, sum);
  message.double(5, sumOfSquares).doubles(6, limitsOf(histogram)).doubles(7, counts);
  return summary(at, [new Message().bytes(1, name).message(5, message)]);
}
