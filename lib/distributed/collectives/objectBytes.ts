import { Buffer } from 'node:buffer';
import { deserialize, serialize } from 'node:v8';
import { AiforgeError } from '../../errors.js';
import { isMap, isSet } from '../../realms.js';
import { Tensor } from '../../tensor/tensor.js';

// What goes to the other ranks begins with a byte that says what follows: what was sent, or why nothing could be.
const sentByte = Buffer.of(1);
const failedByte = Buffer.of(0);

/** What a rank sends: bytes for the others and, where there is nothing to send, the error for itself. */
export interface Parcel {
  bytes: Uint8Array;
  error?: AiforgeError;
}

/** Bytes as they are. */
export const parcelOfBytes = (bytes: Uint8Array): Parcel => ({ bytes: Buffer.concat([sentByte, bytes]) });

/** Tells the others that this rank has nothing to send, so that they do not wait. */
export function parcelOfError(error: AiforgeError): Parcel {
  return { bytes: Buffer.concat([failedByte, Buffer.from(error.message)]), error };
}

/** A value as the structured clone algorithm carries it: data, never code. */
export function parcelOf(name: string, value: unknown): Parcel {
  try {
    const place = tensorIn(value, 'value', new Set());
    if (place === undefined) return parcelOfBytes(serialize(value));
    return refusal(name, `${place} is a Tensor. Send tensors by broadcast, allGather or send, or as tolist().`);
  } catch (error) {
    return refusal(
      name,
      `${(error as Error).message} Plain data, Map, Set, Date, BigInt, typed arrays and errors can be sent; functions, symbols and promises cannot.`,
    );
  }
}

function refusal(name: string, why: string): Parcel {
  return parcelOfError(new AiforgeError('INVALID_ARGUMENT', `${name}: the value cannot be sent: ${why}`));
}

/** Where the first tensor of a value is, such as `value.a[2]`; its clone would be an empty object. */
function tensorIn(value: unknown, place: string, seen: Set<object>): string | undefined {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return undefined;
  if (Tensor.isTensor(value)) return place;
  seen.add(value);
  for (const [where, each] of partsOf(value)) {
    const found = tensorIn(each, place + where, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The objects in an object, with where they are. */
function* partsOf(value: object): Iterable<[string, object]> {
  const isObject = (each: unknown): each is object => typeof each === 'object' && each !== null;
  if (isMap(value)) {
    for (const [key, each] of value) {
      if (isObject(key)) yield [' (a key)', key];
      if (isObject(each)) yield [` (of a Map)`, each];
    }
  } else if (isSet(value)) {
    for (const each of value) if (isObject(each)) yield [' (of a Set)', each];
  } else if (Array.isArray(value)) {
    for (const [i, each] of value.entries()) if (isObject(each)) yield [`[${i}]`, each];
  } else {
    for (const [key, each] of Object.entries(value)) if (isObject(each)) yield [`.${key}`, each];
  }
}

/** What `rank` has sent. Throws `DISTRIBUTED_FAILED` where it had nothing to send. */
export function openBytes(name: string, rank: number, bytes: Uint8Array): Uint8Array {
  const content = bytes.subarray(1);
  if (bytes[0] === 1) return content;
  const why = Buffer.from(content).toString();
  throw new AiforgeError('DISTRIBUTED_FAILED', `${name} failed: rank ${rank} has sent nothing. It says: ${why}`, {
    op: name,
  });
}

/** The value that `rank` has sent. */
export function openObject(name: string, rank: number, bytes: Uint8Array): unknown {
  const content = openBytes(name, rank, bytes);
  try {
    return deserialize(content);
  } catch (error) {
    throw new AiforgeError(
      'DISTRIBUTED_FAILED',
      `${name} failed: what rank ${rank} has sent cannot be read: ${(error as Error).message} Run the same release of Node on all ranks.`,
      { op: name, cause: error },
    );
  }
}
