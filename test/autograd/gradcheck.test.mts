import { expect } from 'chai';
import { autograd, memory, nn, ones, ops, scope, tensor, type Complex, type Tensor } from 'aiforge';
import { collectGarbage } from '../support/garbage.mjs';

const { forwardAd, gradcheck, gradgradcheck } = autograd;

type Numbers = number | Numbers[];
const leaf = (values: Numbers): Tensor => tensor(values, { dtype: 'float64', requiresGrad: true });
const complexLeaf = (values: Complex[]): Tensor => tensor(values, { dtype: 'complex128', requiresGrad: true });

const z = complexLeaf([
  { re: 0.5, im: 1 },
  { re: -1, im: 0.25 },
]);
const everything = { checkForwardAd: true, checkBatchedGrad: true, checkGradDtypes: true };

/** Its value is right, its gradient is half of what it should be. */
const halved = (x: Tensor): Tensor => x.mul(x.detach());

for (const fastMode of [false, true]) {
  describe(`gradcheck${fastMode ? ' in fast mode' : ''}`, () => {
    const options = { ...everything, fastMode };
    const passes = (fn: (...inputs: Tensor[]) => Tensor | Tensor[], ...inputs: unknown[]): void => {
      expect(gradcheck(fn, inputs, options)).to.equal(true);
    };

    it('passes right gradients, forward and backward', () => {
      passes((x) => x.sin(), leaf([0.5, -2]));
      passes(
        (x, y) => [x.matmul(y), x.sum()],
        leaf([
          [0.5, 2],
          [-1, 0.25],
        ]),
        leaf([1, 3]),
      );
      passes((x, y) => x.mul(y), leaf([1, 2]), tensor(3, { dtype: 'float64' }));
      passes((x) => x.sum(), leaf([]));
    });

    it('passes complex inputs and outputs', () => {
      passes((x) => x.mul(x).exp(), z);
      passes((x) => x.abs(), z);
      passes((x) => [x.sin(), (ops.aten('real')(x) as Tensor).sum()], z);
      passes((x) => ops.aten('complex')(x, x.mul(2)) as Tensor, leaf([1, 3]));
    });

    it('passes non-contiguous inputs, and leaves inputs as they were', () => {
      const base = leaf([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      const x = base.detach().t().requiresGrad_();
      passes((y) => y.sin().mul(y), x);
      expect(base.tolist()).to.deep.equal([
        [1, 2, 3],
        [4, 5, 6],
      ]);
    });

    it('leaves inputs as they were when the function throws', () => {
      const x = leaf([1, 2]);
      let calls = 0;
      const fn = (y: Tensor): Tensor => {
        if (++calls === 2) throw new Error('mine');
        return y.sin();
      };
      expect(() => gradcheck(fn, x, { fastMode })).to.throw('mine');
      expect(x.tolist()).to.deep.equal([1, 2]);
    });

    it('shows both Jacobians where they differ', () => {
      expect(() => gradcheck(halved, leaf([1, 3]), { fastMode }))
        .to.throw(/^Jacobian mismatch for output 0 with respect to input 0,\nnumerical:tensor\(\[\[/)
        .with.property('code', 'GRADCHECK_FAILED');
      expect(() => gradcheck(halved, z, { fastMode })).to.throw(
        /^While considering the imaginary part of complex outputs only, Jacobian mismatch for output 0/,
      );
      const unseen = (x: Tensor): Tensor => x.mul(forwardAd.unpackDual(x).primal);
      expect(() => gradcheck(unseen, leaf([1, 3]), { fastMode, checkForwardAd: true })).to.throw(
        /^Jacobian computed with forward mode mismatch for output 0/,
      );
      expect(gradcheck(halved, leaf([1, 3]), { fastMode, raiseException: false })).to.equal(false);
    });

    it('expects no change from what has no gradient', () => {
      expect(gradcheck((x: Tensor) => x.detach().mul(0), leaf([1]), { fastMode })).to.equal(true);
      expect(() => gradcheck((x: Tensor) => x.detach(), leaf([1]), { fastMode })).to.throw(/expected to be zero/);
    });

    it('checks gradients of gradients', () => {
      const fn = (x: Tensor): Tensor => x.sin().mul(x);
      expect(gradgradcheck(fn, leaf([0.5, 2]), null, { fastMode, checkFwdOverRev: true })).to.equal(true);
      expect(gradgradcheck(fn, z, null, { fastMode })).to.equal(true);
      expect(gradgradcheck(fn, leaf([[1], [2]]), null, { fastMode, genNonContigGradOutputs: true })).to.equal(true);
      expect(gradgradcheck(fn, leaf([0.5, 2]), leaf([1, -1]), { fastMode })).to.equal(true);
      // Right at first order, but its gradient forgets where it comes from.
      const once = (x: Tensor): Tensor => x.detach().mul(x).mul(2).sub(x.detach().mul(x.detach()));
      expect(gradcheck(once, leaf([0.5, 2]), { fastMode, atol: 1e9 })).to.equal(true);
      expect(() => gradgradcheck(once, leaf([0.5, 2]), null, { fastMode })).to.throw(/mismatch for output 0/);
    });
  });
}

describe('gradcheck', () => {
  it('prints what PyTorch prints', () => {
    expect(() => gradcheck(halved, leaf([1, 3]))).to.throw(
      'Jacobian mismatch for output 0 with respect to input 0,\n' +
        'numerical:tensor([[2.0000, 0.0000],\n        [0.0000, 6.0000]], dtype=torch.float64)\n' +
        'analytical:tensor([[1., 0.],\n        [0., 3.]], dtype=torch.float64)\n',
    );
  });

  it('finds a backward that differs from pass to pass', () => {
    let passes = 0;
    class Unsteady extends autograd.Function {
      static forward(_: autograd.FunctionContext, x: Tensor): Tensor {
        return x.mul(2);
      }
      static backward(_: autograd.FunctionContext, gradient: Tensor): Tensor {
        return gradient.mul(2 + 1e-9 * passes++);
      }
    }
    const double = (x: Tensor): Tensor => Unsteady.apply(x);
    expect(() => gradcheck(double, leaf([1, 2]))).to.throw(/^Backward is not reentrant/);
    expect(gradcheck(double, leaf([1, 2]), { nondetTol: 1e-6 })).to.equal(true);
  });

  it('finds a backward that does not take missing gradients for zeros', () => {
    class Trusting extends autograd.Function {
      static forward(ctx: autograd.FunctionContext, x: Tensor): Tensor {
        ctx.setMaterializeGrads(false);
        return x.mul(2);
      }
      static backward(_: autograd.FunctionContext, gradient: Tensor | null): Tensor {
        return gradient!.mul(2);
      }
    }
    const double = (x: Tensor): Tensor => Trusting.apply(x);
    expect(() => gradcheck(double, leaf([1, 2])))
      .to.throw(/handle undefined output grads/)
      .with.property('code', 'GRADCHECK_FAILED');
    expect(gradcheck(double, leaf([1, 2]), { checkUndefinedGrad: false })).to.equal(true);
  });

  it('finds a backward that is not a multiple of the gradient given', () => {
    class Constant extends autograd.Function {
      static forward(_: autograd.FunctionContext, x: Tensor): Tensor {
        return x.mul(2);
      }
      static backward(_: autograd.FunctionContext, gradient: Tensor): Tensor {
        return ones([1], { dtype: 'float64' }).mul(2).add(gradient.mul(0));
      }
    }
    expect(() => gradcheck((x: Tensor) => Constant.apply(x), leaf([1]))).to.throw(/not multiplied by grad_output/);
  });

  it('checks a model by its parameters', () => {
    const layer = new nn.Linear(3, 2).to('float64');
    const input = leaf([[0.5, -1, 2]]);
    expect(gradcheck((x: Tensor) => layer.forward(x).tanh(), [input, ...layer.parameters()])).to.equal(true);
  });

  it('releases everything it makes', () => {
    const x = leaf([0.5, 2]);
    scope(() => gradcheck((y: Tensor) => y.sin(), x, everything));
    collectGarbage();
    const before = memory.stats().tensors;
    gradcheck((y: Tensor) => y.sin(), x, everything);
    gradgradcheck((y: Tensor) => y.sin(), x);
    expect(memory.stats().tensors).to.equal(before);
  });

  it('says what is wrong with its arguments', () => {
    const sin = (x: Tensor): Tensor => x.sin();
    const refuses = (run: () => unknown, message: RegExp): void => {
      expect(run).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
    };
    refuses(() => gradcheck(sin, tensor([1.5])), /at least one input tensor to require gradient/);
    for (const given of [null, 3, [], tensor([1.5])] as Tensor[]) {
      refuses(() => gradgradcheck(sin, given), /^gradgradcheck expects at least one input tensor to require gradient/);
    }
    for (const given of [3, [null], { gradOutputs: leaf([1]) }] as never[]) {
      refuses(() => gradgradcheck(sin, leaf([1]), given), /expected gradOutputs to have Tensors only, got /);
    }
    refuses(() => gradcheck(sin, leaf([1]).expand([3])), /stride 0/);
    refuses(() => gradcheck(sin, leaf([1]), { checkBackwardAd: false }), /checkForwardAd or checkBackwardAd/);
    refuses(
      () => gradcheck(sin, leaf([1]), { checkBackwardAd: false, checkForwardAd: true, checkBatchedGrad: true }),
      /needs/,
    );
    refuses(() => gradcheck(() => 3 as unknown as Tensor, leaf([1])), /must return a Tensor/);
    refuses(() => gradcheck((async (x: Tensor) => Promise.resolve(x)) as never, leaf([1])), /promise/);
    refuses(
      () => gradcheck((x: Tensor) => x.narrow(0, 0, Number(x.select(0, 0).item()) > 1 ? 1 : 2), leaf([1, 2])),
      /same shape/,
    );
  });
});
