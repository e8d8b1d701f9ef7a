import { native } from '../native.js';
import { dispatch, overload } from './dispatch.js';

/** Any operator by its schema's name; see `ops.aten`. */
export type AtenOperator = (...args: unknown[]) => unknown;

const bound = new Map<string, AtenOperator>();

/** LibTorch's operators in their raw form; everything else in aiforge stands on them. */
export const ops = {
  /**
   * The operator `name`, such as `'add.Tensor'`, as a function of its schema's arguments: positional ones first, then an
   * options object for keyword-only ones, in camelCase. Throws UNKNOWN_OPERATOR when LibTorch has none of that name.
   *
   * @example
   * import { ops, ones } from 'aiforge';
   * const add = ops.aten('add.Tensor');
   * add(ones(2), ones(2), { alpha: 3 }); // tensor([4., 4.])
   */
  aten(name: string): AtenOperator {
    let operator = bound.get(name);
    if (operator === undefined) {
      native.schema(name);
      const overloads = [overload(native.registerOperators([name]), name)];
      operator = (...args) => dispatch(name, overloads, args);
      bound.set(name, operator);
    }
    return operator;
  },

  /** The schema of every `aten::` operator of the linked LibTorch, as text. */
  schemas(): string[] {
    return native.operatorNames().map((name) => native.schema(name).schema);
  },
};
