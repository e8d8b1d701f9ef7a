import { ones, sparseCooTensor, tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

const invalid = (make: () => unknown, message: RegExp): void => {
  expect(make).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
};

const parameter = (): nn.Parameter => new nn.Parameter(ones([2]));

describe('refusals of optimizers', () => {
  it('refuse what a schedule’s function or list gives that is no number', () => {
    const optimizer = new optim.SGD([parameter()], { lr: 1 });
    const { LambdaLR, MultiStepLR } = optim.lrScheduler;
    invalid(() => new LambdaLR(optimizer, () => '0.5' as never), /must give a number, got '0\.5' for 0/);
    invalid(() => new LambdaLR(optimizer, () => Promise.resolve(0.5) as never), /must give a number, got Promise/);
    invalid(() => new MultiStepLR(optimizer, [1, 'x'] as never), /milestones must be an array of whole numbers/);
  });

  it('refuse options that make no sense', () => {
    const params = [parameter()];
    invalid(() => new optim.Adam(params, { lr: -1 }), /lr: .*-1/);
    invalid(() => new optim.Adam(params, { lr: NaN }), /lr/);
    invalid(() => new optim.Adam(params, { eps: -1 }), /eps/);
    invalid(() => new optim.Adam(params, { betas: [1, 0.9] }), /betas\[0\].*1/);
    invalid(() => new optim.Adam(params, { betas: [0.9, -0.1] }), /betas\[1\]/);
    invalid(() => new optim.AdamW(params, { weightDecay: -1 }), /weightDecay/);
    invalid(() => new optim.AdamW(params, { fused: true, foreach: true }), /fused and foreach/);
    invalid(() => new optim.SGD(params, { momentum: -1 }), /momentum/);
    invalid(() => new optim.SGD(params, { nesterov: true }), /nesterov/);
    invalid(() => new optim.SGD(params, { nesterov: true, momentum: 0.9, dampening: 0.1 }), /nesterov/);
    invalid(() => new optim.SGD([{ params, lr: -2 }]), /lr.*-2/);
    invalid(() => new optim.SGD([{ params, lr: 1 }], { lr: -2 }), /lr.*-2/);
    invalid(() => new optim.SGD(params, { lr: tensor([0.1, 0.2]) }), /lr: a Tensor must have 1 element/);
    invalid(() => new optim.Adam(params, { lr: tensor(0.1), foreach: true }), /lr: a Tensor is not supported/);
    invalid(() => new optim.Adam(params, { betas: [tensor(0.9), 0.9] }), /two numbers or two Tensors/);
    invalid(() => new optim.Adam(params, { fused: true, differentiable: true }), /fused and differentiable/);
    invalid(() => new optim.Adadelta(params, { rho: 1.1 }), /rho: .*1\.1/);
    invalid(() => new optim.Adafactor(params, { d: 0.5 }), /d: .*0\.5/);
    invalid(() => new optim.Adafactor(params, { beta2Decay: 0.5 }), /beta2Decay: .*0\.5/);
    invalid(() => new optim.Rprop(params, { etas: [1, 0.5] }), /etas: .*1 and 0\.5/);
    invalid(() => new optim.SparseAdam(params, { lr: 0 }), /lr: .*above 0/);
    invalid(() => new optim.Muon(params), /matrices only, .*\[2\]/);
    invalid(
      () => new optim.Muon([new nn.Parameter(ones([2, 2]))], { adjustLrFn: 'other' as never }),
      /adjustLrFn must be .*, got 'other'/,
    );
  });

  it('refuse at a step what Python refuses there', () => {
    const step = (optimizer: optim.Optimizer): (() => void) => {
      const [p] = optimizer.paramGroups[0]!.params;
      p!.grad = ones(p!.shape, { dtype: p!.dtype });
      return () => optimizer.step();
    };
    invalid(step(new optim.Adam([parameter()], { capturable: true })), /capturable/);
    invalid(step(new optim.SparseAdam([parameter()])), /dense gradients/);
    const complex = (): nn.Parameter => new nn.Parameter(ones([2, 2], { dtype: 'complex64' }));
    invalid(step(new optim.Adafactor([complex()])), /complex/);
    invalid(step(new optim.AdamW([complex()], { fused: true })), /fused: .*complex64/);
    const sparse = new nn.Embedding(4, 2, { sparse: true });
    sparse
      .forward(tensor([1, 2]))
      .sum()
      .backward();
    const adam = new optim.Adam(sparse.parameters());
    invalid(() => adam.step(), /Adam does not support sparse gradients, take SparseAdam/);
    invalid(() => adam.step(), /sparse/);
    expect(adam.state.size).to.equal(0);
  });

  it('refuse at the next step what was written into a group', () => {
    type Written = Record<string, unknown>;
    const written: [name: string, value: unknown, message: RegExp][] = [
      ['lr', '5', /lr must be a number or a Tensor, got '5'/],
      ['lr', NaN, /lr must be .*NaN/],
      ['lr', undefined, /has no lr any more/],
      ['initial_lr', 5, /no option 'initial_lr'\. Did you mean 'initialLr'\?/],
      ['learningRate', 5, /no option 'learningRate'\. Did you mean 'lr'\?/],
      ['params', [3], /Tensors, got 3/],
      ['params', 3, /params must be a list, got 3/],
    ];
    for (const [name, value, message] of written) {
      for (const Class of [optim.SGD, optim.AdamW, optim.LBFGS]) {
        const p = parameter();
        const optimizer = new Class([p], { lr: 1 });
        const step = (): unknown => optimizer.step(() => p.square().sum());
        if (Class !== optim.LBFGS) step();
        (optimizer.paramGroups[0] as unknown as Written)[name] = value;
        const before = p.tolist();
        invalid(step, message);
        expect(p.tolist()).to.deep.equal(before);
      }
    }
    const p = parameter();
    const optimizer = new optim.SGD([p], { lr: 1 });
    p.grad = ones([2]);
    optimizer.paramGroups[0]!.lr = 0.5;
    optimizer.step();
    expect(p.tolist()).to.deep.equal([0.5, 0.5]);
  });

  it('leave what is no option of a group to its owner', () => {
    const p = parameter();
    const optimizer = new optim.AdamW([
      { params: [p], name: 'backbone', lrScale: 0.5 } as optim.ParameterGroupOptions<object>,
    ]);
    p.grad = ones([2]);
    optimizer.step();
    (optimizer.paramGroups[0] as unknown as { depth: number }).depth = 3;
    optimizer.step();
    expect(optimizer.paramGroups[0]).to.include({ name: 'backbone', lrScale: 0.5, depth: 3 });
  });

  it('leave properties of optimizers of one’s own alone', () => {
    class Own extends optim.SGD {
      constructor(params: nn.Parameter[]) {
        super(params, { lr: 0.1 });
        Object.assign(this, { lr: 0.5 });
      }
    }
    expect(new Own([parameter()])).to.have.property('lr', 0.5);
    invalid(() => Object.assign(new optim.SGD([parameter()], { lr: 0.1 }), { momentum: 0.5 }), /paramGroups.*momentum/);
  });

  it('refuse a closure that gives its gradients later, and what lacks a method', () => {
    const optimizer = new optim.SGD([parameter()], { lr: 0.1 });
    invalid(() => optimizer.step(() => Promise.resolve(ones([]))), /the closure returned a promise/);
    class Bare extends (optim.Optimizer as unknown as new (...args: unknown[]) => object) {}
    invalid(() => new Bare([parameter()], { lr: 1 }), /Bare extends Optimizer and must have a method checkOptions/);
  });

  it('share no list with another group or optimizer', () => {
    const betas: [number, number] = [0.5, 0.9];
    const own = new optim.Adam([parameter()], { betas });
    betas[0] = 0.1;
    expect(own.paramGroups[0]!.betas).to.deep.equal([0.5, 0.9]);
    const first = new optim.Adam([parameter()]);
    const write = (): void => void ((first.paramGroups[0]!.betas as unknown as number[])[0] = 0.5);
    expect(write).to.throw(TypeError);
    first.paramGroups[0]!.betas = [0.5, 0.999];
    expect(new optim.Adam([parameter()]).paramGroups[0]!.betas).to.deep.equal([0.9, 0.999]);
  });

  it('notice when a gradient becomes sparse', () => {
    const weight = new nn.Parameter(ones([3, 2]));
    const optimizer = new optim.Adagrad([weight], { lr: 1, eps: 0 });
    weight.grad = ones([3, 2]);
    optimizer.step();
    expect(weight.tolist()).to.deep.equal([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    weight.grad = sparseCooTensor(tensor([[1]]), ones([1, 2]).mul(Math.sqrt(3)), [3, 2]);
    optimizer.step();
    const rows = weight.tolist<number[][]>();
    expect(rows[0]).to.deep.equal([0, 0]);
    expect(rows[1]![0]).to.be.closeTo(-Math.sqrt(3) / 2, 1e-6);
  });

  it('refuse what is no list of different leaves', () => {
    const p = parameter();
    invalid(() => new optim.SGD([]), /empty/);
    invalid(() => new optim.SGD(p as never), /list/);
    invalid(() => new optim.SGD([1 as never]), /Tensor/);
    invalid(() => new optim.SGD([p, p]), /twice/);
    invalid(() => new optim.SGD([p.mul(2)]), /leaf/);
    invalid(() => new optim.SGD([{ params: [p] }, { params: [p] }]), /twice/);
    invalid(() => new optim.SGD([['a', p], parameter()] as never), /names/);
    const optimizer = new optim.SGD([p], { lr: 1 });
    const [q, r, s] = [parameter(), parameter(), parameter()];
    optimizer.addParamGroup({ params: [q] });
    invalid(() => optimizer.addParamGroup({ params: [r, q] }), /twice/);
    // Also where groups were changed by hand.
    optimizer.paramGroups.push({ ...optimizer.paramGroups[0]!, params: [r] });
    invalid(() => optimizer.addParamGroup({ params: [r] }), /twice/);
    (optimizer.paramGroups[0]!.params as nn.Parameter[]).push(s);
    invalid(() => optimizer.addParamGroup({ params: [s] }), /twice/);
    optimizer.paramGroups[1]!.params = [];
    optimizer.addParamGroup({ params: [q] });
    invalid(() => optimizer.addParamGroup({ params: [q] }), /twice/);
    invalid(() => new optim.SGD([{ params: [['a', p]] }, { params: [parameter()] }] as never), /names/);
  });
});
