import { arange, keep, memory, ones, randn, scope, tensor, zeros, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { collectGarbage } from '../support/garbage.mjs';

class Block extends nn.Module {
  linear: nn.Linear;
  scale: nn.Parameter;
  declare runningMean: Tensor;
  declare cache: Tensor | null;

  constructor() {
    super();
    this.linear = new nn.Linear(2, 2);
    this.scale = new nn.Parameter(ones([2]));
    this.registerBuffer('runningMean', zeros([2]));
    this.registerBuffer('cache', null, { persistent: false });
  }

  override forward(x: Tensor): Tensor {
    return this.linear.forward(x).mul(this.scale);
  }
}

class Model extends nn.Module {
  inProj = new nn.Linear(3, 2);
  LayerNorm = new nn.LayerNorm(2);
  blocks = new nn.ModuleList([new Block(), new Block()]);
  posEncoder = new nn.Parameter(zeros([1, 2]));
  readonly plain = ones([1]);

  override forward(x: Tensor): Tensor {
    let y = this.LayerNorm.forward(this.inProj.forward(x)).add(this.posEncoder);
    for (const block of this.blocks) y = block.forward(y);
    return y;
  }
}

class Tied extends nn.Module {
  encoder = new nn.Linear(2, 2, { bias: false });
  decoder = new nn.Linear(2, 2, { bias: false });
  alias = this.encoder;

  constructor() {
    super();
    this.decoder.weight = this.encoder.weight;
  }

  override forward(x: Tensor): Tensor {
    return this.decoder.forward(this.encoder.forward(x));
  }
}

const keys = [
  'pos_encoder',
  'in_proj.weight',
  'in_proj.bias',
  'LayerNorm.weight',
  'LayerNorm.bias',
  'blocks.0.scale',
  'blocks.0.running_mean',
  'blocks.0.linear.weight',
  'blocks.0.linear.bias',
  'blocks.1.scale',
  'blocks.1.running_mean',
  'blocks.1.linear.weight',
  'blocks.1.linear.bias',
];

const names = (entries: Iterable<readonly [string, unknown]>): string[] => Array.from(entries, ([name]) => name);

describe('nn.Module', () => {
  it('names parameters and buffers as PyTorch does, its own before its children’s', () => {
    const model = new Model();
    expect(Object.keys(model.stateDict())).to.deep.equal(keys);
    expect(names(model.namedParameters())).to.deep.equal(keys.filter((key) => !key.endsWith('running_mean')));
    expect(names(model.namedParameters({ recurse: false, prefix: 'model' }))).to.deep.equal(['model.pos_encoder']);
    expect(names(model.namedBuffers())).to.deep.equal(['blocks.0.running_mean', 'blocks.1.running_mean']);
    expect(names(model.namedChildren())).to.deep.equal(['in_proj', 'LayerNorm', 'blocks']);
    expect(names(model.namedModules()).slice(0, 6)).to.deep.equal([
      '',
      'in_proj',
      'LayerNorm',
      'blocks',
      'blocks.0',
      'blocks.0.linear',
    ]);
  });

  it('gives shared parameters and modules once, but under every key of the state dict', () => {
    const model = new Tied();
    expect(names(model.namedParameters())).to.deep.equal(['encoder.weight']);
    expect(names(model.namedParameters({ removeDuplicate: false }))).to.deep.equal([
      'encoder.weight',
      'decoder.weight',
      'alias.weight',
    ]);
    expect([...model.modules()]).to.have.length(3);
    expect(Object.keys(model.stateDict())).to.deep.equal(['encoder.weight', 'decoder.weight', 'alias.weight']);
  });

  it('gives state dicts that share memory with the module and take no part in autograd', () => {
    const model = new Model();
    const state = model.stateDict();
    expect(state['pos_encoder']!.requiresGrad).to.equal(false);
    state['pos_encoder']!.fill_(3);
    expect(model.posEncoder.tolist()).to.deep.equal([[3, 3]]);
  });

  it('loads a state dict, from an object or a Map, and converts its dtype', () => {
    const [source, target] = [new Model(), new Model()];
    const state = source.stateDict();
    state['pos_encoder'] = tensor([[1, 2]], { dtype: 'float64' });
    expect(target.loadStateDict(new Map(Object.entries(state)))).to.deep.equal({ missingKeys: [], unexpectedKeys: [] });
    expect(target.posEncoder.tolist()).to.deep.equal([[1, 2]]);
    expect(target.posEncoder.dtype).to.equal('float32');
    expect(target.inProj.weight.equal(source.inProj.weight)).to.equal(true);
    expect(target.inProj.weight.isLeaf).to.equal(true);
  });

  it('lists everything that does not fit and copies nothing', () => {
    const model = new Model();
    const before = model.inProj.weight.clone();
    const state: nn.StateDict = { ...new Model().stateDict(), extra: ones([1]), 'in_proj.bias': ones([3]) };
    delete state['pos_encoder'];
    expect(() => model.loadStateDict(state))
      .to.throw(/missing keys:\n {2}pos_encoder\nunexpected keys:\n {2}extra\n.*\n {2}in_proj\.bias: .*\[3\].*\[2\]/)
      .with.property('code', 'STATE_DICT_MISMATCH');
    expect(() => model.loadStateDict(state, { strict: false }))
      .to.throw(/in_proj\.bias/)
      .with.property('code', 'STATE_DICT_MISMATCH');
    expect(model.inProj.weight.equal(before)).to.equal(true);
    state['in_proj.bias'] = ones([2]);
    const report = model.loadStateDict(state, { strict: false });
    expect(report).to.deep.equal({ missingKeys: ['pos_encoder'], unexpectedKeys: ['extra'] });
    expect(model.inProj.bias!.tolist()).to.deep.equal([1, 1]);
  });

  it('switches every submodule between training and evaluation', () => {
    const model = new Model();
    expect(model.eval()).to.equal(model);
    expect(Array.from(model.modules(), (module) => module.training)).to.not.include(true);
    model.train();
    expect(Array.from(model.modules(), (module) => module.training)).to.not.include(false);
  });

  it('freezes parameters and drops gradients', () => {
    const model = new Model();
    model
      .forward(randn([4, 3]))
      .sum()
      .backward();
    expect(model.posEncoder.grad).to.not.equal(null);
    model.zeroGrad({ setToNone: false });
    expect(model.posEncoder.grad!.tolist()).to.deep.equal([[0, 0]]);
    model.zeroGrad();
    expect(Array.from(model.parameters(), ({ grad }) => grad)).to.not.include.members([model.posEncoder]);
    expect(model.posEncoder.grad).to.equal(null);
    model.requiresGrad_(false);
    expect(model.forward(randn([4, 3])).requiresGrad).to.equal(false);
  });

  it('turns floating-point tensors and gradients to another dtype in place', () => {
    const model = new Model();
    const block = model.blocks.at(0);
    block.registerBuffer('steps', tensor(3));
    model
      .forward(randn([4, 3]))
      .sum()
      .backward();
    const { posEncoder } = model;
    expect(model.to('float64')).to.equal(model);
    expect(model.posEncoder).to.equal(posEncoder);
    expect([posEncoder.dtype, posEncoder.grad!.dtype, block.runningMean.dtype]).to.deep.equal(Array(3).fill('float64'));
    expect((block as unknown as { steps: Tensor }).steps.dtype).to.equal('int64');
    expect(posEncoder.isLeaf && posEncoder.requiresGrad).to.equal(true);
    expect(() => model.to({ dtype: 'float64', non_blocking: true } as never)).to.throw(
      /to: has no option 'non_blocking'\. Did you mean 'nonBlocking'/,
    );
    expect(() => model.loadStateDict(null as never))
      .to.throw(/stateDict must be an object or a Map .*, got null/)
      .with.property('code', 'INVALID_ARGUMENT');
    expect(() => model.to('int32'))
      .to.throw(/int32/)
      .with.property('code', 'INVALID_ARGUMENT');
  });

  it('applies a function to children before parents', () => {
    const seen: string[] = [];
    new Tied().apply((module) => void seen.push(module.constructor.name));
    expect(seen).to.deep.equal(['Linear', 'Linear', 'Tied']);
  });

  it('keeps buffers that are assigned later, and refuses names that are taken', () => {
    const block = new Block();
    scope(() => {
      block.runningMean = block.runningMean.add(1);
      block.cache = arange(2);
    });
    expect(block.runningMean.tolist()).to.deep.equal([1, 1]);
    expect(block.cache!.tolist()).to.deep.equal([0, 1]);
    expect(names(block.namedBuffers())).to.deep.equal(['running_mean', 'cache']);
    expect(Object.keys(block.stateDict())).to.not.include('cache');
    for (const name of ['linear', 'forward', 'a.b', '']) {
      expect(() => block.registerBuffer(name, ones([1])), name)
        .to.throw(/registerBuffer/)
        .with.property('code', 'INVALID_ARGUMENT');
    }
  });

  it('survives the scope that made it, with tensors that it only holds', () => {
    collectGarbage();
    const before = memory.stats().tensors;
    const model = scope(() => new Model());
    expect(model.plain.tolist()).to.deep.equal([1]);
    expect(model.forward(ones([1, 3])).shape).to.deep.equal([1, 2]);
    // What the constructors made beside parameters, buffers and `plain` is gone, the forward pass is not in a scope.
    const kept = scope(() => [...model.parameters(), ...model.buffers(), model.plain].length);
    expect(memory.stats().tensors - before).to.be.at.least(kept);
    for (const parameter of model.parameters()) expect(parameter.isDisposed).to.equal(false);
  });

  it('makes parameters that share the data given and outlive scopes', () => {
    const data = zeros([2]);
    const parameter = scope(() => keep(new nn.Parameter(data)));
    data.fill_(4);
    expect(parameter.tolist()).to.deep.equal([4, 4]);
    expect([parameter.requiresGrad, parameter.isLeaf]).to.deep.equal([true, true]);
    expect(new nn.Parameter(data, false).requiresGrad).to.equal(false);
    expect(new nn.Parameter(arange(3), false).dtype).to.equal('int64');
  });
});

describe('containers', () => {
  it('index, iterate, append, extend and insert', () => {
    const [a, b, c] = [new nn.Identity(), new nn.ReLU(), new nn.Tanh()];
    const list = new nn.ModuleList<nn.Layer>([a]).append(c).insert(1, b).extend([a]);
    expect([...list]).to.deep.equal([a, b, c, a]);
    expect([list.at(-2), list.length]).to.deep.equal([c, 4]);
    expect(() => list.at(4))
      .to.throw(/at\(4\).*4 entries/)
      .with.property('code', 'INVALID_ARGUMENT');
    expect(() => list.insert(9, a))
      .to.throw(/insert\(9\)/)
      .with.property('code', 'INVALID_ARGUMENT');
    expect(() => list.forward())
      .to.throw(/ModuleList/)
      .with.property('code', 'INVALID_ARGUMENT');
    expect(() => new nn.Sequential(ones([1]) as never))
      .to.throw(/Module/)
      .with.property('code', 'INVALID_ARGUMENT');
    expect(() => new nn.Sequential().append(undefined as never))
      .to.throw(/Module/)
      .with.property('code', 'INVALID_ARGUMENT');
  });
});
