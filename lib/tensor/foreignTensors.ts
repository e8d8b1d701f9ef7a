// Tensors of another copy of the library over the same addon: test runners give each file a copy of its own.
import { brand, brandOf } from '../brand.js';
import { mirror, native, type Handle } from '../native.js';
import { isRevoked } from '../realms.js';

/** The handle of what is a tensor of one copy; null for anything else. */
type HandleOf = (value: object) => Handle | null;

/** What a copy of the library tells the others of its tensors: their brand has it. */
interface TensorCopy {
  readonly addon: unknown;
  readonly handleOf: HandleOf;
}

const copies = mirror('copies', () => ({ count: 0 }));
const tensorBrand = brandOf('Tensor');

/** Tells the other copies how to read the tensors of this one. */
export function introduce(type: { readonly prototype: object }, handleOf: HandleOf): void {
  ++copies.count;
  const copy: TensorCopy = { addon: native, handleOf };
  brand(type, 'Tensor', copy);
}

/** The handle of another copy's tensor; null for anything else. */
export function foreignHandle(value: object): Handle | null {
  if (copies.count === 1) return null;
  try {
    const copy = (value as Record<symbol, Partial<TensorCopy> | undefined>)[tensorBrand];
    return copy?.addon === native ? copy.handleOf!(value) : null;
  } catch (error) {
    if (isRevoked(error)) return null;
    throw error;
  }
}
