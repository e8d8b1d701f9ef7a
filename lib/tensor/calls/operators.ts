import { native, ownArray } from '../../native.js';
import { dispatch, overload, type Overload } from './dispatch.js';
import { Kind } from './schema.js';
import { nothing, signature } from '../../signature.js';
import { string } from '../../kinds.js';
import { AiforgeError } from '../../errors.js';
import { publicForms, publicOperators } from '../generated/reach.js';

/** Any operator by its schema's name; see `ops.aten`. */
export type AtenOperator = (...args: unknown[]) => unknown;

const bound = new Map<string, AtenOperator>();
let packets: Map<string, string[]> | undefined;

/** The overloads of each base name. */
function overloadsOf(base: string): string[] | undefined {
  if (packets === undefined) {
    packets = new Map();
    for (const name of native.operatorNames().sort()) {
      const key = name.split('.')[0]!;
      packets.set(key, [...(packets.get(key) ?? []), name]);
    }
  }
  return packets.get(base);
}

// Tensors are tried before numbers, and shorter forms before longer ones.
function rank({ schema }: Overload): number {
  const required = schema.parameters.filter((p) => p.isRequired);
  const tensors = required.filter((p) => p.kind === Kind.Tensor);
  return required.length * 100 - tensors.length * 10 + schema.parameters.length;
}

function resolve(name: string, asLinked: boolean): Overload[] {
  const base = name.replace(/^aten::/, '');
  const packet = base.includes('.') || base.includes('::') ? undefined : overloadsOf(base);
  const names = packet ?? [name.replace(/\.default$/, '')];
  for (const each of names) native.schema(each);
  const first = native.registerOperators(names, asLinked);
  const overloads = names.map((each, i) => overload(first + i, each));
  return packet === undefined ? overloads : overloads.sort((a, b) => rank(a) - rank(b));
}

/** @internal The operator of that name; `asLinked`: whatever its schema is in the linked LibTorch. */
export function bind(name: string, asLinked: boolean): AtenOperator {
  const overloads = resolve(name, asLinked);
  return (...args) => dispatch(name, overloads, args);
}

/** Refuses what is no part of PyTorch's public interface, until `ops.unsafe()` lets it be called. */
function checkReach(name: string): void {
  const base = name.replace(/^aten::/, '').replace(/\..*$/, '');
  if (publicOperators.has(base) || native.takesInnerOperators()) return;
  const form = publicForms.get(base);
  throw new AiforgeError(
    'OPERATOR_UNSAFE',
    `ops.aten: '${name}' is no part of PyTorch's public interface: it takes its arguments unchecked, and wrong ones can end the ` +
      `process. ${form === undefined ? 'Use the public function that it is a step of' : `Use ${form}`}, or call ops.unsafe() first.`,
  );
}

const atenTakes = signature({ name: string });

/** LibTorch's operators in their raw form; everything else in aiforge stands on them. */
export const ops = {
  /**
   * The operator `name` as a function of its schema's arguments: positional ones first, then an options object for any
   * of them by name in camelCase. As in Python's `torch.ops.aten`, `'add.Tensor'` and `'sum.default'` are one overload, and
   * `'add'` is whichever of them the arguments fit.
   *
   * @throws AiforgeError UNKNOWN_OPERATOR when LibTorch has none of that name; OPERATOR_UNSAFE for one that Python has under no
   *   public name, such as `_softmax`, before `ops.unsafe()`.
   * @example
   * import { ops, ones } from 'aiforge';
   * const add = ops.aten('add.Tensor');
   * add(ones(2), ones(2), { alpha: 3 }); // tensor([4., 4.])
   */
  aten(name: string): AtenOperator {
    atenTakes.check('ops.aten', arguments);
    let operator = bound.get(name);
    if (operator === undefined) {
      operator = bind(name, true);
      checkReach(name);
      bound.set(name, operator);
    }
    return operator;
  },

  /**
   * From now on `aten` gives every operator, in every thread of the process: also steps of others, those of one backend, and
   * gradients. LibTorch does not check what they are given: wrong arguments can read and write beyond a tensor's memory or end
   * the process.
   *
   * @example
   * import { ones, ops } from 'aiforge';
   * ops.unsafe();
   * ops.aten('_softmax')(ones(2), 0, false); // tensor([0.5000, 0.5000])
   */
  unsafe(): void {
    nothing.check('ops.unsafe', arguments);
    native.takeInnerOperators();
  },

  /** The schema of every `aten::` operator of the linked LibTorch, as text. */
  schemas(): string[] {
    nothing.check('ops.schemas', arguments);
    return ownArray(native.operatorNames()).map((name) => native.schema(name).schema);
  },
};
