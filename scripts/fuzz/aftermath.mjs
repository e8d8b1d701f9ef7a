// What is done to tensors after a call: to its arguments, which a graph may have saved, and to its results.
import { hash, Random } from './random.mjs';

const MOST_BYTES = 1 << 20;
const MOST_ELEMENTS = 2 ** 24;

const shapes = [[0], [1], [3], [2, 2], [64], [], [2 ** 50], [-1], [1, 1, 1, 1, 1]];

/** A tensor to put in the place of another, of other sizes, dtype, layout or contents. */
export function otherThan({ tensor: library }, x, random) {
  const ones = (shape, dtype) => library.ones(shape, { dtype });
  const size = () => x.shape.map((length) => random.pick([0, 1, length, length + 1]));
  return random.pick([
    () => ones([1], x.dtype),
    () => ones([0], x.dtype),
    () => ones(size(), x.dtype),
    () => ones(x.shape, random.pick(['float32', 'float64', 'int64', 'int32', 'uint8', 'bool', 'complex64', 'float16'])),
    () => ones([1], x.dtype).expand(x.shape),
    () => library.full(x.shape, random.pick([-1, 7, 1000, 1e9, -1e9]), { dtype: x.dtype }),
    () => library.empty(x.shape, { dtype: x.dtype, device: 'meta' }),
    () => ones(x.shape, x.dtype).toSparse(),
    () => ones([...x.shape].reverse(), x.dtype),
    () => x,
  ])();
}

/** Step → what it does to one tensor; `others` are those of the same call. */
const steps = {
  resize: (_, x, random) => x.resize_(random.pick(shapes)),
  resizeAs: (_, x, random, others) => x.resizeAs_(random.pick(others)),
  set: (library, x, random) => x.set_(otherThan(library, x, random)),
  setData: (library, x, random) => x.setData(otherThan(library, x, random)),
  requiresGrad: (_, x, random) => x.requiresGrad_(random.chance(0.5)),
  turn: (_, x, random) =>
    random.pick([() => x.t_(), () => x.unsqueeze_(0), () => x.squeeze_(), () => x.asStrided_([2], [1])])(),
  inPlace: (_, x, random) => random.pick([() => x.zero_(), () => x.add_(1e9), () => x.fill_(-7), () => x.neg_()])(),
  write(_, x, random) {
    if (x.nbytes > MOST_BYTES) return;
    const memory = x.viewTypedArray();
    const isBig = memory instanceof BigInt64Array || memory instanceof BigUint64Array;
    memory.fill(isBig ? random.pick([-1n, 10n ** 9n, 2n ** 62n]) : random.pick([-1, 1e9, 0]));
  },
  writeIndices(_, x, random) {
    const parts = x.layout === 'sparse_coo' ? [x.indices(), x.values()] : [x.crowIndices(), x.colIndices(), x.values()];
    const part = random.pick(parts);
    random.pick([() => part.fill_(1e9), () => part.resize_([0]), () => part.set_(part.clone().narrow(-1, 0, 1))])();
  },
  put: (_, x, random, others) => x.put(random.pick(others), random.pick([0, -1, '::2', '...', null, 1e9, others[0]])),
  at: (_, x, random, others) => String(x.at(random.pick([0, -1, '1:', '...', null, 1e9, others[0]]))),
  share({ tensor }, x, random) {
    const token = structuredClone(random.chance(0.7) ? tensor.share(x) : tensor.transfer(x));
    const received = tensor.fromShared(token);
    attemptAll([
      () => received.resize_(random.pick(shapes)),
      () => received.add_(1),
      () => tensor.releaseShared(token),
    ]);
  },
  // It takes as long as ten calls.
  file({ serialization }, x, random) {
    if (x.nbytes > MOST_BYTES || random.chance(0.8)) return;
    serialization.save({ x }, 'saved.pt');
    serialization.load('saved.pt');
  },
  memory: ({ tensor }, x) => tensor.fromTypedArray(x.toTypedArray(), x.shape),
  backward: (_, x, random) => isSmall(x) && x.sum().backward({ retainGraph: random.chance(0.5) }),
  grad: ({ autograd }, x, random, others) => isSmall(x) && autograd.grad(x.sum(), others, { allowUnused: true, createGraph: true, retainGraph: random.chance(0.5) }), // prettier-ignore
  dispose: (_, x) => x.dispose(),
};

/** Whether reading all of it is short work: an expanded tensor or a file may be without end. */
export const isSmall = (x) => x.numel() <= MOST_ELEMENTS;

const isRefusal = (error) => ['AiforgeError', 'TensorDisposedError', 'HostileError'].includes(error?.name);

function attemptAll(all) {
  for (const each of all) {
    try {
      each();
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }
}

/** A few steps to take, for the description of a call. */
export function describeAftermath(random) {
  if (random.chance(0.5)) return {};
  const after = random.list(random.int(1, 3), () => random.pick(Object.keys(steps)));
  // What a graph saved is used once more.
  if (random.chance(0.6)) after.push('backward');
  return { after, afterSeed: random.int(1, 2 ** 31) };
}

/** Takes the described steps, each on one of the tensors. */
export function takeSteps(library, { after = [], afterSeed }, handles) {
  const { native, wrapHandle } = library;
  const random = new Random(hash('after', afterSeed));
  for (const name of after) {
    const live = [...new Set(handles)].filter((handle) => native.isLive(handle)).map(wrapHandle);
    if (live.length === 0) return;
    // A graph hangs on the results, which are the last.
    const x = name === 'backward' ? live.at(-1) : random.pick(live);
    attemptAll([() => steps[name](library, x, random, live)]);
  }
}
