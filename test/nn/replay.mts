import { autograd, manualSeed, rand, tensor, type DType, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { camelCase } from './reference.mjs';

/** A tensor by its bytes; a sparse one by those of its dense form. */
export interface Bytes {
  shape: number[];
  dtype: DType;
  hex: string;
  sparse?: true;
}

type Encoded = { tensor: Bytes; grad: boolean } | { settings: Record<string, unknown> };

/** What Python's module did: how it was made and called, and all that came out of it. */
export interface Recorded {
  module: string;
  args: unknown[];
  options: Record<string, unknown>;
  dtype?: DType;
  inputs: unknown[];
  repr: string;
  state: Record<string, Bytes>;
  outputs: Bytes[];
  input_grads: (Bytes | null)[];
  parameter_grads: Record<string, Bytes | null>;
  after: Record<string, Bytes>;
  next: Bytes;
}

export function toBytes(value: Tensor): Bytes {
  const dense = value.isSparse ? value.detach().toDense() : value.detach();
  const data = dense.contiguous().reshape([-1]).view('uint8').toTypedArray() as Uint8Array;
  const found = { shape: dense.shape, dtype: dense.dtype, hex: Buffer.from(data).toString('hex') };
  return value.isSparse ? { ...found, sparse: true } : found;
}

export function fromBytes({ shape, dtype, hex }: Bytes): Tensor {
  return tensor(Uint8Array.from(Buffer.from(hex, 'hex')))
    .view(dtype)
    .reshape(shape);
}

const camelKeys = (options: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [camelCase(name), value]));

function decode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const encoded = value as Encoded;
  if ('settings' in encoded) return new nn.LinearCrossEntropyOptions(camelKeys(encoded.settings));
  const made = fromBytes(encoded.tensor);
  return encoded.grad ? made.requiresGrad_() : made;
}

const ramp = (like: Tensor): Tensor =>
  tensor(Float32Array.from({ length: like.numel() }, (_, i) => ((i % 7) - 3) / 4))
    .reshape(like.shape)
    .to(like.dtype);

const state = (module: nn.Module): Record<string, Bytes> =>
  Object.fromEntries(Object.entries(module.stateDict()).map(([key, value]) => [key, toBytes(value)]));

const gradient = (value: unknown): Bytes | null => {
  const grad = (value as Tensor | null)?.grad ?? null;
  return grad === null ? null : toBytes(grad);
};

type Constructor = new (...args: unknown[]) => nn.Module;

/** Makes the same module from the same seed, calls it with the same inputs, and expects the same of it, bit by bit. */
export function replay(record: Recorded): void {
  manualSeed(0);
  const options = Object.entries(camelKeys(record.options)).map(([name, value]) => [name, decode(value)]);
  const given = { ...(Object.fromEntries(options) as object), ...(record.dtype && { dtype: record.dtype }) };
  const module = new (nn as unknown as Record<string, Constructor>)[record.module]!(...record.args, given);
  expect(String(module)).to.equal(record.repr);
  expect(Object.keys(state(module)), 'keys').to.deep.equal(Object.keys(record.state));
  expect(state(module), 'state').to.deep.equal(record.state);
  const inputs = record.inputs.map(decode);
  const result = (module.forward as (...args: unknown[]) => Tensor | Tensor[]).call(module, ...inputs);
  const outputs = Array.isArray(result) ? result : [result];
  expect(outputs.map(toBytes), 'outputs').to.deep.equal(record.outputs);
  autograd.backward(outputs, outputs.map(ramp));
  const leaves = inputs.map((input) => (typeof input === 'object' && !Array.isArray(input) ? gradient(input) : null));
  expect(leaves, 'gradients of the inputs').to.deep.equal(record.input_grads);
  const parameters = Array.from(module.namedParameters(), ([name, value]) => [name, gradient(value)]);
  expect(Object.fromEntries(parameters), 'gradients of the parameters').to.deep.equal(record.parameter_grads);
  expect(state(module), 'state after').to.deep.equal(record.after);
  expect(toBytes(rand([1])), 'the next random number').to.deep.equal(record.next);
}
