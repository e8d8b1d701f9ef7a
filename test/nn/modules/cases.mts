import { AiforgeError, arange, manualSeed, nn, rand, randn, type DType, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { reference } from '../../support/reference.mjs';
import { exact, type Exact } from '../../support/exact.mjs';

/** A layer that Python has too, and what to give it; see `test/reference/modules_norms.py`. */
export interface Case {
  module: keyof typeof nn;
  args?: unknown[];
  options?: Record<string, unknown>;
  /** The shapes of its inputs. */
  inputs: number[][];
  /** Their dtype. Default: float32. */
  dtype?: DType;
  /** How many training steps. Default: 1. */
  steps?: number;
}

interface Outcome {
  refused?: string;
  repr?: string;
  keys?: string[];
  tensors?: (Exact | null)[];
}

type AnyModule = nn.Module & { forward(...inputs: Tensor[]): Tensor };

function make({ module, args = [], options }: Case): AnyModule {
  const Layer = nn[module] as unknown as new (...args: unknown[]) => AnyModule;
  return new Layer(...args, ...(options === undefined || Object.keys(options).length === 0 ? [] : [options]));
}

function ramp(like: Tensor): Tensor {
  return arange(like.numel()).remainder(7).sub(3).to(like.dtype).div(4).reshape(like.shape);
}

function step(module: AnyModule, { inputs, dtype = 'float32' }: Case): (Tensor | null)[] {
  const leaves = inputs.map((shape) => randn(shape, { dtype }).requiresGrad_());
  const output = module.forward(...leaves.map((tensor) => tensor.clone()));
  module.zeroGrad();
  output.backward({ gradient: ramp(output) });
  const gradients = [...leaves, ...module.parameters()].map((tensor) => tensor.grad);
  return [output, ...gradients, ...module.buffers()];
}

/** Undefined when `body` is refused with an argument's error. */
function unlessRefused<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    if (error instanceof AiforgeError) return undefined;
    throw error;
  }
}

function run(given: Case): Outcome {
  manualSeed(0);
  const module = unlessRefused(() => make(given));
  if (module === undefined) return { refused: 'constructor' };
  const values = (tensors: (Tensor | null)[]): (Exact | null)[] =>
    tensors.map((tensor) => (tensor === null ? null : exact(tensor)));
  const isLazy = given.module.startsWith('Lazy');
  const tensors = isLazy ? [] : values(Object.values(module.stateDict()));
  const finished = unlessRefused(() => {
    for (let i = 0; i < (given.steps ?? 1); ++i) tensors.push(...values(step(module, given)));
    module.eval();
    return tensors.push(...values([...step(module, given), rand([1])]));
  });
  if (finished === undefined) return { refused: 'forward' };
  return { repr: String(module), keys: Object.keys(module.stateDict()), tensors };
}

/** Runs every case here and in Python: both refuse it, this no later than Python, or print and compute the same. */
export function expectAsInPython(context: Mocha.Context, cases: readonly Case[]): void {
  const expected = JSON.parse(reference(context, 'modules_norms.py', JSON.stringify(cases))) as Outcome[];
  cases.forEach((given, i) => {
    const outcome = run(given);
    if (outcome.refused === 'constructor' && expected[i]!.refused === 'forward') return;
    expect(outcome, JSON.stringify(given)).to.deep.equal(expected[i]);
  });
}

/** Each of `options` with each shape of an input. */
export function combine(
  module: Case['module'],
  args: unknown[],
  options: Record<string, unknown>[],
  shapes: number[][],
  rest: Partial<Case> = {},
): Case[] {
  return options.flatMap((each) => shapes.map((shape) => ({ module, args, options: each, inputs: [shape], ...rest })));
}
