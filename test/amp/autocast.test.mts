import {
  amp,
  autograd,
  inferenceMode,
  checkpoint,
  func,
  grad,
  manualSeed,
  matmul,
  nn,
  noGrad,
  ones,
  randn,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';

const cpu = { deviceType: 'cpu' } as const;
const x = ones([2, 3]);

describe('autocast', () => {
  it('computes products in the smaller dtype, and sums as they were', () => {
    const y = amp.autocast(cpu, () => matmul(x, x.t()));
    expect(y.dtype).to.equal('bfloat16');
    expect(amp.autocast({ ...cpu, dtype: 'float16' }, () => matmul(x, x.t())).dtype).to.equal('float16');
    expect(amp.autocast(cpu, () => x.add(1)).dtype).to.equal('float32');
  });

  it('ends with the function, however it ends', () => {
    amp.autocast(cpu, () => undefined);
    expect(matmul(x, x.t()).dtype).to.equal('float32');
    expect(() =>
      amp.autocast(cpu, () => {
        throw new RangeError('mine');
      }),
    ).to.throw(RangeError, 'mine');
    expect(matmul(x, x.t()).dtype).to.equal('float32');
  });

  it('is turned off inside another', () => {
    const y = amp.autocast(cpu, () => {
      const inner = amp.autocast({ ...cpu, enabled: false }, () => matmul(x, x.t()));
      expect(matmul(x, x.t()).dtype).to.equal('bfloat16');
      return inner;
    });
    expect(y.dtype).to.equal('float32');
  });

  it('leaves parameters and gradients in their dtype', () => {
    const linear = new nn.Linear(3, 4);
    const y = amp.autocast(cpu, () => linear.forward(randn([2, 3])));
    expect(y.dtype).to.equal('bfloat16');
    y.sum().backward();
    expect(linear.weight.grad!.dtype).to.equal('float32');
  });

  it('casts a weight once for all its uses inside', () => {
    const linear = new nn.Linear(3, 3);
    amp.autocast(cpu, () => linear.forward(linear.forward(x)).sum()).backward();
    const together = linear.weight.grad!.clone();
    linear.zeroGrad();
    amp.autocast({ ...cpu, cacheEnabled: false }, () => linear.forward(linear.forward(x)).sum()).backward();
    expect(together.sub(linear.weight.grad!).abs().max().item<number>()).to.be.lessThan(0.1);
  });

  it('refuses other devices and dtypes', () => {
    expect(() => amp.autocast({ deviceType: 'tpu' as never }, () => 1)).to.throw("'cuda' or 'cpu', got 'tpu'");
    expect(() => amp.autocast({ ...cpu, dtype: 'float99' as never }, () => 1)).to.throw('float99');
    expect(() => amp.autocast({ ...cpu, dtype: 'float64' }, () => 1)).to.throw(
      "'float16' or 'bfloat16', got 'float64'",
    );
    expect(matmul(x, x.t()).dtype).to.equal('float32');
  });

  it('follows await, and holds for nobody else meanwhile', async () => {
    const dtypeOf = () => matmul(x, x.t()).dtype;
    const pause = async () => new Promise((resolve) => setTimeout(resolve, 2));
    const one = amp.autocast(cpu, async () => {
      const seen = [dtypeOf()];
      for (let i = 0; i < 3; ++i) {
        await pause();
        seen.push(dtypeOf());
      }
      return seen;
    });
    const other = amp.autocast({ ...cpu, dtype: 'float16' }, async () => {
      await pause();
      return [dtypeOf(), await amp.autocast({ ...cpu, enabled: false }, async () => pause().then(dtypeOf)), dtypeOf()];
    });
    expect(dtypeOf()).to.equal('float32');
    expect(await one).to.deep.equal(Array(4).fill('bfloat16'));
    expect(await other).to.deep.equal(['float16', 'float32', 'float16']);
    expect(dtypeOf()).to.equal('float32');
  });

  it('does not keep the cast of a weight that changed while it awaited', async () => {
    const weight = ones([2, 2], { requiresGrad: true });
    const product = () =>
      matmul(ones([1, 2]), weight)
        .at(0, 0)
        .item();
    const seen = amp.autocast(cpu, async () => {
      const before = product();
      await new Promise(setImmediate);
      return [before, product()];
    });
    noGrad(() => weight.mul_(3));
    expect(await seen).to.deep.equal([2, 6]);
  });

  it('casts a weight anew for another dtype inside, of which PyTorch makes an error', () => {
    const linear = new nn.Linear(3, 3);
    const run = () => linear.forward(x).dtype;
    const half = { ...cpu, dtype: 'float16' } as const;
    expect(amp.autocast(half, () => [run(), amp.autocast(cpu, run), amp.autocast({ ...cpu, dtype: 'bfloat16' }, run), run()])).to.deep.equal([
      'float16', 'float16', 'bfloat16', 'float16',
    ]); // prettier-ignore
  });

  it('says what holds where', () => {
    const state = () => [amp.isAutocastEnabled('cpu'), amp.getAutocastDtype('cpu'), amp.isAutocastCacheEnabled()];
    expect(state()).to.deep.equal([false, 'bfloat16', true]);
    amp.autocast({ ...cpu, dtype: 'float16', cacheEnabled: false }, () => {
      expect(state()).to.deep.equal([true, 'float16', false]);
      expect(amp.autocast({ ...cpu, enabled: false }, state)).to.deep.equal([false, 'float16', false]);
      expect([amp.isAutocastEnabled(), amp.getAutocastDtype()]).to.deep.equal([false, 'float16']);
    });
    expect(['cpu', 'cuda', 'mps', ''].map((type) => amp.isAutocastAvailable(type))).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
  });

  it('is what it was on both sides of inferenceMode, whatever runs in it', async () => {
    const dtypeOf = () => matmul(x, x.t()).dtype;
    const inInference = () => inferenceMode(dtypeOf);
    expect([amp.autocast(cpu, dtypeOf), inInference(), dtypeOf(), inInference()]).to.deep.equal([
      'bfloat16',
      'float32',
      'float32',
      'float32',
    ]);
    expect(amp.autocast(cpu, () => [inInference(), dtypeOf()])).to.deep.equal(['bfloat16', 'bfloat16']);
    const inside = () => amp.autocast({ ...cpu, enabled: false }, dtypeOf);
    expect(amp.autocast(cpu, () => [inferenceMode(inside), dtypeOf()])).to.deep.equal(['float32', 'bfloat16']);
    expect(inferenceMode(() => [amp.autocast(cpu, dtypeOf), dtypeOf()])).to.deep.equal(['bfloat16', 'float32']);
    const pause = async () => new Promise(setImmediate);
    const rounds = async () => [dtypeOf(), await pause().then(dtypeOf), await pause().then(dtypeOf)];
    const tasks = [amp.autocast(cpu, rounds), inferenceMode(rounds), rounds()];
    expect(await Promise.all(tasks)).to.deep.equal([
      Array<string>(3).fill('bfloat16'),
      Array<string>(3).fill('float32'),
      Array<string>(3).fill('float32'),
    ]);
    const y = ones([2], { requiresGrad: true });
    const seen: string[] = [];
    y.registerHook(() => void seen.push(inInference(), dtypeOf()));
    amp.autocast(cpu, () => (y.sum().backward(), seen.push(dtypeOf())));
    expect(seen).to.deep.equal(['bfloat16', 'bfloat16', 'bfloat16']);
  });

  it('lets recurrent layers take what layers before them gave', () => {
    for (const layer of [new nn.LSTM(3, 4), new nn.GRU(3, 4), new nn.RNN(3, 4)]) {
      const run = () => (layer.forward as (t: Tensor) => [Tensor, unknown])(ones([2, 1, 3], { dtype: 'bfloat16' }))[0];
      expect(amp.autocast(cpu, run).dtype).to.equal('bfloat16');
      expect(run).to.throw('the weights, float32');
    }
  });

  it('is in a hook what it is around the backward pass, and after it as before', () => {
    const y = x.clone().requiresGrad_();
    const seen: string[] = [];
    y.registerHook(() => {
      seen.push(
        matmul(x, x.t()).dtype,
        amp.autocast({ ...cpu, dtype: 'float16' }, () => matmul(x, x.t()).dtype),
      );
    });
    const sum = amp.autocast(cpu, () => y.mul(2).sum());
    sum.backward({ retainGraph: true });
    amp.autocast(cpu, () => {
      sum.backward();
      seen.push(matmul(x, x.t()).dtype);
    });
    expect(seen).to.deep.equal(['float32', 'float16', 'bfloat16', 'float16', 'bfloat16']);
  });

  it('holds for a backward pass beside the event loop', async () => {
    const [a, b] = [randn([3, 3], { requiresGrad: true }), randn([3, 3], { requiresGrad: true })];
    await amp.autocast({ ...cpu, dtype: 'float16' }, async () => matmul(a, b).sum().backwardAsync());
    const beside = a.grad!.clone();
    a.grad = null;
    amp.autocast({ ...cpu, dtype: 'float16' }, () => matmul(a, b).sum().backward());
    expect(beside.equal(a.grad as unknown as Tensor)).to.equal(true);
  });

  for (const useReentrant of [false, true]) {
    it(`is in a ${useReentrant ? 'reentrant ' : ''}checkpoint as it was when it ran first`, () => {
      manualSeed(0);
      const linear = new nn.Linear(4, 4);
      const input = randn([2, 4], { requiresGrad: true });
      const dtypes: string[] = [];
      const body = (t: Tensor) => {
        const y = linear.forward(t);
        dtypes.push(y.dtype);
        return y.exp();
      };
      const gradients = [false, true].map((checkpointed) => {
        linear.zeroGrad();
        amp
          .autocast(cpu, () => (checkpointed ? checkpoint(body, input, { useReentrant }) : body(input)).sum())
          .backward();
        return linear.weight.grad!.clone();
      });
      expect(dtypes).to.deep.equal(['bfloat16', 'bfloat16', 'bfloat16']);
      expect(gradients[0]!.equal(gradients[1]!)).to.equal(true);
    });
  }

  it('holds in transforms, and ends with them', () => {
    const product = (t: Tensor) => amp.autocast(cpu, () => matmul(t, t).sum());
    expect(func.vmap(product)(ones([2, 3, 3])).dtype).to.equal('bfloat16');
    expect(func.grad((t: Tensor) => product(t).float())(ones([3, 3])).dtype).to.equal('float32');
    expect(matmul(x, x.t()).dtype).to.equal('float32');
    expect(amp.autocast(cpu, () => func.vmap((t: Tensor) => matmul(t, t))(ones([2, 3, 3])).dtype)).to.equal('bfloat16');
  });
});

describe('a Function in autocast', () => {
  const seen: string[] = [];
  const bodies = {
    forward: (context: autograd.FunctionContext, a: Tensor, b: Tensor) => {
      seen.push(a.dtype, b.dtype, matmul(a, b).dtype);
      context.saveForBackward(a, b);
      return matmul(a, b);
    },
    backward: (context: autograd.FunctionContext, gradient: Tensor) => {
      const [a, b] = context.savedTensors as [Tensor, Tensor];
      seen.push(matmul(a, b).dtype);
      return [matmul(gradient, b.t()).to(a.dtype), matmul(a.t(), gradient).to(b.dtype)];
    },
  };
  class Product extends autograd.Function {
    static forward = amp.customFwd({ deviceType: 'cpu' }, bodies.forward);
    static backward = amp.customBwd({ deviceType: 'cpu' }, bodies.backward);
  }
  class InFloat32 extends autograd.Function {
    static forward = amp.customFwd({ deviceType: 'cpu', castInputs: 'float32' }, bodies.forward);
    static backward = amp.customBwd({ deviceType: 'cpu' }, bodies.backward);
  }
  const run = (kind: typeof Product | typeof InFloat32, options: amp.AutocastOptions) => {
    seen.length = 0;
    const [a, b] = [ones([2, 2], { dtype: 'bfloat16', requiresGrad: true }), ones([2, 2], { requiresGrad: true })];
    const y = amp.autocast({ ...cpu, ...options }, () => kind.apply(a, b));
    grad(y.sum(), [a, b]);
    return [...seen];
  };

  it('has the same autocast in both directions', () => {
    expect(run(Product, {})).to.deep.equal(['bfloat16', 'float32', 'bfloat16', 'bfloat16']);
    expect(run(Product, { dtype: 'float16' })).to.deep.equal(['bfloat16', 'float32', 'float16', 'float16']);
  });

  it('casts its inputs and is outside of autocast, where it asks for it', () => {
    expect(run(InFloat32, {})).to.deep.equal(['float32', 'float32', 'float32', 'float32']);
  });

  it('refuses other options', () => {
    expect(() => amp.customFwd({ deviceType: 'tpu' as never }, bodies.forward)).to.throw("'cuda' or 'cpu', got 'tpu'");
    expect(() => amp.customBwd({ deviceType: 'cpu', castInputs: 'float32' } as never, bodies.backward)).to.throw(
      'castInputs',
    );
  });
});
