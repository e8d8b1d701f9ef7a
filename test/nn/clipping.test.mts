import { manualSeed, memory, randn, scope, tensor, zeros } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { exact, type Exact } from '../support/exact.mjs';
import { python, runPython } from './reference.mjs';
import { collectGarbage } from '../support/garbage.mjs';

const invalid = (make: () => unknown, message: RegExp): void => {
  expect(make).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
};

describe('clipping', () => {
  const withGradients = (): nn.Parameter[] => {
    const parameters = [new nn.Parameter(zeros([2])), new nn.Parameter(zeros([1])), new nn.Parameter(zeros([3]))];
    parameters[0]!.grad = tensor([3, 0.5]);
    parameters[1]!.grad = tensor([-4.5]);
    return parameters;
  };

  it('scales gradients to a norm and returns the norm that they had', () => {
    const parameters = withGradients();
    const norm = nn.utils.clipGradNorm_(parameters, 1);
    expect(norm.item()).to.be.closeTo(Math.hypot(3, 0.5, 4.5), 1e-6);
    expect(nn.utils.clipGradNorm_(parameters, 10).item()).to.be.closeTo(1, 1e-5);
    expect(parameters[2]!.grad).to.equal(null);
    expect(nn.utils.clipGradNorm_(withGradients(), 1, { normType: Infinity }).item()).to.equal(4.5);
    expect(nn.utils.clipGradNorm_([], 1).item()).to.equal(0);
  });

  it('clamps single elements', () => {
    const parameters = withGradients();
    nn.utils.clipGradValue_(parameters, 1);
    expect(parameters.map(({ grad }) => grad?.tolist() ?? null)).to.deep.equal([[1, 0.5], [-1], null]);
  });

  it('refuses a norm that is no number where asked', () => {
    const [parameter] = withGradients();
    parameter!.grad = tensor([NaN, 1]);
    invalid(() => nn.utils.clipGradNorm_(parameter!, 1, { errorIfNonfinite: true }), /NaN/);
  });

  it('leaves no tensor behind', () => {
    const parameters = withGradients();
    scope(() => nn.utils.clipGradNorm_(parameters, 1));
    collectGarbage();
    const before = memory.stats().tensors;
    for (let i = 0; i < 10; ++i)
      scope(() => (nn.utils.clipGradNorm_(parameters, 1), nn.utils.clipGradValue_(parameters, 1)));
    expect(memory.stats().tensors).to.be.at.most(before);
  });

  it('computes what the Python that is installed does', function () {
    if (python === undefined) {
      console.log('    skipped: AIFORGE_REFERENCE_PYTHON is not set');
      this.skip();
    }
    const expected = runPython<Exact[]>(`
import json, sys, torch
sys.path.insert(0, 'test/reference')
from recording import exact
torch.manual_seed(0)
results = []
for p in (1.0, 2.0, 3.0, float('inf')):
  parameters = [torch.nn.Parameter(torch.zeros(7, 5)), torch.nn.Parameter(torch.zeros(11))]
  for q in parameters: q.grad = torch.randn_like(q)
  results.append(exact(torch.nn.utils.clip_grad_norm_(parameters, 0.7, p)))
  results += [exact(q.grad) for q in parameters]
print(json.dumps(results))`);
    manualSeed(0);
    const results = [1, 2, 3, Infinity].flatMap((normType) => {
      const parameters = [new nn.Parameter(zeros([7, 5])), new nn.Parameter(zeros([11]))];
      for (const parameter of parameters) parameter.grad = randn(parameter.shape);
      const norm = nn.utils.clipGradNorm_(parameters, 0.7, { normType });
      return [exact(norm), ...parameters.map(({ grad: clipped }) => exact(clipped!))];
    });
    expect(results).to.deep.equal(expected);
  });
});
