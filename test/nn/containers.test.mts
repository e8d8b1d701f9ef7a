import { ones, tensor, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { section } from './reference.mjs';

function cases(): Record<string, nn.Module> {
  const named = new nn.Sequential({ conv: new nn.Linear(2, 3), relu: new nn.ReLU() });
  const appended = named.deepCopy().append(new nn.Linear(3, 1));
  const deleted = appended.deepCopy();
  deleted.delete(0);
  return {
    named,
    appended,
    slice: new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1)).slice(1),
    deleted,
    inserted: new nn.Sequential(new nn.ReLU(), new nn.Tanh()).insert(-1, new nn.Linear(1, 2)),
    list: new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2), new nn.ReLU()]).slice(0, 2),
    dict: new nn.ModuleDict({ innerNet: new nn.Linear(1, 2), act: new nn.ModuleDict({ a_B: new nn.ReLU() }) }),
    parameters: new nn.ParameterList([ones([2, 3]), new nn.Parameter(tensor(1, { dtype: 'float64' }))]),
    one: new nn.ParameterList([ones([2])]),
    parameter_dict: new nn.ParameterDict({ aB: ones([2, 3]), c: ones([3], { dtype: 'bfloat16' }) }),
    empty: new nn.ModuleList<nn.Module>([new nn.ModuleDict(), new nn.ParameterList(), new nn.ParameterDict()]),
  };
}

describe('containers', () => {
  it('print and save as Python’s', function () {
    const expected = section<Record<string, [string, string[]]>>('module_core', 'containers');
    if (expected === undefined) this.skip();
    for (const [name, module] of Object.entries(cases())) {
      expect([String(module), Object.keys(module.stateDict())], name).to.deep.equal(expected[name]);
    }
  });

  it('find, replace and take away entries', () => {
    const [a, b, c] = [new nn.ReLU(), new nn.Tanh(), new nn.Sigmoid()];
    const list = new nn.ModuleList<nn.Layer>([a, b]).set(-1, c);
    expect([list.at(1), list.pop(), list.length, list.pop(0), list.length]).to.deep.equal([c, c, 1, a, 0]);
    const dict = new nn.ModuleDict<Record<string, nn.Layer>>([['one', a]]).set('two', b).update({ one: c });
    expect([[...dict], [...dict.values()], dict.has('one'), dict.delete('no')]).to.deep.equal([
      ['one', 'two'],
      [c, b],
      true,
      false,
    ]);
    expect([dict.pop('one'), dict.length]).to.deep.equal([c, 1]);
    const named = new nn.Sequential({ a, b }).set(-1, c);
    expect([named.at(1), named.getSubmodule('b'), named.length]).to.deep.equal([c, c, 2]);
    dict.clear();
    const pairs = ['z', '10', '9', 'a'].map((key): [string, Tensor] => [key, ones([1])]);
    // As in Python, a plain object's keys are sorted.
    expect([...new nn.ParameterDict(Object.fromEntries(pairs)).keys()]).to.deep.equal(['10', '9', 'a', 'z']);
    expect([...new nn.ParameterDict(new Map(pairs)).keys()]).to.deep.equal(['z', '10', '9', 'a']);
    expect([...new nn.ParameterDict(pairs).update({ y: ones([1]), b: ones([1]) }).keys()]).to.deep.equal(
      ['z', '10', '9', 'a', 'b', 'y'], // prettier-ignore
    );
    const parameters = new nn.ParameterDict({ x: ones([1]) });
    expect(parameters.setdefault('y', ones([2])).shape).to.deep.equal([2]);
    expect([parameters.get('z'), parameters.copy().popitem()[0], parameters.length]).to.deep.equal([null, 'y', 2]);
    for (const refused of [
      () => dict.at('one'),
      () => parameters.at('z'),
      () => dict.set('a.b', a),
      () => parameters.set('q', 3 as never),
      () => new nn.Sequential({ x: a }).insert(0, b),
      () => new nn.ParameterList([1 as never]),
      () => list.pop(),
    ]) {
      expect(refused).to.throw().with.property('code', 'INVALID_ARGUMENT');
    }
  });

  it('know the classes of their entries', () => {
    const dict = new nn.ModuleDict({ first: new nn.Linear(2, 3), second: new nn.ReLU() });
    expect(dict.at('first').inFeatures).to.equal(2);
    // @ts-expect-error there is no such key
    expect(() => dict.at('third')).to.throw(/third/);
  });

  it('take other parameters for a functional call', () => {
    class Mixed extends nn.Module {
      scales = new nn.ParameterList([ones([1]), ones([1])]);
      biases = new nn.ParameterDict({ inner: ones([1]) });
      layers = new nn.Sequential(new nn.Linear(1, 1));
      override forward(x: Tensor): Tensor {
        return x.mul(this.scales.at(0)).mul(this.scales.at(1)).add(this.biases.at('inner'));
      }
    }
    const model = new Mixed();
    const given = { 'scales.1': tensor([5]), 'biases.inner': tensor([2]) };
    expect(nn.functionalCall(model, given, ones([1])).tolist()).to.deep.equal([7]);
    expect(model.scales.at(1).tolist()).to.deep.equal([1]);
    expect(model.deepCopy().scales.at(0)).to.not.equal(model.scales.at(0));
  });
});
