import { nn } from 'aiforge';
import { expect } from 'chai';

import { reference } from '../../support/reference.mjs';

/** The public names of torch.nn.functional. */
interface Names {
  functions: string[];
  others: string[];
}

const imported = 'a module or a name of another one that its source imports';
const dispatching = 'part of how Python dispatches to subclasses of Tensor';

/** Names that have no counterpart, and why. */
const absent: Record<string, string> = {
  BroadcastingList1: 'a type of TorchScript',
  BroadcastingList2: 'a type of TorchScript',
  BroadcastingList3: 'a type of TorchScript',
  Callable: imported,
  DType: imported,
  GRID_SAMPLE_INTERPOLATION_MODES: 'a table of the implementation: gridSample takes the names',
  GRID_SAMPLE_PADDING_MODES: 'a table of the implementation: gridSample takes the names',
  Optional: imported,
  ScalingType: 'an enumeration: scaledMm takes the names, which are a type',
  SwizzleType: 'an enumeration: scaledMm takes the names, which are a type',
  TYPE_CHECKING: imported,
  Tensor: imported,
  assert_int_or_pair: 'a check of the implementation, which TypeScript does',
  boolean_dispatch: 'TorchScript: chooses between functions with and without indices',
  dataclasses: imported,
  grad: imported,
  handle_torch_function: dispatching,
  has_torch_function: dispatching,
  has_torch_function_unary: dispatching,
  has_torch_function_variadic: dispatching,
  importlib: imported,
  math: imported,
  np: imported,
  reproducibility_notes: 'text for docstrings',
  sparse_support_notes: 'text for docstrings',
  tf32_notes: 'text for docstrings',
  torch: imported,
  warnings: imported,
};

const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

describe('the names of nn.functional', () => {
  it("are Python's, but for those that are listed with a reason, and no others", function () {
    const { functions, others } = JSON.parse(reference(this, 'functional_names.py')) as Names;
    const here = Object.keys(nn.functional);
    const missing = [...functions, ...others].filter((name) => !here.includes(camelCase(name)));
    expect(missing.sort()).to.deep.equal(Object.keys(absent).sort());
    const known = new Set(functions.map(camelCase));
    expect(here.filter((name) => !known.has(name))).to.deep.equal([]);
  });
});
