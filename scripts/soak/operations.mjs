// What the soak does, by kind. Each entry runs a few operations on tensors of a random shape and returns how many.
import {
  add,
  AiforgeError,
  cat,
  fromShared,
  fromTypedArray,
  Generator,
  grad,
  inferenceMode,
  keep,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  releaseShared,
  Scope,
  scope,
  share,
  stack,
  tensor,
  transfer,
  where,
  zeros,
} from 'aiforge';

/** A seeded generator of whole numbers below a bound, so that a run can be repeated. */
export function randomIntegers(seed) {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

function refused(use, code) {
  try {
    use();
  } catch (error) {
    if (error instanceof AiforgeError && error.code === code) return;
    throw error;
  }
  throw new Error(`nothing was refused: ${use}`);
}

/** The kinds of operations; `below(n)` draws a number. What lives on between operations is made here, once. */
export function makeOperations(below) {
  const shape = () => Array.from({ length: 1 + below(3) }, () => 1 + below(8));
  const base = rand([8, 16]);
  const parameter = ones([16], { requiresGrad: true });
  const model = new nn.Sequential(new nn.Linear(16, 8), new nn.ReLU(), new nn.Linear(8, 2));
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const generator = new Generator().manualSeed(1);

  return {
    pointwise() {
      const x = rand(shape());
      x.add(1).mul(x).exp().neg().relu();
      add(x, x, { alpha: 2 });
      where(x.gt(0.5), x, x.mul(0.1));
      return 11;
    },
    inPlace() {
      const x = zeros(shape());
      x.add_(1).mul_(2).clamp_(0, 1).zero_();
      return 5;
    },
    reductions() {
      const x = rand([1 + below(6), 1 + below(6)]);
      const largest = x.max(1);
      x.sum();
      x.mean(0);
      x.std();
      x.argmax();
      return 6 + largest.length;
    },
    views() {
      const view = base.view(16, 8).t().narrow(0, below(4), 4);
      view.unsqueeze(0).expand(3, 4, 16).select(0, 1).contiguous();
      base.chunk(4, 1);
      base.split(3);
      return 9;
    },
    indexing() {
      const x = zeros([4, 4]);
      x.at(below(4), '1:3');
      x.at('...', null, [0, 2]);
      x.set([below(4)], 7);
      x.at(x.gt(1));
      x.indexSelect(0, tensor([0, below(4)]));
      return 8;
    },
    lists() {
      const all = Array.from({ length: 1 + below(5) }, () => ones([2, 2]));
      cat(all);
      stack(all, 1);
      return all.length + 2;
    },
    creation() {
      const size = 1 + below(64);
      fromTypedArray(new Float32Array(size), { shape: [size] });
      fromTypedArray(new Float64Array(new SharedArrayBuffer(8 * size)));
      tensor(new Int32Array(size));
      tensor([
        [1, 2],
        [3, below(9)],
      ]);
      tensor([true, false]).to('float16');
      rand([size], { generator });
      return 7;
    },
    reading() {
      const x = rand(shape());
      x.tolist();
      x.sum().item();
      x.toTypedArray();
      x.viewTypedArray()[0] = 1;
      String(x);
      return 6 + x.shape.length;
    },
    autograd() {
      const y = parameter.mul(base).pow(2).sum();
      y.backward();
      parameter.grad = null;
      const [first] = grad(parameter.pow(3).sum(), parameter, { createGraph: true });
      grad(first.sum(), parameter);
      noGrad(() => parameter.mul(2));
      inferenceMode(() => parameter.add(1));
      return 12;
    },
    hooks() {
      const y = parameter.mul(base);
      const hook = y.registerHook((gradient) => gradient.mul(0.5));
      y.retainGrad();
      y.sum().backward();
      hook.remove();
      y.grad.sum();
      parameter.grad = null;
      return 6;
    },
    async backwardBeside() {
      const y = parameter.mul(base);
      y.registerHook((gradient) => scope(() => void gradient.add(1)));
      await y.sum().backwardAsync();
      parameter.grad = null;
      return 4;
    },
    training() {
      optimizer.zeroGrad();
      model.forward(base).pow(2).mean().backward();
      optimizer.step();
      return 7;
    },
    errors() {
      const gone = ones([2]);
      gone.dispose();
      refused(() => gone.add(1), 'TENSOR_DISPOSED');
      refused(() => ones([2, 3]).matmul(ones([2, 3])), 'OPERATOR_FAILED');
      refused(() => ones([2]).add('x'), 'INVALID_ARGUMENT');
      refused(() => ones([2]).item(), 'OPERATOR_FAILED');
      refused(() => scope(() => cat([ones([2]), gone])), 'TENSOR_DISPOSED');
      return 9;
    },
    scopes() {
      const kept = scope('outer', () => {
        const inner = new Scope('inner');
        const made = ones([2]).mul(3);
        const result = inner.keep({ list: [made], map: new Map([['x', made.add(1)]]) });
        inner.close();
        return result;
      });
      const free = scope(() => keep(kept.list[0].isDisposed ? ones([1]) : kept.list[0].add(1)));
      free.dispose();
      return 6;
    },
    async asynchronous() {
      const task = async (id) => {
        const mine = tensor([id]);
        await null;
        const next = await scope(async () => {
          await null;
          return mine.add(1);
        });
        return next.mul(2);
      };
      const results = await Promise.all([1, 2, 3].map((id) => scope(() => task(id))));
      results.forEach((result) => result.dispose());
      return 9;
    },
    sharing() {
      const x = ones([4]);
      const token = share(x);
      fromShared(token).add_(1);
      releaseShared(token);
      fromShared(transfer(x)).sum();
      return 6;
    },
    handles() {
      const x = ones([3]);
      x.dispose();
      x.dispose();
      const other = new Generator();
      other.manualSeed(below(100));
      return 5;
    },
  };
}
