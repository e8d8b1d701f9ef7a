import { Generator } from '../../tensor/index.js';
import type { SampleContext } from '../dataset.js';
import { drawSeed } from '../samplers.js';

/** What a pass draws at its beginning. */
export type PassSeed = number | bigint;

/**
 * The context of a sample: an object literal, as transforms take one, whose generator is made when it is first asked for.
 *
 * @param index Which sample it is.
 * @param place The how many-th of the pass: a sample that is drawn twice is transformed in two ways.
 */
export const sampleDraws = (seed: PassSeed, index: number, place: number): SampleContext =>
  drawing(() => sampleSeed(seed, index, place));

const made = new WeakSet<object>();

function drawing(seedOf: () => number | bigint): SampleContext {
  let generator: Generator | undefined;
  const context: SampleContext = {
    get generator() {
      return (generator ??= new Generator().manualSeed(seedOf()));
    },
  };
  made.add(context);
  return context;
}

/** Whether a context is one of these, which nobody need ask for its generator. */
export const isSampleDraws = (context: unknown): boolean => made.has(context as object);

/** 32 bits, which is all that PyTorch's generator takes of a seed. */
function sampleSeed(seed: PassSeed, index: number, place: number): number {
  const bits = BigInt(seed);
  const low = Number(BigInt.asUintN(32, bits));
  const high = Number(BigInt.asUintN(32, bits >> 32n));
  return scrambled((scrambled(scrambled(low ^ scrambled(high)) ^ index) + place) >>> 0);
}

/** A seed for what is drawn the how many-th time in a pass. */
export const seedAt = (seed: PassSeed, place: number): number => sampleSeed(seed, 0x7fffffff, place);

/** A number from 0 up to 1, which it is not. */
export const unitAt = (seed: PassSeed, place: number): number => seedAt(seed, place) / 2 ** 32;

/** MurmurHash3's last step, which maps the whole numbers of 32 bits one to one. */
function scrambled(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** For a sample that is asked for outside any pass: draws anew each time. */
export const noDraws = (): SampleContext => drawing(() => drawSeed());
