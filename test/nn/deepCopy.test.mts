import { manualSeed, randn, type Tensor, zeros } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

class Tied extends nn.Module {
  readonly first = new nn.Linear(2, 2);
  readonly second = this.first;
  readonly blocks = new nn.ModuleList([new nn.Linear(2, 3), new nn.Dropout(0.1)]);
  readonly settings = { sizes: [1, 2], names: new Set(['a']) };
  readonly scale = new nn.Buffer(zeros([2]), { persistent: false });
  override forward(x: Tensor): Tensor {
    return this.second.forward(x).add(this.scale);
  }
}

describe('Module.deepCopy', () => {
  it('copies parameters, buffers and plain values, and keeps what is shared shared', () => {
    manualSeed(0);
    const model = new Tied().eval();
    model.first.weight.requiresGrad = false;
    const copy = model.deepCopy();

    expect(copy).to.be.instanceOf(Tied);
    expect(String(copy)).to.equal(String(model));
    expect(copy.first).to.equal(copy.second).and.not.equal(model.first);
    expect(copy.training).to.equal(false);
    expect(copy.first.weight.requiresGrad).to.equal(false);
    expect(copy.first.bias?.requiresGrad).to.equal(true);
    expect(Object.keys(copy.stateDict())).to.deep.equal(Object.keys(model.stateDict()));
    expect([...copy.namedBuffers()].map(([name]) => name)).to.deep.equal(['scale']);
    expect(copy.settings).to.deep.equal(model.settings);
    expect(copy.settings.sizes).not.to.equal(model.settings.sizes);
    expect(copy.blocks.length).to.equal(2);

    const x = randn([3, 2]);
    const before = model.forward(x).tolist();
    expect(copy.forward(x).tolist()).to.deep.equal(before);
    for (const tensor of [...copy.parameters(), ...copy.buffers()]) tensor.detach().fill_(7);
    copy.blocks.append(new nn.Dropout());
    expect(model.forward(x).tolist()).to.deep.equal(before);
    expect(model.blocks.length).to.equal(2);
  });

  it('refuses a module that holds a computed tensor', () => {
    const model = Object.assign(new nn.Identity(), { cached: new nn.Parameter(zeros([1])).mul(2) });
    expect(() => model.deepCopy()).to.throw(/deepCopy: .*MulBackward/);
  });
});

describe('Buffer', () => {
  it('is registered by assignment, and what replaces it is a buffer too', () => {
    const model = new Tied();
    expect(Object.keys(model.stateDict())).not.to.include('scale');
    Object.assign(model, { scale: zeros([2]).add(1) });
    expect([...model.namedBuffers()].map(([name, tensor]) => [name, tensor.tolist()])).to.deep.equal([
      ['scale', [1, 1]],
    ]);
  });

  it('moves with the module', () => {
    const model = new Tied().to('float64');
    expect(model.scale.dtype).to.equal('float64');
    expect(new nn.Linear(2, 2).to({ dtype: 'bfloat16' }).weight.dtype).to.equal('bfloat16');
    expect(new nn.Linear(2, 2).half().double().weight.dtype).to.equal('float64');
  });
});
