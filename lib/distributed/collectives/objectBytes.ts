import { Buffer } from 'node:buffer';
import { isProxy } from 'node:util/types';
import { deserialize, serialize } from 'node:v8';
import { AiforgeError } from '../../errors.js';
import { isError } from '../../realms.js';
import { show } from '../../show.js';
import { Tensor } from '../../tensor/tensor.js';
import { isNestedDeeper } from './nesting.js';

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
    const bytes = serialize(value);
    requireReadable(value, bytes);
    return parcelOfBytes(bytes);
  } catch (error) {
    const message =
      `${name}: the value cannot be sent: ${reasonOf(error, value)}. Plain data, Map, Set, Date, BigInt, typed arrays and ` +
      'errors can be sent; functions, symbols and promises cannot; tensors go by broadcast, allGather or send.';
    return parcelOfError(new AiforgeError('INVALID_ARGUMENT', message, { cause: error }));
  }
}

/** Reading takes more of the stack than writing. Below so many levels it never takes too much; each has some bytes. */
const safeLevels = 1000;
const leastBytes = 3;

/** Throws where the other ranks could not read a value: it is nested too deeply. */
function requireReadable(value: unknown, bytes: Uint8Array): void {
  if (bytes.length > leastBytes * safeLevels && isNestedDeeper(value, safeLevels)) deserialize(bytes);
}

const isTooDeep = (error: unknown): boolean => error instanceof RangeError && /call stack/.test(error.message);

/** Why a value is none that is sent, without a full stop. */
function reasonOf(error: unknown, value: unknown): string {
  if (Tensor.isTensor(value)) return 'it is a Tensor';
  if (isProxy(value)) return 'it is a proxy';
  if (!isError(error)) return `reading it threw ${show(error)}`;
  if (error.message.includes('a Tensor,')) return 'a Tensor is in it';
  if (isTooDeep(error)) return 'it is nested too deeply';
  const reason = error.message.replace(/\.$/, '');
  return reason.endsWith('could not be cloned') ? reason : `reading it threw '${reason}'`;
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
    const reason = (error as Error).message.replace(/\.$/, '');
    const why = isTooDeep(error) ? 'it is nested too deeply.' : `${reason}. Run the same release of Node on all ranks.`;
    throw new AiforgeError('DISTRIBUTED_FAILED', `${name} failed: what rank ${rank} has sent cannot be read: ${why}`, {
      op: name,
      cause: error,
    });
  }
}
