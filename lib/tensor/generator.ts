import { brand, brandOf } from '../brand.js';
import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { nothing, signature } from '../signature.js';
import { native, type GeneratorId } from '../native.js';
import { enterContext } from './context/context.js';
import type { Device } from './dtype.js';
import { deviceKind } from './dtypeKinds.js';
import { handleOf, Tensor, wrapHandle } from './tensor.js';
import { anything, kind, optional } from '../kinds.js';

export interface GeneratorOptions {
  /** Whose operators draw from it: `'cpu'`, `'cuda'` or one such as `'cuda:1'`. Default: `'cpu'`. */
  device?: Device;
}

/** A seed as 64 bits; PyTorch too takes a negative one for the unsigned number of the same bits. */
export function seedBits(name: string, seed: number | bigint): bigint {
  const isWhole = typeof seed === 'bigint' || Number.isSafeInteger(seed);
  if (!isWhole || seed < -(2n ** 63n) || seed >= 2n ** 64n) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${name}: expected a whole number or a bigint of at most 64 bits, got ${show(seed)}.`,
    );
  }
  return BigInt.asIntN(64, BigInt(seed));
}

const seedTakes = signature({ seed: optional(anything) });
const stateTakes = signature({ state: kind('a Tensor', Tensor.isTensor) });

const takes = signature<GeneratorOptions>({}, { device: deviceKind });

/** What a copy of the library tells the others of its generators: their brand has it. */
interface GeneratorCopy {
  readonly addon: unknown;
  idOf(value: object): number | undefined;
}

const generatorBrand = brandOf('Generator');

const released = new FinalizationRegistry<number>((id) => native.releaseGenerator(id));

/**
 * A source of random numbers with its own state, as `torch.Generator`: Mersenne Twister on the CPU, Philox on a GPU, seeded with
 * PyTorch's default seed 67280421310721.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE for a GPU that is not there.
 * @example
 * import { Generator, randperm } from 'aiforge';
 * randperm(5, { generator: new Generator().manualSeed(1) }).tolist(); // [0, 4, 2, 3, 1], as in PyTorch
 */
export class Generator {
  #id: number;

  constructor(options: GeneratorOptions = {}) {
    if (arguments.length > 0) takes.check(new.target.name, arguments);
    this.#id = native.createGenerator(options.device ?? 'cpu');
    released.register(this, this.#id);
  }

  /** @internal */
  static idOf(value: unknown): number | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    if (#id in value) return value.#id;
    const copy = (value as Record<symbol, Partial<GeneratorCopy> | undefined>)[generatorBrand];
    return copy?.addon === native ? copy.idOf?.(value) : undefined;
  }

  static {
    const copy: GeneratorCopy = { addon: native, idOf: (value) => (#id in value ? value.#id : undefined) };
    brand(Generator, 'Generator', copy);
  }

  /** Whose operators draw from it. */
  get device(): Device {
    return native.generatorDevice(this.#id) as Device;
  }

  manualSeed(seed: number | bigint): this {
    seedTakes.check('manualSeed', arguments);
    native.seedGenerator(this.#id, seedBits('manualSeed', seed));
    return this;
  }

  /** Seeds from the system's entropy; returns the seed. */
  seed(): number | bigint {
    nothing.check('seed', arguments);
    return native.seedFromSystem(this.#id);
  }

  initialSeed(): number | bigint {
    nothing.check('initialSeed', arguments);
    return native.initialSeed(this.#id);
  }

  /** The state as a uint8 tensor, the same bytes as PyTorch's. */
  getState(): Tensor {
    nothing.check('getState', arguments);
    return stateOf(this.#id);
  }

  setState(state: Tensor): this {
    stateTakes.check('setState', arguments);
    native.setGeneratorState(this.#id, handleOf(state));
    return this;
  }
}

function stateOf(id: GeneratorId): Tensor {
  enterContext();
  return wrapHandle(native.generatorState(id));
}

/**
 * Seeds the default generator of every device: the same seed gives the same numbers as PyTorch. Each thread has default generators of
 * its own, as each of Python's processes has: no other one is seeded.
 */
export function manualSeed(seed: number | bigint): void {
  seedTakes.check('manualSeed', arguments);
  native.manualSeed(seedBits('manualSeed', seed));
}

/** Seeds the default generator from the system's entropy; returns the seed. */
export function seed(): number | bigint {
  nothing.check('seed', arguments);
  const value = native.seedFromSystem('cpu');
  manualSeed(value);
  return value;
}

/** The default generator's seed. */
export function initialSeed(): number | bigint {
  nothing.check('initialSeed', arguments);
  return native.initialSeed('cpu');
}

/** The default generator's state as a uint8 tensor, the same bytes as PyTorch's. */
export function getRngState(): Tensor {
  nothing.check('getRngState', arguments);
  return stateOf('cpu');
}

export function setRngState(state: Tensor): void {
  stateTakes.check('setRngState', arguments);
  native.setGeneratorState('cpu', handleOf(state));
}
