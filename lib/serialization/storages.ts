import { AiforgeError } from '../errors.js';
import { fillFrom } from '../tensor/files/bytes.js';
import { bytesOf, isDevice, type Device, type DType } from '../tensor/dtype.js';
import { empty } from '../tensor/generated/functions.js';
import type { OpenFile } from '../tensor/files/openFile.js';
import type { Tensor } from '../tensor/tensor.js';
import { Global } from './pickleReader.js';
import { storageTypes, untypedStorage } from './storageTypes.js';

/** The memory that tensors of a file share. */
export interface Memory {
  readonly key: string;
  readonly bytes: Tensor;
  /** How many elements its first reference says that it has. */
  readonly elements: number;
}

/** A storage as a file names it: memory or, in old files, a part of it, with the dtype of its elements. */
export class Storage {
  constructor(
    readonly memory: Memory,
    /** Null for a storage of bytes, whose tensors say their dtype. */
    readonly dtype: DType | null,
    /** Where it begins in the memory, in elements. */
    readonly start: number,
    readonly length: number,
  ) {}
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Fills a piece with the bytes that are at `at` of a storage. */
export type Read = (piece: Uint8Array, at: number) => void;

/** What a file has of its storages that can be found by their keys. */
export interface Contents {
  sizeOf(key: string): number;
  copy(key: string, use: (read: Read) => void): void;
}

/** The storages of a file, each made when a tensor first asks for it. */
export class Storages {
  readonly #file: OpenFile;
  readonly #mapLocation: Device | null;
  readonly #memories = new Map<string, Memory>();
  #total = 0;

  constructor(file: OpenFile, mapLocation: Device | null) {
    this.#file = file;
    this.#mapLocation = mapLocation;
  }

  /** With it a storage is filled when it is made; without, its reference says its size and `fill` is for the caller. */
  contents: Contents | undefined;

  /** The storage of a persistent id: `('storage', type, key, location, length)`, in old files with a view of another. */
  find([kind, type, key, location, length, view = null]: readonly unknown[]): Storage {
    const name = type instanceof Global ? type.name : '';
    const dtype = storageTypes.get(name) ?? null;
    if (kind !== 'storage' || typeof key !== 'string' || typeof location !== 'string' || !isSize(length)) {
      throw this.#file.invalid('it has a malformed storage');
    }
    if (dtype === null && name !== untypedStorage) throw this.#file.unsupported(`a storage of the type ${name}`);
    const memory = this.#memory(key, length, dtype === null ? 1 : bytesOf(dtype), location);
    const [start, count] = this.#range(view, length);
    return new Storage(memory, dtype, start, count);
  }

  fill(key: string, read: Read): void {
    const { bytes } = this.#memories.get(key)!;
    if (bytes.device === 'meta') return;
    if (bytes.device === 'cpu') {
      fillFrom(bytes, read);
      return;
    }
    const here = empty(bytes.shape, { dtype: 'uint8', device: 'cpu' });
    fillFrom(here, read);
    bytes.copy_(here);
    here.dispose();
  }

  keys(): string[] {
    return [...this.#memories.keys()];
  }

  extentOf(key: string): { length: number; elements: number } {
    const { bytes, elements } = this.#memories.get(key)!;
    return { length: bytes.numel(), elements };
  }

  #range(view: unknown, length: number): [start: number, length: number] {
    if (view === null) return [0, length];
    const [, start, part] = Array.isArray(view) ? (view as unknown[]) : [];
    if (!isSize(start) || !isSize(part)) throw this.#file.invalid('it has a malformed view of a storage');
    return [start, part];
  }

  #memory(key: string, elements: number, itemBytes: number, location: string): Memory {
    const found = this.#memories.get(key);
    if (found !== undefined) return found;
    const size = this.contents?.sizeOf(key) ?? elements * itemBytes;
    this.#total += size;
    if (this.#total > this.#file.size) throw this.#file.invalid(`its storages should have ${this.#total} bytes`);
    const memory = { key, bytes: this.#empty(size, location), elements };
    this.#memories.set(key, memory);
    this.contents?.copy(key, (read) => this.fill(key, read));
    return memory;
  }

  #empty(size: number, location: string): Tensor {
    const device = this.#mapLocation ?? location;
    if (!isDevice(device)) throw this.#file.invalid(`it has a tensor on the unknown device '${device}'`);
    try {
      return empty([size], { dtype: 'uint8', device });
    } catch (cause) {
      if (device === 'cpu') throw cause;
      const isMissing = cause instanceof AiforgeError && cause.code === 'DEVICE_UNAVAILABLE';
      throw new AiforgeError(
        isMissing ? 'DEVICE_UNAVAILABLE' : 'INVALID_ARGUMENT',
        `load: a tensor ${this.#mapLocation === null ? 'belongs' : 'should go'} on '${device}', which is not to be had here; give { mapLocation: 'cpu' }.`,
        { cause },
      );
    }
  }
}
