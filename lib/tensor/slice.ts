import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { anything, optional } from '../kinds.js';
import { signature } from '../signature.js';

/** A bound or a step of a slice; null or nothing where Python leaves it out. */
export type SliceBound = number | bigint | null | undefined;

function boundOf(value: SliceBound, name: string): number {
  if (value === null || value === undefined) return NaN;
  if (typeof value === 'bigint') return Number(value);
  if (Number.isInteger(value)) return value;
  throw new AiforgeError('INVALID_ARGUMENT', `slice: its ${name} must be an integer or null, got ${show(value)}.`);
}

/** A range of indices along one dimension, made by `slice()`. */
export class Slice {
  // NaN: left out.
  readonly #start: number;
  readonly #stop: number;
  readonly #step: number;

  /** @internal Writes the three numbers of a slice at `position`. */
  static write: (slice: Slice, into: Float64Array, position: number) => void;

  static {
    Slice.write = (slice, into, position) => {
      into[position] = slice.#start;
      into[position + 1] = slice.#stop;
      into[position + 2] = slice.#step;
    };
  }

  constructor(start?: SliceBound, stop?: SliceBound, step?: SliceBound) {
    this.#start = boundOf(start, 'start');
    this.#stop = boundOf(stop, 'stop');
    this.#step = boundOf(step, 'step');
    if (this.#step <= 0) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `slice: its step must be greater than zero, got ${this.#step}; use flip() to turn a dimension round.`,
      );
    }
  }

  static isSlice(value: unknown): value is Slice {
    return typeof value === 'object' && value !== null && #start in value;
  }

  toString(): string {
    const [start, stop, step] = [this.#start, this.#stop, this.#step].map((v) => (Number.isNaN(v) ? '' : String(v)));
    return step === '' ? `${start}:${stop}` : `${start}:${stop}:${step}`;
  }

  [inspect.custom](): string {
    return `slice(${this.toString()})`;
  }
}

const sliceTakes = signature({ start: optional(anything), stop: optional(anything), step: optional(anything) });

/**
 * The indices `start`, `start + step`, … before `stop`, for `x.at()` and `x.set()`; negative bounds count from the end, and
 * null stands for the end of the dimension. As Python's `slice(start, stop, step)`, but one argument alone is the start.
 *
 * @throws AiforgeError INVALID_ARGUMENT for bounds that are no integers and steps below 1.
 * @example
 * import { arange, slice } from 'aiforge';
 * arange(6).at(slice(1, -1, 2)).tolist(); // [1, 3]
 * arange(6).at(slice(null, 2)).tolist(); // [0, 1]
 */
export function slice(start?: SliceBound, stop?: SliceBound, step?: SliceBound): Slice {
  if (arguments.length > 3) sliceTakes.check('slice', arguments);
  return new Slice(start, stop, step);
}

const pattern = /^\s*([+-]?\d+)?\s*:\s*([+-]?\d+)?\s*(?::\s*([+-]?\d+)?\s*)?$/;

function parse(text: string): Slice {
  const found = pattern.exec(text);
  if (found === null) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `The index '${text.slice(0, 40)}' is no slice: expected 'start:stop:step' such as '1:-1', ':', '::2', or '...'.`,
    );
  }
  const [start, stop, step] = found.slice(1).map((digits) => (digits === undefined ? null : Number(digits)));
  return new Slice(start, stop, step);
}

const maxParsed = 256;
const parsed = new Map<string, Slice>();

/** The slice that a text such as `'1:-1:2'` stands for. */
export function parseSlice(text: string): Slice {
  let found = parsed.get(text);
  if (found === undefined) {
    found = parse(text);
    if (parsed.size >= maxParsed) parsed.clear();
    parsed.set(text, found);
  }
  return found;
}
