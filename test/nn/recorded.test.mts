import { manualSeed, rand, randint, tensor, type NestedArray, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { fromExact, type Exact } from '../support/exact.mjs';
import { expectExact, recorded } from '../support/recorded.mjs';
import { camelCase, camelKeys } from './reference.mjs';

interface ModuleCase {
  name: string;
  module: string;
  args: unknown[];
  options: Record<string, unknown>;
  call: Record<string, unknown>;
  training: boolean;
  state: Record<string, Exact>;
  inputs: Exact[];
  outputs: (Exact | null)[];
  grad_output: Exact;
  input_grads: (Exact | null)[];
  parameter_grads: Record<string, Exact | null>;
  next: Exact;
}

interface LossCase {
  loss: string;
  options: Record<string, unknown>;
  target_kind: string;
  inputs: [Exact, Exact];
  output: Exact;
  input_grad: Exact;
}

interface InitCase {
  init: string;
  shape: number[];
  options: Record<string, unknown>;
  tensor: Exact;
  next: Exact;
}

interface Recording {
  modules: ModuleCase[];
  sequential: Omit<ModuleCase, 'module' | 'args' | 'options' | 'call' | 'training'>;
  losses: LossCase[];
  init: InitCase[];
  gains: Record<string, number>;
}

type Constructor = new (...args: unknown[]) => nn.Module;
const layers = nn as unknown as Record<string, Constructor>;

const asTensors = (options: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(camelKeys(options)).map(([name, value]) => [
      name,
      Array.isArray(value) ? tensor(value as NestedArray) : value,
    ]),
  );

const values = (shape: number[]): Tensor => rand(shape).mul(4).sub(2).requiresGrad_();

// Draws what the recording drew, so that a layer which drew too much or too little is found out.
function draw({ shape, dtype }: Exact, high: number): Tensor {
  return dtype === 'int64' ? randint(high, shape) : values(shape);
}

const highOf: Record<string, number> = { embedding: 10, embedding_padding_idx: 3 };

function expectGradients(module: nn.Module, expected: Record<string, Exact | null>): void {
  const gradients = Object.fromEntries(Array.from(module.namedParameters(), ([name, { grad }]) => [name, grad]));
  expect(Object.keys(gradients)).to.deep.equal(Object.keys(expected));
  for (const [name, gradient] of Object.entries(gradients))
    expectExact(gradient, expected[name]!, `gradient of ${name}`);
}

function expectState(module: nn.Module, expected: Record<string, Exact>): void {
  const state = module.stateDict();
  expect(Object.keys(state)).to.deep.equal(Object.keys(expected));
  for (const [name, value] of Object.entries(state)) expectExact(value, expected[name]!, name);
}

function forward(module: nn.Module, inputs: Tensor[], options: Record<string, unknown>): (Tensor | null)[] {
  const isAttention = module instanceof nn.MultiheadAttention;
  const given = isAttention && inputs.length === 1 ? [inputs[0], inputs[0], inputs[0]] : inputs;
  const call = module.forward.bind(module) as (...args: unknown[]) => Tensor | (Tensor | null)[];
  const result = call(...given, ...(isAttention ? [asTensors(options)] : []));
  return Array.isArray(result) ? result : [result];
}

function checkModule(record: ModuleCase): void {
  manualSeed(0);
  const options = Object.keys(record.options).length > 0 ? [camelKeys(record.options)] : [];
  const module = new layers[record.module]!(...record.args, ...options).train(record.training);
  expectState(module, record.state);
  const inputs = record.inputs.map((input) => draw(input, highOf[record.name] ?? 0));
  inputs.forEach((input, i) => expectExact(input, record.inputs[i]!, `input ${i}`));
  const outputs = forward(module, inputs, record.call);
  outputs.forEach((output, i) => expectExact(output, record.outputs[i]!, `output ${i}`));
  if (outputs[0]!.requiresGrad) outputs[0]!.backward({ gradient: fromExact(record.grad_output) });
  inputs.forEach((input, i) => expectExact(input.grad, record.input_grads[i]!, `gradient of input ${i}`));
  expectGradients(module, record.parameter_grads);
  expectExact(rand([1]), record.next, 'the random number after');
}

describe('nn against PyTorch', () => {
  const recording = recorded<Recording>('nn');

  for (const record of recording.modules) it(`${record.module}: ${record.name}`, () => checkModule(record));

  it('Sequential', () => {
    const record = recording.sequential;
    manualSeed(0);
    const module = new nn.Sequential(
      new nn.Linear(5, 8),
      new nn.ReLU(),
      new nn.Dropout(0.5),
      new nn.Linear(8, 2),
      new nn.LayerNorm(2),
      new nn.GELU(),
    );
    expectState(module, record.state);
    const x = values([3, 5]);
    const output = module.forward(x);
    expectExact(output, record.outputs[0]!, 'output');
    output.backward({ gradient: fromExact(record.grad_output) });
    expectExact(x.grad, record.input_grads[0]!, 'gradient of the input');
    expectGradients(module, record.parameter_grads);
    expectExact(rand([1]), record.next, 'the random number after');
  });

  for (const record of recording.losses) {
    it(`${record.loss} of ${record.target_kind}: ${JSON.stringify(record.options)}`, () => {
      const loss = new layers[record.loss]!(asTensors(record.options)) as nn.Loss;
      const prediction = fromExact(record.inputs[0]).requiresGrad_();
      const result = loss.forward(prediction, fromExact(record.inputs[1]));
      expectExact(result, record.output, 'loss');
      const upstream = Float32Array.from({ length: result.numel() }, (_, i) => ((i % 7) - 3) / 4);
      if (result.dim() === 0) result.backward();
      else result.backward({ gradient: tensor(upstream).view(result.shape) });
      expectExact(prediction.grad, record.input_grad, 'gradient');
    });
  }

  for (const record of recording.init) {
    it(`init.${record.init} ${JSON.stringify(record.options)}`, () => {
      manualSeed(0);
      const initialise = nn.init[camelCase(record.init) as keyof typeof nn.init] as (
        t: Tensor,
        options: unknown,
      ) => Tensor;
      const made = tensor(new Float32Array(record.shape.reduce((a, b) => a * b))).view(record.shape);
      const options = Object.keys(record.options).length > 0 ? camelKeys(record.options) : undefined;
      expect(initialise(made, options)).to.equal(made);
      expectExact(made, record.tensor, record.init);
      expectExact(rand([1]), record.next, 'the random number after');
    });
  }

  it('calculates PyTorch’s gains', () => {
    for (const [name, gain] of Object.entries(recording.gains)) {
      expect(nn.init.calculateGain(name as 'relu'), name).to.equal(gain);
    }
  });
});
