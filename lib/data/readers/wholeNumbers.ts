import { fromBuffer, scope, type Tensor } from '../../tensor/index.js';

/** What a whole number counts where it is a time: of dates days since 1970, of times of day and timestamps seconds or parts of them. */
export type TimeUnit = 'days' | 's' | 'ms' | 'us' | 'ns';

/** Whole numbers without sign, of 16 bits, as int32. */
export function narrowUnsigned(bytes: Uint8Array): Tensor {
  return scope(() => fromBuffer(bytes, { dtype: 'int16' }).to('int32').bitwiseAnd(0xffff));
}

/** Whole numbers without sign, of 32 bits, as int64. */
export function unsigned32(bytes: Uint8Array): Tensor {
  return scope(() => fromBuffer(bytes, { dtype: 'int32' }).to('int64').bitwiseAnd(0xffffffff));
}

/** Whole numbers without sign, of 64 bits, as int64. Throws a RangeError for one that it cannot hold. */
export function unsigned64(bytes: Uint8Array): Tensor {
  const values = fromBuffer(bytes, { dtype: 'int64' });
  if (!scope(() => values.lt(0).any().item<boolean>())) return values;
  values.dispose();
  throw new RangeError(
    'a whole number without sign is beyond 2^63 - 1, which int64 cannot hold; cast the column to double when writing',
  );
}
