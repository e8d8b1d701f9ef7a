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
  const refuse = (why: string): Parcel =>
    parcelOfError(new AiforgeError('INVALID_ARGUMENT', `${name}: the value cannot be sent: ${why}`));
  const place = tensorIn(value);
  if (place !== undefined) {
    return refuse(`${place} is a Tensor. Send tensors by broadcast, allGather or send, or as tolist().`);
  }
  try {
    return parcelOfBytes(serialize(value));
  } catch (error) {
    return refuse(
      `${(error as Error).message} Plain data, Map, Set, Date, BigInt, typed arrays and errors can be sent; functions, symbols and promises cannot.`,
    );
  }
}

/** Where the first tensor of a value is, such as `value.a[2]`; the clone would be an empty object. */
function tensorIn(value: unknown, place = 'value', seen = new Set<unknown>()): string | undefined {
  if (typeof value !== 'object' || value === null || seen.has(value) || ArrayBuffer.isView(value)) return undefined;
  if (Tensor.isTensor(value)) return place;
  seen.add(value);
  for (const [key, each] of partsOf(value)) {
    const found = tensorIn(each, place + key, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

function partsOf(value: object): [string, unknown][] {
  if (isMap(value)) {
    return [...value].flatMap(([key, each]): [string, unknown][] => [
      [' (a key)', key],
      [' (of a Map)', each],
    ]);
  }
  if (isSet(value)) return [...value].map((each) => [' (of a Set)', each]);
  if (Array.isArray(value)) return value.map((each, i) => [`[${i}]`, each]);
  return Object.entries(value).map(([key, each]) => [`.${key}`, each]);
}

/** What `rank` has sent. Throws `DISTRIBUTED_FAILED` where it had nothing to send. */
export function openBytes(name: string, rank: number, bytes: Uint8Array): Uint8Array {
  const content = bytes.subarray(1);
  if (bytes[0] === 1) return content;
  const why = Buffer.from(content).toString();
  throw new AiforgeError('DISTRIBUTED_FAILED', `${name} failed: rank ${rank} has sent nothing. It says: ${why}`);
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
      { cause: error },
    );
  }
}
