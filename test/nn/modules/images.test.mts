import { inspect } from 'node:util';

import { manualSeed, rand, randn, viewAsReal, type DType, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { exact, type Exact } from '../../support/exact.mjs';
import { camelKeys } from '../reference.mjs';
import { reference } from '../../support/reference.mjs';

interface Case {
  name: string;
  args: unknown[];
  options: Record<string, unknown>;
  shape: number[];
  how: { channels_last?: boolean; reset?: boolean; pooled?: boolean; dtype?: DType; call?: Record<string, unknown> };
  repr: string;
  outputs: Exact[];
  strides: number[];
  state: Record<string, Exact>;
  inputGradient: Exact;
  gradients: Record<string, Exact>;
  next: Exact;
}

interface Callable extends nn.Module {
  forward(...args: unknown[]): Tensor | [Tensor, Tensor];
  resetParameters?(): void;
}
const layers = nn as unknown as Record<string, new (...args: unknown[]) => Callable>;

const bits = (tensor: Tensor): Exact =>
  tensor.dtype === 'complex64'
    ? { ...exact(viewAsReal(tensor.detach())), shape: tensor.shape, dtype: tensor.dtype }
    : exact(tensor);
const allBits = (entries: Iterable<[string, Tensor]>): Record<string, Exact> =>
  Object.fromEntries(Array.from(entries, ([name, tensor]) => [name, bits(tensor)]));

const infinities: Record<string, number> = { inf: Infinity, '-inf': -Infinity };
const number = (value: unknown): unknown => infinities[String(value)] ?? value;

function run({ name, args, options, shape, how }: Case): Omit<Case, 'name' | 'args' | 'options' | 'shape' | 'how'> {
  manualSeed(0);
  const given = (extra: object): unknown[] => [...args.map(number), { ...camelKeys(options), ...extra }];
  const module = new layers[name]!(...(Object.keys(options).length > 0 ? given({}) : args.map(number)));
  const dtype = (how.dtype ?? options.dtype ?? 'float32') as DType;
  let inputs = [randn(shape, { dtype })];
  if (how.channels_last === true) {
    const memoryFormat = shape.length === 4 ? 'channels_last' : 'channels_last_3d';
    inputs = inputs.map((input) => input.contiguous({ memoryFormat }));
    module.to({ memoryFormat });
  }
  if (how.reset === true) module.resetParameters!();
  if (how.pooled === true) {
    const pool = new layers[name.replace('Unpool', 'Pool')]!(...given({ returnIndices: true }));
    inputs = pool.forward(...inputs) as [Tensor, Tensor];
  }
  const [input] = inputs as [Tensor];
  input.requiresGrad_();
  const output = module.forward(...inputs, ...(how.call === undefined ? [] : [camelKeys(how.call)]));
  const outputs = Array.isArray(output) ? output : [output];
  const [first] = outputs as [Tensor];
  first.backward({ gradient: randn(first.shape, { dtype }) });
  return {
    repr: String(module),
    outputs: outputs.map(bits),
    strides: [...first.stride()],
    state: allBits(Object.entries(module.stateDict())),
    inputGradient: bits(input.grad!),
    gradients: allBits(Array.from(module.namedParameters(), ([key, { grad }]) => [key, grad!])),
    next: bits(rand([1])),
  };
}

describe('layers of convolution, pooling, padding and images', function () {
  this.timeout(120_000);

  it("have PyTorch's bits, keys and text", function () {
    const cases = JSON.parse(reference(this, 'modules_conv.py')) as Case[];
    for (const recorded of cases) {
      const { name, args, options, shape, how, ...expected } = recorded;
      const what = inspect([name, args, options, shape, how], { depth: 4, breakLength: Infinity });
      expect(run(recorded), what).to.deep.equal(expected);
    }
  });
});
