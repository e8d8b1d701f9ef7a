import { arange, manualSeed, ones, randn, randnLike, tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { exact, type Exact } from '../support/exact.mjs';
import { section } from './reference.mjs';
import { stateOf } from './training.mjs';

const { utils } = nn;

function results(): Record<string, unknown> {
  manualSeed(1);
  const images = (norm: nn.BatchNorm2d): nn.BatchNorm2d => {
    norm.forward(randn([4, norm.numFeatures, 3, 3]));
    return norm.eval();
  };
  const result: Record<string, unknown> = {};
  const conv = new nn.Conv2d(2, 3, 2).eval();
  result['conv'] = stateOf(utils.fuseConvBnEval(conv, images(new nn.BatchNorm2d(3))));
  const transposed = new nn.ConvTranspose2d(2, 3, 2, { bias: false }).eval();
  const plain = images(new nn.BatchNorm2d(3, { affine: false }));
  result['transposed'] = stateOf(utils.fuseConvBnEval(transposed, plain, { transpose: true }));
  const linear = new nn.Linear(4, 3).eval();
  const norm = new nn.BatchNorm1d(3, { eps: 0.01 });
  norm.forward(randn([4, 3]));
  result['linear'] = stateOf(utils.fuseLinearBnEval(linear, norm.eval()));
  result['vector'] = exact(utils.parametersToVector(linear.parameters()));
  utils.vectorToParameters(arange(15, { dtype: 'float32' }), linear.parameters());
  result['filled'] = stateOf(linear);
  const layer = utils.skipInit(nn.Linear, 3, 2);
  result['after'] = [layer.weight.shape, exact(randn([2]))];
  for (const parameter of layer.parameters()) parameter.grad = randnLike(parameter);
  const grads = () => Array.from(layer.parameters(), ({ grad }) => grad!);
  const total = utils.getTotalNorm(grads(), { normType: 3 });
  utils.clipGradsWithNorm_(layer.parameters(), 0.5, total);
  result['clipped'] = [exact(total), ...grads().map(exact)];
  const converted = utils.convertConv2dWeightMemoryFormat(new nn.Conv2d(2, 3, 2), 'channels_last');
  result['strides'] = converted.weight.stride();
  return result;
}

describe('nn.utils', () => {
  it("does what Python's does", function () {
    const expected = section<Record<string, Exact>>('module_core', 'utils');
    if (expected === undefined) this.skip();
    expect(results()).to.deep.equal(expected);
  });

  it('lets gradients flow through the vector of parameters', () => {
    const layer = new nn.Linear(2, 1);
    utils
      .parametersToVector(layer.parameters())
      .mul(tensor([1, 2, 3]))
      .sum()
      .backward();
    expect([layer.weight.grad!.tolist(), layer.bias!.grad!.tolist()]).to.deep.equal([[[1, 2]], [3]]);
  });

  it('refuses to fuse in training, without statistics, or other sizes', () => {
    const linear = new nn.Linear(4, 3);
    const refused = (run: () => unknown, message: RegExp): void => {
      expect(run).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
    };
    refused(() => utils.fuseLinearBnEval(linear, new nn.BatchNorm1d(3)), /evaluation/);
    linear.eval();
    const untracked = new nn.BatchNorm1d(3, { trackRunningStats: false }).eval();
    refused(() => utils.fuseLinearBnEval(linear, untracked), /running statistics/);
    refused(() => utils.fuseLinearBnEval(linear, new nn.BatchNorm1d(2).eval()), /3 features.*2/);
    refused(() => utils.vectorToParameters(3 as never, []), /Tensor/);
    expect(utils.skipInit(nn.Linear, 2, 2, { dtype: 'float64' }).weight.dtype).to.equal('float64');
    expect(new nn.Linear(2, 2).toEmpty({ device: 'meta' }).weight.device).to.equal('meta');
    expect(ones([1]).device).to.equal('cpu');
  });
});
