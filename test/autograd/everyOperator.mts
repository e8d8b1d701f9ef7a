// Calls every operator with tensors of a function transform. Run by escape.test.mts in a process of its own, which must
// come to its end: `node everyOperator.mjs <where>`.
import { arange, func, vmap, type Tensor } from 'aiforge';
import { native } from '#lib/native.js';
import { Kind } from '#lib/tensor/calls/schema.js';
import * as internals from '#lib/tensor/tensor.js';

// Not part of the typed surface.
const { handleOf } = internals as unknown as { handleOf: (tensor: Tensor) => number };

const values: Record<Kind, unknown> = {
  [Kind.Tensor]: undefined,
  [Kind.Int]: 1,
  [Kind.Float]: 0.5,
  [Kind.Bool]: false,
  [Kind.Scalar]: 1,
  [Kind.String]: 'mean',
  [Kind.ScalarType]: 'float32',
  [Kind.Layout]: 'strided',
  [Kind.MemoryFormat]: 'contiguous_format',
  [Kind.Device]: 'cpu',
  [Kind.Generator]: null,
  [Kind.QScheme]: null,
  [Kind.Unsupported]: null,
};

const plain = arange(6, { dtype: 'float32' }).view(2, 3);

// Private operators reach kernels that trust their arguments; after vmap none is reached.
function callAll(wrapped: Tensor, withPrivate: boolean): { called: number; refused: number } {
  const names = native.operatorNames().filter((name) => withPrivate || !name.startsWith('_'));
  const first = native.registerOperators(names);
  const counts = { called: 0, refused: 0 };
  for (const [i, name] of names.entries()) {
    for (const second of [wrapped, plain]) {
      const args = native.schema(name).arguments.map(({ kind, isList, listSize, hasDefault }) => {
        if (hasDefault) return undefined;
        if (kind === Number(Kind.Tensor)) {
          return isList ? Float64Array.of(handleOf(wrapped), handleOf(second)) : handleOf(wrapped);
        }
        const value = values[kind as Kind];
        return isList ? new Array<unknown>(Math.max(1, listSize)).fill(value) : value;
      });
      ++counts.called;
      try {
        native.call(first + i, ...args);
      } catch {
        ++counts.refused;
      }
    }
  }
  return counts;
}

let counts = { called: 0, refused: 0 };
let escaped: Tensor | undefined;
switch (process.argv[2] as 'after vmap' | 'after grad' | 'inside vmap' | 'inside vmap of grad') {
  case 'after vmap':
    vmap((slice: Tensor) => (escaped = slice))(plain);
    counts = callAll(escaped!, true);
    break;
  case 'after grad':
    func.grad((x: Tensor) => (escaped = x.mul(2)).sum())(plain);
    counts = callAll(escaped!, false);
    break;
  case 'inside vmap':
    vmap((slice: Tensor) => void (counts = callAll(slice, false)), { randomness: 'different', outDims: null })(plain);
    break;
  case 'inside vmap of grad': {
    const loss = (x: Tensor): Tensor => {
      counts = callAll(x.mul(2), false);
      return x.sum();
    };
    vmap(func.grad(loss), { randomness: 'different' })(plain);
    break;
  }
}
console.log(`${counts.called} calls, ${counts.refused} refused`);
