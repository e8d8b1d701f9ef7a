import { Counter } from '../counter.js';
import { AiforgeError } from '../errors.js';
import { orNull, string } from '../kinds.js';
import { signature } from '../signature.js';
import { isDevice, isDType, type Device, type DType } from '../tensor/dtype.js';
import { conj, empty } from '../tensor/generated/functions.js';
import { aten } from '../tensor/aten.js';
import { deviceKind } from '../tensor/kinds.js';
import { scope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { Global, PickleReader, type PickleHost } from './pickleReader.js';
import { storageTypes, untypedStorage } from './storageTypes.js';
import { ZipReader } from './zipReader.js';

export interface LoadOptions {
  /** Where tensors go. Default: the device that each was saved from. */
  mapLocation?: Device | null;
}

const loadTakes = signature<LoadOptions>({ file: string }, { mapLocation: orNull(deviceKind) });

interface Storage {
  readonly dtype: DType | null;
  readonly key: string;
  readonly location: string;
}

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);

const negView = aten('_neg_view');

const isStorage = (value: unknown): value is Storage =>
  typeof value === 'object' && value !== null && 'key' in value && 'location' in value;

/** Makes what the globals of a file stand for; tensors of one storage share its memory. */
class Archive implements PickleHost {
  readonly #zip: ZipReader;
  readonly #root: string;
  readonly #mapLocation: Device | null;
  readonly #storages = new Map<string, Tensor>();

  constructor(zip: ZipReader, mapLocation: Device | null) {
    this.#zip = zip;
    this.#mapLocation = mapLocation;
    const pickle = [...zip.names()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
    if (pickle === undefined) throw this.invalid('it has no data.pkl');
    this.#root = pickle.slice(0, -'data.pkl'.length);
    if (zip.has(`${this.#root}constants.pkl`)) {
      throw this.invalid('it is a TorchScript program, not data; save its state_dict()');
    }
    const order = `${this.#root}byteorder`;
    if (zip.has(order) && zip.read(order).toString() !== 'little')
      throw this.invalid('its bytes are in big-endian order');
  }

  value(): unknown {
    return plain(new PickleReader(this.#zip.read(`${this.#root}data.pkl`), this).read(), new Map());
  }

  invalid(reason: string): AiforgeError {
    return this.#zip.invalid(reason);
  }

  load([kind, type, key, location]: readonly unknown[]): Storage {
    const name = type instanceof Global ? type.name : '';
    const dtype = storageTypes.get(name) ?? null;
    const isKnown = dtype !== null || name === untypedStorage;
    if (kind !== 'storage' || !isKnown || typeof key !== 'string' || typeof location !== 'string') {
      throw this.invalid(`it has a storage of the unknown type '${name}'`);
    }
    return { dtype, key, location };
  }

  call(name: string, args: readonly unknown[]): unknown {
    const make = this.#makers.get(name);
    if (make !== undefined) return make(args);
    throw this.#zip.unsupported(
      `an object of ${name}, which load does not read. Save state_dict(), dense tensors, numbers, texts, lists and dictionaries alone`,
    );
  }

  readonly #makers = new Map<string, (args: readonly unknown[]) => unknown>([
    ['collections.OrderedDict', ([items]) => new Map((items ?? []) as [unknown, unknown][])],
    ['collections.Counter', ([counts]) => new Counter(counts as Map<number, number>)],
    ['collections.defaultdict', () => new Map()],
    ['torch._utils._rebuild_tensor_v2', (args) => this.#tensor(args)],
    ['torch._utils._rebuild_tensor_v3', (args) => this.#tensor(args.toSpliced(6, 1), this.#dtype(args[6]))],
    ['torch._utils._rebuild_parameter', ([data, requiresGrad]) => this.#leaf(data, requiresGrad)],
    ['torch._utils._rebuild_parameter_with_state', ([data, requiresGrad]) => this.#leaf(data, requiresGrad)],
    ['torch.Size', ([sizes]) => sizes],
    ['torch.device', ([type, index]) => (index == null ? type : `${type as string}:${index as number}`)],
    ['_codecs.encode', ([text]) => new Uint8Array(Buffer.from(String(text), 'latin1'))],
    ...['__builtin__', 'builtins'].flatMap((module): [string, (args: readonly unknown[]) => unknown][] => [
      [`${module}.set`, ([items]) => new Set(items as unknown[])],
      [`${module}.complex`, ([re, im]) => ({ re, im })],
      [`${module}.bytearray`, ([items]) => Uint8Array.from((items ?? []) as number[])],
    ]),
  ]);

  #dtype(value: unknown): DType {
    const name = value instanceof Global ? value.name.replace(/^torch\./, '') : '';
    if (!isDType(name)) throw this.invalid(`it has a tensor of the unknown dtype '${name}'`);
    return name;
  }

  // The bytes of a storage, read straight into the memory of its tensors.
  #bytes(key: string): Tensor {
    let bytes = this.#storages.get(key);
    if (bytes === undefined) {
      const entry = `${this.#root}data/${key}`;
      bytes = empty([this.#zip.sizeOf(entry)], { dtype: 'uint8' });
      this.#zip.readInto(entry, bytes.viewTypedArray() as Uint8Array);
      this.#storages.set(key, bytes);
    }
    return bytes;
  }

  #tensor([storage, offset, sizes, strides, requiresGrad, , flags]: readonly unknown[], given?: DType): Tensor {
    const dtype = given ?? (isStorage(storage) ? storage.dtype : null);
    if (!isStorage(storage) || dtype === null || !isSizes(sizes) || !isSizes(strides) || !isSizes([offset])) {
      throw this.invalid('it has a malformed tensor');
    }
    let tensor: Tensor;
    try {
      tensor = this.#bytes(storage.key)
        .view(dtype)
        .asStrided(sizes, strides, offset as number);
    } catch (cause) {
      if (cause instanceof AiforgeError && cause.code === 'FILE_INVALID') throw cause;
      throw this.invalid(`a tensor does not fit its storage ${storage.key}: ${(cause as Error).message}`);
    }
    return this.#leaf(this.#place(this.#flagged(tensor, flags), storage.location), requiresGrad);
  }

  // A conjugate or negative view, whose memory holds the other numbers.
  #flagged(tensor: Tensor, flags: unknown): Tensor {
    if (flags === undefined || flags === null) return tensor;
    if (!(flags instanceof Map)) throw this.invalid('it has a malformed tensor');
    let flagged = tensor;
    for (const [name, isSet] of flags as Map<unknown, unknown>) {
      if (name === 'conj' && isSet === true) flagged = conj(flagged);
      else if (name === 'neg' && isSet === true) flagged = negView(flagged);
      else throw this.invalid(`it has a tensor with the unknown property '${String(name)}'`);
    }
    return flagged;
  }

  #place(tensor: Tensor, location: string): Tensor {
    const device = this.#mapLocation ?? location;
    if (device === 'cpu') return tensor;
    if (!isDevice(device)) throw this.invalid(`it has a tensor on the unknown device '${device}'`);
    try {
      return tensor.to(device);
    } catch (cause) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `load: a tensor belongs on '${device}', which is not to be had here; give { mapLocation: 'cpu' }.`,
        { cause },
      );
    }
  }

  #leaf(tensor: unknown, requiresGrad: unknown): Tensor {
    if (!Tensor.isTensor(tensor)) throw this.invalid('it has a parameter without data');
    return requiresGrad === true ? tensor.requiresGrad_() : tensor;
  }
}

/** Whether a dictionary becomes an object: one of texts, or the state of an optimizer, by the numbers of its parameters. */
function isRecord(map: ReadonlyMap<unknown, unknown>): boolean {
  const keys = [...map.keys()];
  if (keys.every((key) => typeof key === 'string')) return true;
  return keys.every((key) => Number.isSafeInteger(key)) && [...map.values()].every((value) => value instanceof Map);
}

/** Dictionaries as objects, where none of their keys is lost so; dtypes by their names. */
function plain(value: unknown, done: Map<object, unknown>): unknown {
  if (value instanceof Global) return value.name.replace(/^torch\./, '');
  if (typeof value !== 'object' || value === null || Tensor.isTensor(value)) return value;
  if (done.has(value)) return done.get(value);
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    done.set(value, list);
    for (const item of value) list.push(plain(item, done));
    return list;
  }
  if (!(value instanceof Map) || value instanceof Counter) return value;
  const copy = isRecord(value) ? {} : new Map<unknown, unknown>();
  done.set(value, copy);
  for (const [key, item] of value as Map<unknown, unknown>) {
    if (copy instanceof Map) copy.set(key, plain(item, done));
    // Not by assignment, which a key such as __proto__ would turn into something else.
    else
      Object.defineProperty(copy, String(key), {
        value: plain(item, done),
        configurable: true,
        enumerable: true,
        writable: true,
      });
  }
  return copy;
}

/**
 * Reads a file of `torch.save`, from here or from Python: tensors, numbers, texts, lists, tuples (as arrays), dictionaries
 * (as objects, or as Maps where keys are no texts; the state of an optimizer, by whole numbers, is an object), sets and bytes. Tensors that shared memory share
 * it again. Nothing in a file is ever run: an object of another class is refused. As `torch.load`.
 *
 * @throws AiforgeError FILE_NOT_FOUND; FILE_INVALID for a damaged file, one of another format, or one that holds more than
 *   data; INVALID_ARGUMENT for tensors of a device that is not there.
 * @example
 * import { load, nn, save } from 'aiforge';
 * save(new nn.Linear(2, 1).stateDict(), '/tmp/linear.pt');
 * new nn.Linear(2, 1).loadStateDict(load('/tmp/linear.pt')).missingKeys; // []
 */
export function load<T = Record<string, Tensor>>(file: string, options: LoadOptions = {}): T {
  loadTakes.check('load', arguments);
  const { mapLocation = null } = options;
  const zip = new ZipReader(file);
  try {
    return scope(() => new Archive(zip, mapLocation).value()) as T;
  } catch (cause) {
    if (cause instanceof AiforgeError) throw cause;
    // What a pickle that nobody's torch.save wrote leads to: a list of pairs that are none, nesting without end.
    throw zip.invalid((cause as Error).message);
  } finally {
    zip.close();
  }
}
