import { noGrad, ones, randn, tensor, type NestedArray, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { reference } from '../../support/reference.mjs';
import { camelCase, camelKeys } from '../reference.mjs';
import { compute, type Case } from './recurrentCases.mjs';

interface TransformerCase extends Case {
  module: string;
  heads: number;
  stack: Record<string, unknown>;
  masks: Record<string, number | boolean | NestedArray[]>;
}

type AnyTransformer = nn.Module & { forward(...inputs: unknown[]): Tensor };

function make({ module, heads, options, stack }: TransformerCase): AnyTransformer {
  const given = camelKeys(options);
  const layers = { numEncoderLayers: 2, numDecoderLayers: 2 };
  const classes = nn as unknown as Record<string, new (...args: unknown[]) => AnyTransformer>;
  if (module === 'Transformer') return new classes[module]!({ dModel: 4, nhead: heads, ...layers, ...given });
  if (module.endsWith('Layer')) return new classes[module]!(4, heads, given);
  const layer = new classes[`${module}Layer`]!(4, heads, given);
  return new classes[module]!(layer, 2, { norm: new nn.LayerNorm(4), ...camelKeys(stack) });
}

function maskOf(value: number | boolean | NestedArray[]): Tensor | boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return nn.Transformer.generateSquareSubsequentMask(value);
  const mask = tensor(value);
  return mask.dtype === 'bool' ? mask : mask.to('float32');
}

describe('Transformers', () => {
  it('compute what PyTorch computes, bit for bit', function () {
    this.timeout(120_000);
    const cases = JSON.parse(reference(this, 'modules_transformer.py')) as TransformerCase[];
    expect(cases.length).to.be.above(300);
    for (const given of cases) {
      const { module, heads, options, stack, masks, mode, inputs, repr, keys, found } = given;
      const what = JSON.stringify([module, heads, options, stack, masks, mode, inputs]);
      const call = (layer: AnyTransformer, tensors: Tensor[]): Tensor => {
        const named = Object.entries(masks).map(([name, value]) => [camelCase(name), maskOf(value)]);
        return layer.forward(...tensors, Object.fromEntries(named));
      };
      expect(
        compute(given, () => make(given), call),
        what,
      ).to.deep.equal({ repr, keys, found });
    }
  });

  it('take a function or a layer as activation, and other layers than their own', () => {
    const { TransformerEncoderLayer: Layer, TransformerEncoder: Encoder } = nn;
    const options = { dimFeedforward: 6, batchFirst: true };
    const fused = (activation: nn.TransformerActivation): string | null =>
      new Layer(4, 2, { ...options, activation }).fusedActivation;
    const { relu, gelu } = nn.functional;
    expect([relu, new nn.ReLU(), 'gelu' as const, gelu, new nn.GELU()].map(fused)).to.deep.equal([
      'relu',
      'relu',
      'gelu',
      'gelu',
      'gelu',
    ]);
    const layer = new Layer(4, 2, { ...options, activation: new nn.Tanh() });
    expect(String(layer)).to.match(/\(activation\): Tanh\(\)/);
    expect([fused((x) => x.tanh()), layer.fusedActivation]).to.deep.equal([null, null]);
    const same = new Layer(4, 2, { ...options, activation: (x) => x.tanh() });
    same.loadStateDict(layer.stateDict());
    const x = randn([2, 3, 4]);
    expect(same.eval().forward(x).equal(layer.eval().forward(x))).to.equal(true);

    class Plain extends nn.Module {
      selfAttn = { batchFirst: true };
      inner = new nn.Linear(4, 4);
      forward(src: Tensor): Tensor {
        return this.inner.forward(src);
      }
    }
    const encoder = new Encoder(new Plain(), 2).eval();
    const srcKeyPaddingMask = tensor([[false, false, true]]);
    expect(encoder.useNestedTensor).to.equal(false);
    expect(noGrad(() => encoder.forward(ones([1, 3, 4]), { srcKeyPaddingMask })).shape).to.deep.equal([1, 3, 4]);
  });

  it('leave padding out in evaluation without gradients', () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, batchFirst: true });
    const encoder = new nn.TransformerEncoder(layer, 2).eval();
    const x = randn([1, 3, 4]);
    const srcKeyPaddingMask = tensor([[false, false, true]]);
    const output = noGrad(() => encoder.forward(x, { srcKeyPaddingMask }));
    expect(output.select(1, 2).tolist()).to.deep.equal([[0, 0, 0, 0]]);
    expect(encoder.forward(x, { srcKeyPaddingMask }).select(1, 2).tolist()).to.not.deep.equal([[0, 0, 0, 0]]);
  });

  it('compute step by step where hooks look on', () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, batchFirst: true });
    const encoder = new nn.TransformerEncoder(layer, 1).eval();
    const x = randn([1, 3, 4]);
    const srcKeyPaddingMask = tensor([[false, false, true]]);
    const shapes: number[][] = [];
    const run = (): Tensor => noGrad(() => encoder.forward(x, { srcKeyPaddingMask }));
    using hook = encoder.layers.at(0).linear1.registerForwardHook((_, __, output) => void shapes.push(output.shape));
    const watched = run();
    expect(shapes).to.deep.equal([[1, 3, 6]]);
    hook.remove();
    const kept = (output: Tensor): Tensor => output.narrow(1, 0, 2);
    expect(kept(watched).sub(kept(run())).abs().max().item()).to.be.below(1e-5);
    expect(shapes).to.have.lengthOf(1);
  });

  it('refuse what does not fit', () => {
    const invalid = (run: () => unknown, message: RegExp): void => {
      expect(run, String(message)).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
    };
    invalid(() => new nn.TransformerEncoderLayer(5, 2), /multiple of numHeads/);
    invalid(() => new nn.TransformerDecoderLayer(4, 2, { activation: 'silu' as never }), /'relu', 'gelu'.*'silu'/);
    const model = new nn.Transformer({
      dModel: 4,
      nhead: 2,
      numEncoderLayers: 1,
      numDecoderLayers: 1,
      dimFeedforward: 4,
    });
    invalid(() => model.forward(ones([3, 2, 4]), ones([3, 1, 4])), /one batch size, got \[3, 2, 4\] and \[3, 1, 4\]/);
    invalid(() => model.forward(ones([3, 2, 4]), ones([3, 2, 3])), /dModel features, 4/);
    invalid(() => model.forward(ones([3, 2, 4]), ones([3, 2, 4]), { srcMask: ones([3, 3]).to('int64') }), /int64/);
  });
});
