import { Buffer } from 'node:buffer';
import { AiforgeError } from '../errors.js';
import { orNull, string } from '../kinds.js';
import { signature } from '../signature.js';
import type { Device } from '../tensor/dtype.js';
import { deviceKind } from '../tensor/kinds.js';
import { withFile, type OpenFile } from '../tensor/files/openFile.js';
import { scope } from '../tensor/memory/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { readLegacy } from './legacyFile.js';
import { PlainValues } from './plainValue.js';
import { Rebuild } from './rebuild.js';
import { Storages } from './storages.js';
import { readZip } from './zipArchive.js';

export interface LoadOptions {
  /** Where tensors go. Default: the device that each was saved from. */
  mapLocation?: Device | null;
}

const loadTakes = signature<LoadOptions>({ file: string }, { mapLocation: orNull(deviceKind) });

const ZIP = Buffer.from('PK\x03\x04', 'latin1');

/** The value, and what else leaves the scope with it. */
interface Loaded {
  readonly value: unknown;
  readonly attached: readonly unknown[];
}

function read(file: OpenFile, mapLocation: Device | null): Loaded {
  const storages = new Storages(file, mapLocation);
  const rebuild = new Rebuild(file, storages);
  const isZip = file.size >= ZIP.length && file.bytes(0, ZIP.length).equals(ZIP);
  const value = (isZip ? readZip : readLegacy)(file, storages, rebuild);
  const plain = new PlainValues(file, rebuild);
  return { value: plain.of(value), attached: plain.attached };
}

/**
 * Reads a file of `torch.save`, from here or from Python, of its format before 1.6 too: tensors of every layout, quantized and
 * without data, numbers, texts, lists, tuples (as arrays), dictionaries (as objects, or as Maps where keys are no texts; the
 * state of an optimizer, by whole numbers, is an object), sets and bytes, dtypes and layouts (by their names), and storages (as
 * tensors of one dimension). Attributes of tensors become their properties, those of dictionaries hidden ones. Tensors that
 * shared memory share it again. Nothing in a file is ever run: an object of another class is refused. As `torch.load`.
 *
 * @throws AiforgeError FILE_NOT_FOUND; FILE_INVALID for a damaged file, one of another format, or one that holds more than
 *   data; DEVICE_UNAVAILABLE for tensors of a GPU that is not there.
 * @example
 * import { load, nn, save } from 'aiforge';
 * save(new nn.Linear(2, 1).stateDict(), '/tmp/linear.pt');
 * new nn.Linear(2, 1).loadStateDict(load('/tmp/linear.pt')).missingKeys; // []
 */
export function load<T = Record<string, Tensor>>(file: string, options: LoadOptions = {}): T {
  loadTakes.check('load', arguments);
  const { mapLocation = null } = options;
  return withFile(file, 'whole file of torch.save', (opened) => {
    try {
      return scope(() => read(opened, mapLocation)).value as T;
    } catch (cause) {
      if (cause instanceof AiforgeError && cause.code !== 'OPERATOR_FAILED') throw cause;
      // What a pickle that nobody's torch.save wrote leads to: a list of pairs that are none, nesting without end.
      throw opened.invalid((cause as Error).message, cause);
    }
  });
}
