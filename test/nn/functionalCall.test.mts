import { expect } from 'chai';
import { func, nn, ones, tensor, zeros, type Tensor } from 'aiforge';

class Tied extends nn.Module {
  first = new nn.Linear(2, 2, { bias: false });
  second = new nn.Linear(2, 2, { bias: false });
  constructor() {
    super();
    this.second.weight = this.first.weight;
    this.registerBuffer('shift', ones([2]));
  }
  declare shift: Tensor;
  forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x)).add(this.shift);
  }
}

describe('functionalCall', () => {
  const x = tensor([[1.5, 2]]);
  const eye = tensor([
    [1, 0],
    [0, 1],
  ]).to('float32');

  it('runs with other parameters and buffers, and leaves the module as it was', () => {
    const model = new Tied();
    const [weight, { shift }] = [model.first.weight, model];
    const output = nn.functionalCall(model, { 'first.weight': eye, shift: zeros([2]) }, x);
    expect(output.tolist()).to.deep.equal([[1.5, 2]]);
    expect(model.first.weight).to.equal(weight);
    expect(model.second.weight).to.equal(weight);
    expect(model.shift).to.equal(shift);
    expect(Object.keys(model.stateDict())).to.deep.equal(['shift', 'first.weight', 'second.weight']);
  });

  it('leaves the module as it was when forward throws', () => {
    const model = new Tied();
    const { weight } = model.first;
    expect(() => nn.functionalCall(model, { 'first.weight': ones([5, 5]) }, x)).to.throw();
    expect(model.first.weight).to.equal(weight);
  });

  it('ties what the module ties', () => {
    const model = new Tied();
    const double = eye.mul(2);
    const given = { 'first.weight': eye, 'second.weight': double, shift: zeros([2]) };
    expect(() => nn.functionalCall(model, given, [x])).to.throw(/different values/);
    expect(nn.functionalCall(model, given, [x], { tieWeights: false }).tolist()).to.deep.equal([[3, 4]]);
    expect(nn.functionalCall(model, [{ 'second.weight': double }, { shift: zeros([2]) }], [x]).tolist()).to.deep.equal([
      [6, 8],
    ]);
  });

  it('says which keys do not fit', () => {
    const layer = new nn.Linear(2, 1);
    const refuses = (run: () => unknown, message: RegExp): void => {
      expect(run).to.throw(message).with.property('code', 'STATE_DICT_MISMATCH');
    };
    refuses(() => nn.functionalCall(layer, { wieght: eye }, x), /no such parameters or buffers: 'wieght'/);
    refuses(() => nn.functionalCall(layer, { weight: eye }, x, { strict: true }), /missing are: 'bias'/);
    refuses(() => nn.functionalCall(layer, { weight: 3 as unknown as Tensor }, x), /expected Tensors/);
    refuses(() => nn.functionalCall(layer, [{ weight: eye }, { weight: eye }], x), /given twice/);
  });

  it('refuses parameters that are no object of tensors', () => {
    const layer = new nn.Linear(2, 1);
    for (const given of [null, [null], 3, 'ab', eye, [eye], new Map([['weight', eye]]), layer] as never[]) {
      expect(() => nn.functionalCall(layer, given, x))
        .to.throw(/^functionalCall: params must be an object of Tensors by their keys/)
        .with.property('code', 'INVALID_ARGUMENT');
    }
  });

  it('is refused to a forward that returns a promise', () => {
    class Slow extends nn.Module {
      async forward(input: Tensor): Promise<Tensor> {
        return Promise.resolve(input);
      }
    }
    expect(() => nn.functionalCall(new Slow(), {}, x)).to.throw(/promise/);
  });
});

describe('stackModuleState', () => {
  it('stacks parameters as leaves, and refuses modules that differ', () => {
    const models = [new nn.Linear(2, 1), new nn.Linear(2, 1)];
    const [params, buffers] = func.stackModuleState(models);
    expect(params.weight!.shape).to.deep.equal([2, 1, 2]);
    expect(params.weight!.requiresGrad && params.weight!.isLeaf).to.equal(true);
    expect(buffers).to.deep.equal({});
    expect(() => func.stackModuleState([])).to.throw(/at least one module/);
    expect(() => func.stackModuleState([...models, new nn.Identity()])).to.throw(/same class/);
    expect(() => func.stackModuleState([models[0]!, new nn.Linear(2, 1).eval()])).to.throw(/training mode/);
  });
});
