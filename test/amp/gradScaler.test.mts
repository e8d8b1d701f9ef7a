import { spawnSync } from 'node:child_process';

import {
  AiforgeError,
  amp,
  cuda,
  fullLike,
  keep,
  memory,
  nn,
  ones,
  optim,
  scope,
  sparseCooTensor,
  tensor,
  zeros,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';

const parameter = (): Tensor => new nn.Parameter(ones([2]));
const sgd = (...params: Tensor[]): optim.SGD => new optim.SGD(params, { lr: 1 });
const onCpu = (options: amp.GradScalerOptions = {}): amp.GradScaler =>
  new amp.GradScaler({ device: 'cpu', ...options });

/** A scaler that has scaled, and an optimizer of a parameter with this gradient. */
function scaled(gradient: number, options: amp.GradScalerOptions = {}) {
  const weight = parameter();
  const [optimizer, scaler] = [sgd(weight), onCpu({ initScale: 4, ...options })];
  scaler.scale(weight.mul(gradient).sum()).backward();
  return { weight, optimizer, scaler };
}

function refused(attempt: () => unknown, message: RegExp, code = 'INVALID_ARGUMENT'): void {
  expect(attempt).to.throw(AiforgeError, message).with.property('code', code);
}

describe('GradScaler', () => {
  it('scales tensors, and those in arrays, objects and maps, in their dtype', () => {
    const scaler = onCpu({ initScale: 4 });
    const half = ones([2], { dtype: 'float16' });
    const given = { a: [ones([]), half] as const, b: new Map([[1, zeros([])]]) };
    const { a, b } = scaler.scale(given);
    expect([a[0].item(), a[1].tolist(), a[1].dtype, b.get(1)!.item()]).to.deep.equal([4, [4, 4], 'float16', 0]);
    expect(scaler.scale(ones([2])).tolist()).to.deep.equal([4, 4]);
  });

  it('unscales before a step, once', () => {
    const { weight, optimizer, scaler } = scaled(0.5);
    expect(weight.grad!.tolist()).to.deep.equal([2, 2]);
    scaler.unscale_(optimizer);
    expect(weight.grad!.tolist()).to.deep.equal([0.5, 0.5]);
    scaler.step(optimizer);
    expect(weight.tolist()).to.deep.equal([0.5, 0.5]);
    expect([...scaler.foundInfPerDevice(optimizer)].map(([device, found]) => [device, found.item()])).to.deep.equal([
      ['cpu', 0],
    ]);
    scaler.update();
    expect(scaler.foundInfPerDevice(optimizer).size).to.equal(0);
  });

  for (const wrong of [Infinity, -Infinity, NaN]) {
    it(`skips a step with a gradient of ${wrong}, and shrinks the scale`, () => {
      const { weight, optimizer, scaler } = scaled(1);
      weight.grad!.set([0], wrong);
      scaler.step(optimizer);
      scaler.update();
      expect(weight.tolist()).to.deep.equal([1, 1]);
      expect(scaler.getScale()).to.equal(2);
    });
  }

  it('grows the scale after so many finite steps in a row', () => {
    const weight = parameter();
    const [optimizer, scaler] = [
      sgd(weight),
      onCpu({ initScale: 8, growthInterval: 2, growthFactor: 3, backoffFactor: 0.25 }),
    ];
    const scales = [1, 1, 1, Infinity, 1, 1].map((factor) => {
      optimizer.zeroGrad();
      scaler.scale(weight.mul(factor).sum()).backward();
      scaler.step(optimizer);
      scaler.update();
      return scaler.getScale();
    });
    expect(scales).to.deep.equal([8, 24, 24, 6, 6, 18]);
  });

  it('shrinks the scale for all optimizers where one was skipped', () => {
    const [a, b] = [parameter(), parameter()];
    const [first, second, scaler] = [sgd(a), sgd(b), onCpu({ initScale: 4 })];
    scaler.scale(a.sum().add(b.mul(Infinity).sum())).backward();
    scaler.step(first);
    scaler.step(second);
    scaler.update();
    expect([a.tolist(), b.tolist(), scaler.getScale()]).to.deep.equal([[0, 0], [1, 1], 2]); // prettier-ignore
  });

  it('unscales sparse gradients, with indices that occur twice', () => {
    const weight = new nn.Parameter(zeros([3]));
    const [optimizer, scaler] = [sgd(weight), onCpu({ initScale: 4 })];
    scaler.scale(ones([]));
    weight.grad = sparseCooTensor(tensor([[0, 2, 2]]), tensor([4, 8, 8], { dtype: 'float32' }), [3]);
    scaler.step(optimizer);
    expect(weight.tolist()).to.deep.equal([-1, 0, -4]);
    scaler.update();
    weight.grad = sparseCooTensor(tensor([[0, 2]]), tensor([1, Infinity]), [3]);
    scaler.step(optimizer);
    scaler.update();
    expect([weight.tolist(), scaler.getScale()]).to.deep.equal([[-1, 0, -4], 2]); // prettier-ignore
  });

  it('takes a scale, from a number or a tensor that may change later', () => {
    const scaler = onCpu();
    scaler.scale(ones([]));
    scaler.update(3);
    expect(scaler.getScale()).to.equal(3);
    const given = tensor([5]);
    scaler.update(given);
    given.fill_(7);
    expect([scaler.getScale(), scaler.scale(ones([])).item()]).to.deep.equal([5, 5]);
    for (const wrong of [ones([2]), ones([], { requiresGrad: true }), ones([], { device: 'meta' })]) {
      refused(() => scaler.update(wrong), /newScale must be a number, or a Tensor of one element on 'cpu'/);
    }
  });

  it('works in scopes, and keeps nothing of a step', () => {
    const weight = parameter();
    const [optimizer, scaler] = [sgd(weight), onCpu({ initScale: 4 })];
    const step = (): void => {
      scope(() => scaler.scale(weight.mul(0.25).sum()).backward());
      scope(() => scaler.unscale_(optimizer));
      scope(() => scaler.step(optimizer));
      scope(() => scaler.update());
    };
    step();
    const before = memory.stats().tensors;
    for (let i = 0; i < 5; ++i) step();
    expect(memory.stats().tensors).to.equal(before);
  });

  it('leaves what hooks of a step make to the caller', () => {
    for (const fused of [false, true]) {
      const weight = parameter();
      const [optimizer, scaler] = [new optim.Adam([weight], { fused }), onCpu()];
      const made: Tensor[] = [];
      optimizer.registerStepPostHook(() => void made.push(weight.clone()));
      scaler.scale(weight.sum()).backward();
      scaler.step(optimizer);
      expect(made[0]!.tolist()).to.deep.equal(weight.tolist());
    }
  });

  it('refuses calls out of order', () => {
    const scaler = onCpu();
    const optimizer = sgd(parameter());
    for (const call of [() => scaler.unscale_(optimizer), () => scaler.step(optimizer), () => scaler.update()]) {
      refused(call, /^GradScaler\.(unscale_|step|update): nothing was scaled yet: call scaler\.scale\(loss\)/);
    }
    scaler.scale(ones([]));
    refused(() => scaler.update(), /no gradients were looked at: call step\(\) or unscale_\(\)/);
    refused(() => scaler.step(optimizer), /no parameter of this optimizer has a gradient/);
    const ready = scaled(1);
    ready.scaler.unscale_(ready.optimizer);
    refused(() => ready.scaler.unscale_(ready.optimizer), /unscaled already/);
    ready.scaler.step(ready.optimizer);
    refused(() => ready.scaler.step(ready.optimizer), /has stepped already; call update\(\)/);
    refused(() => ready.scaler.unscale_(ready.optimizer), /comes before step\(\)/);
    ready.scaler.update();
    ready.scaler.unscale_(ready.optimizer);
  });

  it('refuses closures, gradients in float16, what is no tensor and settings that make no sense', () => {
    const { optimizer, scaler } = scaled(1);
    refused(() => scaler.step(optimizer, () => 1), /it takes no closure/);
    const half = new nn.Parameter(ones([2], { dtype: 'float16' }));
    scaler.scale(half.sum()).backward();
    refused(() => scaler.unscale_(sgd(half)), /of shape \[2\] is float16.*keep the parameters in float32/);
    refused(() => scaler.scale([ones([]), 3] as never), /outputs must be a Tensor, or arrays.* got 3/);
    refused(() => scaler.step(scaler as never), /optimizer must be an Optimizer/);
    refused(() => onCpu({ growthFactor: 1 }), /growthFactor must be a finite number above 1, got 1/);
    refused(() => onCpu({ backoffFactor: 1 }), /backoffFactor must be a number above 0 and below 1, got 1/);
    refused(() => onCpu({ initScale: 0 }), /initScale must be a finite number above 0 in float32, got 0/);
    for (const initScale of [Infinity, 1e-60, 1e300]) refused(() => onCpu({ initScale }), /in float32, got/);
    refused(() => onCpu({ growthFactor: Infinity }), /a finite number above 1, got Infinity/);
    refused(() => scaler.setGrowthFactor(0.5), /a finite number above 1, got 0.5/);
    refused(() => scaler.setBackoffFactor(Infinity), /below 1, got Infinity/);
    refused(() => scaler.update(Infinity), /newScale must be/);
    refused(() => onCpu({ growthInterval: 0.5 }), /growthInterval must be a whole number/);
    refused(() => new amp.GradScaler({ init_scale: 1 } as never), /Did you mean 'initScale'/);
    refused(() => new amp.GradScaler('cpu' as never), /write \{ device: 'cpu' \}/);
  });

  it('does nothing but step where it is not enabled', () => {
    const weight = parameter();
    const [optimizer, scaler] = [sgd(weight), onCpu({ enabled: false })];
    const loss = weight.sum();
    expect(scaler.scale(loss)).to.equal(loss);
    loss.backward();
    scaler.unscale_(optimizer);
    expect(scaler.step(optimizer, () => 'loss')).to.equal('loss');
    scaler.update();
    expect(weight.tolist()).to.deep.equal([0, 0]);
    expect([scaler.isEnabled(), scaler.getScale(), scaler.stateDict()]).to.deep.equal([false, 1, {}]);
    scaler.loadStateDict({});
  });

  it('says that it is not enabled where there is no GPU', () => {
    const program = `const { amp } = require('aiforge'); console.log(new amp.GradScaler().isEnabled());`;
    const env = { ...process.env, LOG_LEVEL: 'warn', CUDA_VISIBLE_DEVICES: '' };
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', env });
    expect(stdout).to.equal('false\n');
    expect(stderr).to.contain("there is no CUDA device, so it scales nothing; on the CPU, give { device: 'cpu' }");
    expect(new amp.GradScaler().isEnabled()).to.equal(cuda.isAvailable());
  });

  it('gives its settings and takes others', () => {
    const scaler = onCpu({ growthFactor: 4, backoffFactor: 0.25, growthInterval: 7 });
    expect([scaler.getGrowthFactor(), scaler.getBackoffFactor(), scaler.getGrowthInterval()]).to.deep.equal([
      4, 0.25, 7,
    ]);
    scaler.setGrowthFactor(3);
    scaler.setBackoffFactor(0.75);
    scaler.setGrowthInterval(9);
    const state = { scale: 65536, growth_factor: 3, backoff_factor: 0.75, growth_interval: 9, _growth_tracker: 0 };
    expect(scaler.stateDict()).to.deep.equal(state);
  });

  it('takes over a state dict before and after it scaled', () => {
    const state = { scale: 12, growth_factor: 3, backoff_factor: 0.75, growth_interval: 9, _growth_tracker: 5 };
    const [fresh, used] = [onCpu(), onCpu()];
    used.scale(ones([]));
    for (const scaler of [fresh, used]) {
      scaler.loadStateDict(state);
      expect(scaler.stateDict()).to.deep.equal(state);
      expect(scaler.scale(ones([])).item()).to.equal(12);
      expect(scaler.stateDict()).to.deep.equal(state);
    }
    const mismatch = (wrong: object, message: RegExp): void =>
      refused(() => used.loadStateDict(wrong as never), message, 'STATE_DICT_MISMATCH');
    mismatch({}, /the state is empty: it was saved of a scaler that was not enabled/);
    mismatch({ ...state, scale: 'x' }, /scale must be a number, 0 or more, got 'x'/);
    mismatch({ ...state, lr: 1 }, /a GradScaler has no state 'lr'/);
    expect(used.stateDict()).to.deep.equal(state);
  });
});

describe('a fused step of a GradScaler', () => {
  const makers = {
    SGD: (weight: Tensor) => new optim.SGD([weight], { lr: 0.5, momentum: 0.5, fused: true }),
    Adam: (weight: Tensor) => new optim.Adam([weight], { lr: 0.5, fused: true }),
    AdamW: (weight: Tensor) => new optim.AdamW([weight], { lr: 0.5, fused: true }),
    Adagrad: (weight: Tensor) => new optim.Adagrad([weight], { lr: 0.5, fused: true }),
  };

  for (const [name, make] of Object.entries(makers)) {
    it(`of ${name} is that of unscaled gradients, and a skipped one changes no state, the first one neither`, () => {
      const [plain, weight] = [parameter(), parameter()];
      const [expected, optimizer] = [make(plain), make(weight)];
      const scaler = onCpu({ initScale: 4 });
      for (const factor of [Infinity, 3, NaN, 2]) {
        optimizer.zeroGrad();
        scaler.scale(weight.mul(factor).sum()).backward();
        scaler.step(optimizer);
        scaler.update();
        if (!Number.isFinite(factor)) continue;
        plain.grad = keep(fullLike(plain, factor));
        expected.step();
        expect(weight.tolist()).to.deep.equal(plain.tolist());
        expect(weight.grad!.tolist()).to.deep.equal([factor, factor]);
      }
      const state = ({ state }: optim.Optimizer, of: Tensor): unknown =>
        Object.entries(state.get(of)!).map(([key, value]) => [key, (value as Tensor).tolist()]);
      expect(state(optimizer, weight)).to.deep.equal(state(expected, plain));
      expect(scaler.getScale()).to.equal(1);
    });
  }

  it('follows unscale_, and steps as ever without a scaler', () => {
    const weight = parameter();
    const [optimizer, scaler] = [makers.Adam(weight), onCpu({ initScale: 4 })];
    scaler.scale(weight.sum()).backward();
    scaler.unscale_(optimizer);
    scaler.step(optimizer);
    expect(weight.grad!.tolist()).to.deep.equal([1, 1]);
    optimizer.step();
    expect(weight.grad!.tolist()).to.deep.equal([1, 1]);
  });
});
