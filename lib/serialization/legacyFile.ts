import { Buffer } from 'node:buffer';
import type { OpenFile } from '../tensor/files/openFile.js';
import { ByteStream } from './byteStream.js';
import { PickleReader, type PickleHost } from './pickleReader.js';
import type { Rebuild } from './rebuild.js';
import type { Storages } from './storages.js';

// A pickle of protocol 2.
const BEGINNING = Buffer.of(0x80, 2);
const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/**
 * Reads a file of `torch.save` as it was before PyTorch 1.6: pickles of a magic number, the version, the machine, the value
 * and the keys of the storages, and then the storages, each after its length.
 */
export function readLegacy(file: OpenFile, storages: Storages, rebuild: Rebuild): unknown {
  const bytes = new ByteStream(file);
  const next = (): unknown => new PickleReader(bytes, rebuild).read();
  if (file.size < 2 || !file.bytes(0, 2).equals(BEGINNING) || next() !== MAGIC) throw notOurs(file);
  if (next() !== VERSION) throw file.invalid('it is of an unknown version of the format before PyTorch 1.6');
  const machine = next();
  if (!(machine instanceof Map) || machine.get('little_endian') !== true) {
    throw file.invalid('its bytes are in big-endian order');
  }
  const start = bytes.position;
  // Once for the storages alone, whose bytes stand behind: some tensors can be made of filled ones only.
  new PickleReader(bytes, storagesAlone(file, storages)).read();
  const keys = next();
  if (!Array.isArray(keys)) throw file.invalid('it does not say which storages it has');
  fill(file, bytes.position, keys as unknown[], storages);
  bytes.goTo(start);
  return next();
}

function storagesAlone(file: OpenFile, storages: Storages): PickleHost {
  return {
    call: () => new Map(),
    load: (id) => storages.find(id),
    build: () => undefined,
    invalid: (reason) => file.invalid(reason),
  };
}

function fill(file: OpenFile, start: number, keys: readonly unknown[], storages: Storages): void {
  const missing = new Set(storages.keys());
  let position = start;
  for (const key of keys) {
    if (typeof key !== 'string' || !missing.delete(key)) throw file.invalid('it has a storage that no tensor is in');
    const count = Number(file.bytes(position, 8).readBigInt64LE(0));
    const { length, elements } = storages.extentOf(key);
    if (count !== elements) throw file.invalid(`its storage ${key} has ${count} elements, expected ${elements}`);
    const from = position + 8;
    if (from + length > file.size) throw file.invalid(`it ends at byte ${file.size}, expected ${from + length}`);
    storages.fill(key, (piece, at) => file.fill(piece, from + at));
    position = from + length;
  }
  if (missing.size > 0) throw file.invalid(`its storages ${[...missing].join(', ')} are missing`);
}

function notOurs(file: OpenFile): Error {
  return file.invalid('it is neither a zip file nor begins as files of PyTorch before 1.6 do');
}
