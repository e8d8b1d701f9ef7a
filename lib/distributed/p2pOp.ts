import { kind, oneOf, whole, type Kind } from '../kinds.js';
import { isOptions } from '../signature.js';
import { tensorKind } from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';

/** A send or a receive of {@link ProcessGroup.batchIsendIrecv}, as Python's `P2POp`. */
export interface P2POp {
  op: 'isend' | 'irecv';
  /** What is sent, or filled. */
  tensor: Tensor;
  /** The other rank. */
  peer: number;
  /** Default: 0. */
  tag?: number;
}

const opKind = oneOf('isend', 'irecv');
const names = new Set(['op', 'tensor', 'peer', 'tag']);

export const operationKind: Kind<P2POp> = kind(
  "{ op: 'isend' or 'irecv', tensor, peer, tag }",
  (value) =>
    isOptions(value) &&
    Object.keys(value).every((name) => names.has(name)) &&
    opKind.accepts(value.op) &&
    tensorKind.accepts(value.tensor) &&
    whole.accepts(value.peer) &&
    (value.tag === undefined || whole.accepts(value.tag)),
);
