import {
  amp,
  autograd,
  checkpoint,
  detectAnomaly,
  grad,
  manualSeed,
  matmul,
  nn,
  ones,
  optim,
  randn,
  testing,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';

import { needGpu } from './gpu.mjs';

const leaf = (): Tensor => ones([4], { device: 'cuda', requiresGrad: true });

describe('autograd on a GPU', function () {
  before(function () {
    needGpu(this);
  });

  it('gives the gradients that the CPU gives', () => {
    manualSeed(1);
    const [weight, input] = [randn([16, 8]), randn([32, 16])];
    const run = (device: 'cpu' | 'cuda'): Tensor => {
      const w = weight.to(device).detach().requiresGrad_();
      matmul(input.to(device), w).tanh().pow(2).mean().backward();
      return w.grad!;
    };
    testing.assertClose(run('cuda').to('cpu'), run('cpu'), { rtol: 1e-4, atol: 1e-6 });
  });

  it('calls hooks, from the threads that the engine has for a device', () => {
    const x = leaf();
    const y = x.mul(2);
    const devices: string[] = [];
    y.registerHook((gradient) => {
      devices.push(gradient.device);
      return gradient.mul(3);
    });
    y.sum().backward();
    expect(x.grad!.tolist()).to.deep.equal([6, 6, 6, 6]);
    expect(devices).to.deep.equal(['cuda:0']);
  });

  it('calls Functions, hooks of parameters and of saved tensors', () => {
    class Square extends autograd.Function {
      static forward(context: autograd.FunctionContext, x: Tensor): Tensor {
        context.saveForBackward(x);
        return x.mul(x);
      }
      static backward(context: autograd.FunctionContext, gradient: Tensor): Tensor {
        return context.savedTensors[0]!.mul(gradient).mul(2);
      }
    }
    const x = leaf();
    let seen = 0;
    x.registerPostAccumulateGradHook(() => void ++seen);
    Square.apply(x).sum().backward();
    expect(x.grad!.tolist()).to.deep.equal([2, 2, 2, 2]);
    expect(seen).to.equal(1);

    const z = leaf();
    // To the CPU and back, as saveOnCpu does.
    const y = autograd.savedTensorsHooks(
      (tensor) => tensor.to('cpu'),
      (tensor) => tensor.to('cuda'),
      () => z.mul(z).sum(),
    );
    y.backward();
    expect(z.grad!.tolist()).to.deep.equal([2, 2, 2, 2]);
  });

  it('passes an error of a hook on, and goes on afterwards', () => {
    const x = leaf();
    const y = x.mul(2);
    y.registerHook(() => {
      throw new RangeError('mine');
    });
    expect(() => y.sum().backward()).to.throw(RangeError, 'mine');
    leaf().mul(2).sum().backward();
  });

  it('runs beside the event loop, with hooks too', async () => {
    const x = leaf();
    const y = x.mul(5);
    y.registerHook((gradient) => gradient.add(1));
    await Promise.all([y.sum().backwardAsync(), leaf().sum().backwardAsync()]);
    expect(x.grad!.tolist()).to.deep.equal([10, 10, 10, 10]);
  });

  it('differentiates twice, through checkpoints and in anomaly mode', () => {
    const x = leaf();
    const [first] = grad(x.pow(3).sum(), [x], { createGraph: true });
    first!.sum().backward();
    expect(x.grad!.tolist()).to.deep.equal([6, 6, 6, 6]);

    const z = leaf();
    checkpoint((t: Tensor) => t.exp().log(), z)
      .sum()
      .backward();
    testing.assertClose(z.grad!.to('cpu'), ones([4]), { rtol: 1e-5, atol: 1e-5 });

    const n = ones([2], { device: 'cuda', requiresGrad: true });
    expect(() => detectAnomaly(() => n.sub(1).sqrt().mul(0).sum().backward())).to.throw(/nan/i);
  });

  it('goes through autocast, gradients in the parameters’ dtype', () => {
    const linear = new nn.Linear(64, 64);
    linear.to('cuda');
    const y = amp.autocast({ dtype: 'bfloat16' }, () => linear.forward(randn([8, 64], { device: 'cuda' })));
    expect(y.dtype).to.equal('bfloat16');
    y.sum().backward();
    expect(linear.weight.grad!.dtype).to.equal('float32');
    expect(linear.forward(randn([8, 64], { device: 'cuda' })).dtype).to.equal('float32');
  });

  for (const [name, make] of Object.entries({
    SGD: (p: Tensor[]) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 }),
    Adam: (p: Tensor[]) => new optim.Adam(p),
    'AdamW, fused': (p: Tensor[]) => new optim.AdamW(p, { fused: true }),
    LBFGS: (p: Tensor[]) => new optim.LBFGS(p),
  })) {
    it(`${name} trains, and its state comes along`, () => {
      manualSeed(0);
      const model = new nn.Sequential(new nn.Linear(8, 16), new nn.Tanh(), new nn.Linear(16, 1));
      model.to('cuda');
      const optimizer = make([...model.parameters()]);
      const [x, y] = [randn([32, 8], { device: 'cuda' }), randn([32, 1], { device: 'cuda' })];
      const closure = (): Tensor => {
        optimizer.zeroGrad();
        const loss = model.forward(x).sub(y).square().mean();
        loss.backward();
        return loss;
      };
      const losses = Array.from({ length: 20 }, () =>
        (optimizer.step as (f: () => Tensor) => Tensor)(closure).item<number>(),
      );
      expect(losses.at(-1)).to.be.lessThan(losses[0]!);
      const other = make([...model.parameters()]);
      other.loadStateDict(optimizer.stateDict());
      (other.step as (f: () => Tensor) => Tensor)(closure);
    });
  }
});
