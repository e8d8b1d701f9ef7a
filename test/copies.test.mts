import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { createContext, runInContext } from 'node:vm';
import * as aiforge from 'aiforge';
import { copyOfLibrary, type Library } from './support/copies.mjs';

const first: Library = aiforge;

const train = ({ ones }: Library) => {
  const weights = ones([2], { requiresGrad: true });
  weights.mul(3).sum().backward();
  return weights.grad!.tolist();
};

const failing = ({ ones }: Library): unknown => {
  try {
    return ones([2, 3]).matmul(ones([2, 3]));
  } catch (error) {
    return error;
  }
};

describe('copies of the library over one addon', () => {
  for (const [what, leave] of [
    ['noGrad', ({ noGrad, ones }: Library) => noGrad(() => ones([1]))],
    ['inference mode', ({ inferenceMode, ones }: Library) => inferenceMode(() => ones([1]))],
    [
      'saved tensors hooks',
      ({ autograd, ones }: Library) =>
        autograd.savedTensorsHooks(
          () => null,
          () => ones([7]),
          () => ones([1]),
        ),
    ],
  ] as const) {
    it(`begin without the ${what} of another's last operator, and go back to their own`, () => {
      leave(first);
      const second = copyOfLibrary();
      expect(train(second)).to.deep.equal([3, 3]);
      leave(second);
      expect(train(first)).to.deep.equal([3, 3]);
    });
  }

  it('compute in their own modes, one within the other', () => {
    const second = copyOfLibrary();
    first.noGrad(() => {
      first.ones([1]);
      expect(train(second)).to.deep.equal([3, 3]);
      expect(first.ones([1], { requiresGrad: true }).mul(2).requiresGrad).to.equal(false);
    });
    first.amp.autocast({ deviceType: 'cpu', dtype: 'bfloat16' }, () => {
      expect(first.ones([2, 2]).matmul(first.ones([2, 2])).dtype).to.equal('bfloat16');
      expect(second.ones([2, 2]).matmul(second.ones([2, 2])).dtype).to.equal('float32');
    });
  });

  it('take what cannot be read for no tensor', () => {
    const second = copyOfLibrary();
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const { Tensor } of [first, second]) expect(Tensor.isTensor(proxy)).to.equal(false);
  });

  it('make tensors in their own scopes only, and tell all scopes in their statistics', () => {
    const second = copyOfLibrary();
    const made: aiforge.Tensor[] = [];
    first.scope('outer', () => {
      made.push(first.ones([1]), second.ones([1]));
      expect(second.memory.stats().scopes.map(({ name }) => name)).to.include('outer');
    });
    expect(made.map((each) => each.isDisposed)).to.deep.equal([true, false]);
    expect(second.scope(() => first.ones([2])).tolist()).to.deep.equal([1, 1]);
  });

  it('throw errors of their own class, which is another copy’s too', () => {
    const second = copyOfLibrary();
    for (const [own, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const error = failing(own);
      expect(error).to.be.instanceOf(own.AiforgeError).and.instanceOf(other.AiforgeError);
      expect((error as Error).constructor).to.equal(own.AiforgeError);
      expect(error).not.to.be.instanceOf(other.TensorDisposedError);
    }
    const gone = first.ones([1]);
    gone.dispose();
    expect(() => gone.add(1))
      .to.throw(second.TensorDisposedError)
      .with.property('code', 'TENSOR_DISPOSED');
    expect(new Error('other')).not.to.be.instanceOf(first.AiforgeError);
  });

  it('take each other’s tensors, and no look-alikes', () => {
    const second = copyOfLibrary();
    const [a, b] = [first.ones([2]), second.full([2], 3)];
    expect(a.add(b).tolist()).to.deep.equal([4, 4]);
    expect(second.stack([a, b]).tolist()).to.deep.equal([
      [1, 1],
      [3, 3],
    ]);
    expect(first.isTensor(b)).to.equal(true);
    expect(b).to.be.instanceOf(first.Tensor).and.not.instanceOf(first.nn.Parameter);
    const parameter = new second.nn.Parameter(second.zeros([1]));
    expect(parameter).to.be.instanceOf(first.nn.Parameter).and.instanceOf(first.Tensor);
    for (const alike of [Object.create(second.Tensor.prototype), { shape: [2], dtype: 'float32' }, {}]) {
      expect(first.isTensor(alike)).to.equal(false);
      expect(() => first.add(alike as never, 1)).to.throw(first.AiforgeError);
    }
  });

  it('take each other’s generators', () => {
    const second = copyOfLibrary();
    const [own, other] = [first, second].map((copy) => new copy.Generator().manualSeed(1));
    expect(other).to.be.instanceOf(first.Generator);
    const drawn = first.randn([2], { generator: other! }).tolist();
    expect(drawn).to.deep.equal(first.randn([2], { generator: own! }).tolist());
    expect(() => first.randn([2], { generator: {} as never })).to.throw(first.AiforgeError);
  });

  it('take each other’s modules', () => {
    const second = copyOfLibrary();
    const linear = new second.nn.Linear(2, 1);
    const model = new first.nn.Sequential(linear, new first.nn.ReLU());
    expect(Object.keys(model.stateDict())).to.deep.equal(['0.weight', '0.bias']);
    const optimizer = new first.optim.SGD(model.parameters(), { lr: 0.5 });
    const before = linear.weight.clone();
    model
      .forward(first.ones([1, 2]))
      .add(1)
      .sum()
      .backward();
    optimizer.step();
    expect(linear.weight.tolist()).to.deep.equal(before.sub(linear.weight.grad!.mul(0.5)).tolist());
  });

  it('run a hook in the modes of the copy that registered it, whichever began the pass', () => {
    const second = copyOfLibrary();
    for (const [own, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const recording: boolean[] = [];
      const x = own.ones([2], { requiresGrad: true });
      x.registerHook((grad) => {
        recording.push(own.ones([1], { requiresGrad: true }).mul(2).requiresGrad);
        return grad.mul(2);
      });
      const y = other.ones([2], { requiresGrad: true });
      other.noGrad(() => other.ones([1]));
      other
        .mul(x as never, y)
        .sum()
        .backward();
      expect(x.grad!.tolist()).to.deep.equal([2, 2]);
      expect(recording).to.deep.equal([false]);
    }
  });

  it('compute in what the engine calls of another, whose own errors come after', async () => {
    const second = copyOfLibrary();
    for (const [own, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const leaf = () => own.ones([2], { requiresGrad: true });
      const double = (gradient: aiforge.Tensor) => other.mul(gradient, 2);
      const gradientOf = (compute: (x: aiforge.Tensor) => aiforge.Tensor) => {
        const x = leaf();
        compute(x).sum().backward();
        return x.grad!.tolist();
      };

      const hooked = leaf();
      hooked.registerHook(double);
      hooked.sum().backward();
      await hooked.sum().backwardAsync();
      expect(hooked.grad!.tolist()).to.deep.equal([4, 4]);
      expect(own.grad(hooked.sum(), [hooked])[0]!.tolist()).to.deep.equal([2, 2]);

      const weights = leaf();
      const optimizer = new other.optim.SGD([weights], { lr: 0.5 });
      weights.registerPostAccumulateGradHook(() => optimizer.step());
      weights.sum().backward();
      expect(weights.tolist()).to.deep.equal([0.5, 0.5]);

      const tripled = (x: aiforge.Tensor) =>
        own.autograd.savedTensorsHooks(
          (saved) => other.mul(saved, 1),
          (packed) => other.mul(packed, 3),
          () => x.mul(x),
        );
      expect(gradientOf(tripled)).to.deep.equal([6, 6]);
      expect(gradientOf((x) => own.checkpoint((inner: aiforge.Tensor) => other.mul(inner, inner), x))).to.deep.equal([
        2, 2,
      ]);

      const layer = new own.nn.Identity();
      layer.registerFullBackwardPreHook((_, [gradient]) => [double(gradient!)]);
      layer.registerFullBackwardHook((_, [gradient]) => [double(gradient!)]);
      expect(gradientOf((x) => layer.forward(x))).to.deep.equal([4, 4]);

      class Square extends own.autograd.Function {
        static forward(context: aiforge.autograd.FunctionContext, x: aiforge.Tensor) {
          context.saveForBackward(x);
          return other.mul(x, x);
        }
        static backward(context: aiforge.autograd.FunctionContext, gradient: aiforge.Tensor) {
          return other.mul(gradient, double(context.savedTensors[0]!));
        }
      }
      expect(gradientOf((x) => Square.apply(x))).to.deep.equal([2, 2]);

      const misshapen = leaf().mul(1);
      misshapen.registerHook(() => other.ones([3]));
      expect(() => misshapen.sum().backward())
        .to.throw(own.AiforgeError, /has changed the size/)
        .with.property('constructor', own.AiforgeError);
    }
  });

  it('know of the anomaly mode that another has switched on', () => {
    first.autograd.detectAnomaly(() => {
      expect(copyOfLibrary().autograd.isAnomalyEnabled()).to.equal(true);
    });
    expect(copyOfLibrary().autograd.isAnomalyEnabled()).to.equal(false);
  });

  it('may be of other realms', () => {
    const realm = createContext({ process, console, setTimeout, queueMicrotask, structuredClone, WeakRef, URL });
    const other = copyOfLibrary(realm);
    expect(train(other)).to.deep.equal([3, 3]);
    expect(failing(other)).to.be.instanceOf(first.AiforgeError).and.instanceOf(runInContext('Error', realm));
    expect(
      first
        .ones([2])
        .add(other.ones([2]))
        .tolist(),
    ).to.deep.equal([2, 2]);
    expect(train(first)).to.deep.equal([3, 3]);
  });

  it('work where a loader forgot the addon too', () => {
    const script = `
      const assert = require('node:assert');
      const first = require('aiforge');
      for (const file of Object.keys(require.cache)) delete require.cache[file];
      const second = require('aiforge');
      assert.notEqual(first.Tensor, second.Tensor);
      for (const { nn, ones } of [first, second]) {
        const seen = [];
        const x = ones([2], { requiresGrad: true });
        const y = x.mul(2);
        y.registerHook((gradient) => void seen.push(gradient.tolist()));
        const layer = new nn.Linear(2, 1);
        layer.registerFullBackwardHook(() => { throw new RangeError('stop'); });
        assert.throws(() => layer.forward(y).sum().backward(), /stop/);
        y.sum().backward();
        assert.deepStrictEqual(seen, [[1, 1]]);
      }
      assert.deepEqual(second.ones([2]), first.ones([2]));
      const { assertEqual } = require('aiforge/testing');
      assertEqual(second.ones([2]), first.ones([2]));
      const file = require('node:path').join(require('node:os').tmpdir(), 'copies-' + process.pid + '.pt');
      first.save(new second.nn.Linear(2, 1).stateDict(), file);
      assert.deepEqual([...first.load(file).keys?.() ?? Object.keys(first.load(file))], ['weight', 'bias']);
      require('node:fs').rmSync(file);
      console.log('done');`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect({ status, stdout, stderr }).to.deep.equal({ status: 0, stdout: 'done\n', stderr: '' });
  });
});
