import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { empty, eye, load, save, Tensor, viewAsReal } from 'aiforge';
import { expect } from 'chai';

import { reference } from '../support/reference.mjs';

type Described = Record<string, unknown>;

function numbers(tensor: Tensor): unknown {
  let plain = tensor.detach().resolveConj().resolveNeg();
  if (plain.isQuantized) plain = plain.dequantize();
  if (plain.layout !== 'strided') plain = plain.toDense();
  if (plain.dtype === 'float4_e2m1fn_x2') plain = plain.view('uint8');
  if (plain.isComplex()) plain = viewAsReal(plain);
  return plain.to('float64').tolist();
}

/** As `describe` of test/reference/torch_kinds.py. */
function described(value: unknown): unknown {
  if (typeof value === 'bigint') return { int: String(value) };
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Tensor) {
    const { dtype, shape, layout, device, requiresGrad: grad } = value;
    const found = { dtype, shape, layout, device, grad, ...(device === 'meta' ? {} : { numbers: numbers(value) }) };
    // The symbol is what structuredClone comes upon.
    const own = Object.entries(value).filter(([, item]) => typeof item !== 'symbol');
    const attributes = own.map(([key, item]): [string, unknown] => [key, described(item)]);
    return { tensor: found, attributes: Object.fromEntries(attributes) };
  }
  if (Array.isArray(value)) return value.map(described);
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (value instanceof Set) return { set: [...value].map(described) };
  const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value);
  return { dict: entries.map(([key, item]) => [described(key), described(item)]) };
}

/** What is in every file of a folder that can be read. */
function inFolder(folder: string): Described {
  const files = readdirSync(folder).filter((name) => name.endsWith('.pt'));
  return Object.fromEntries(files.map((name) => [name, described(load<unknown>(path.join(folder, name)))]));
}

describe('files of torch.save', function () {
  this.timeout(120_000);
  let folder: string;
  let written: string;
  let expected: Described;
  before(function () {
    folder = mkdtempSync(path.join(tmpdir(), 'aiforge-test-'));
    written = path.join(folder, 'written');
    mkdirSync(written);
    expected = JSON.parse(reference(this, 'torch_kinds.py', 'write', folder)) as Described;
  });
  after(() => rmSync(folder, { recursive: true }));

  it('of every kind and of both formats hold what Python says', () => {
    const found = inFolder(folder);
    expect(Object.keys(found)).to.have.members(Object.keys(expected));
    expect(Object.keys(found).filter((name) => name.endsWith('.legacy.pt')).length).to.be.greaterThan(25);
    for (const [name, value] of Object.entries(found)) expect(value, name).to.deep.equal(expected[name]);
  });

  it('are written so that Python reads the same', function () {
    for (const name of Object.keys(expected)) save(load<unknown>(path.join(folder, name)), path.join(written, name));
    const found = JSON.parse(reference(this, 'torch_kinds.py', 'read', written)) as Described;
    expect(Object.keys(found).length).to.equal(Object.keys(expected).length);
    for (const [name, value] of Object.entries(found)) expect(value, name).to.deep.equal(expected[name]);
  });

  it('keep what sparse tensors and those without data have beside their elements', () => {
    const file = path.join(written, 'beside.pt');
    const weight = eye(3).toSparse().requiresGrad_();
    const pattern = Object.assign(eye(2).toSparse(), { tag: 'mask' });
    save({ weight, again: weight, pattern, nowhere: empty([2], { device: 'meta', requiresGrad: true }) }, file);
    const found = load<Record<string, Tensor & { tag?: string }>>(file);
    expect(found.again).to.equal(found.weight);
    expect(found.weight!.requiresGrad && found.nowhere!.requiresGrad).to.equal(true);
    expect(found.weight!.isCoalesced()).to.equal(true);
    expect([found.pattern!.tag, found.pattern!.toDense().tolist()]).to.deep.equal(['mask', [[1, 0], [0, 1]]]); // prettier-ignore
  });

  it('share memory where Python shares it, of both formats and through meta', () => {
    for (const name of ['shared.pt', 'shared.legacy.pt']) {
      const [whole, turned, row, parameter] = load<[Tensor, Tensor, Tensor, Tensor]>(path.join(folder, name));
      whole.fill_(7);
      expect([turned, row, parameter].map((view) => view.sum().item())).to.deep.equal([112, 28, 112]);
      const [nowhere] = load<[Tensor]>(path.join(folder, name), { mapLocation: 'meta' });
      expect([nowhere.device, nowhere.shape]).to.deep.equal(['meta', [4, 4]]);
    }
  });

  it('keep the attributes of dictionaries beside their entries', () => {
    const found = load<{ a: number; _metadata: unknown }>(path.join(folder, 'metadata.pt'));
    expect(Object.keys(found)).to.deep.equal(['a']);
    expect(found._metadata).to.deep.equal({ '': { version: 2 } });
  });

  it('keep the scale of quantized tensors', () => {
    const [tensors, channels] = ['quint8_view.pt', 'quint8_channels.pt'].map((name) =>
      load<Tensor>(path.join(folder, name)),
    );
    expect([tensors!.qScale(), tensors!.qZeroPoint()]).to.deep.equal([0.5, 3]);
    expect(channels!.qPerChannelZeroPoints().tolist()).to.deep.equal([0, 1, 2, 3]);
    expect(channels!.qPerChannelAxis()).to.equal(1);
  });
});
