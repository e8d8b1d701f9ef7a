import {
  cuda,
  Generator,
  matmul,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  randn,
  scope,
  tensor,
  testing,
  zeros,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';

import { needGpu, note, thrownBy } from './gpu.mjs';

const same = { rtol: 0, atol: 0 };

describe('streams and events', function () {
  before(function () {
    needGpu(this);
  });

  it('name the device', () => {
    const { name, major, multiProcessorCount } = cuda.getDeviceProperties();
    note(`${name}, capability ${cuda.getDeviceCapability().join('.')}, NCCL ${cuda.ncclVersion()?.join('.')}`);
    expect(cuda.getDeviceName('cuda:0')).to.equal(name);
    expect(major).to.be.at.least(5);
    expect(multiProcessorCount).to.be.at.least(1);
    expect(cuda.currentDevice()).to.equal(0);
    cuda.setDevice('cuda:0');
  });

  it('run beside each other and wait for each other', () => {
    const x = randn([1024, 1024], { device: 'cuda' });
    const side = new cuda.Stream({ priority: -1 });
    side.waitStream(cuda.currentStream());
    const y = side.run(() => matmul(x, x));
    cuda.recordStream(y, side);
    cuda.currentStream().waitStream(side);
    testing.assertClose(y, matmul(x, x), same);
    side.synchronize();
    expect(side.query()).to.equal(true);
    expect(side.device).to.equal(0);
    expect(side.id).not.to.equal(cuda.defaultStream().id);
  });

  it('are current only inside run', () => {
    const side = new cuda.Stream();
    const outside = cuda.currentStream().id;
    expect(side.run(() => cuda.currentStream().id)).to.equal(side.id);
    expect(() =>
      side.run(() => {
        throw new RangeError('mine');
      }),
    ).to.throw(RangeError);
    expect(cuda.currentStream().id).to.equal(outside);
  });

  it('follow await, each part of the code on its own', async () => {
    const [first, second] = [new cuda.Stream(), new cuda.Stream()];
    const outside = cuda.currentStream().id;
    const pause = async () => new Promise((resolve) => setTimeout(resolve, 2));
    const watch = async (stream: cuda.Stream) =>
      stream.run(async () => {
        const seen = [cuda.currentStream().id];
        for (let i = 0; i < 3; ++i) {
          await pause();
          seen.push(cuda.currentStream().id);
        }
        return seen;
      });
    const [a, b] = [watch(first), watch(second)];
    expect(cuda.currentStream().id).to.equal(outside);
    expect(await a).to.deep.equal(Array(4).fill(first.id));
    expect(await b).to.deep.equal(Array(4).fill(second.id));
    expect(cuda.currentStream().id).to.equal(outside);
    expect(cuda.device(0, () => first.run(() => cuda.device('cuda', () => cuda.currentStream().id)))).to.equal(
      first.id,
    );
    expect(await cuda.device(0, async () => pause().then(() => cuda.currentDevice()))).to.equal(0);
  });

  it('are waited for while the event loop goes on', async () => {
    const x = randn([8192, 8192], { device: 'cuda' });
    let turns = 0;
    const timer = setInterval(() => ++turns, 1);
    const event = new cuda.Event();
    const work = () => {
      for (let i = 0; i < 20; ++i) scope(() => void matmul(x, x));
    };
    for (const wait of [
      async () => (event.record(), event.synchronizeAsync()),
      async () => cuda.currentStream().synchronizeAsync(),
      async () => cuda.synchronizeAsync(),
    ]) {
      work();
      turns = 0;
      await wait();
      expect(cuda.currentStream().query()).to.equal(true);
      expect(turns).to.be.greaterThan(5);
    }
    clearInterval(timer);
  });

  it('are, in a hook, what the engine works on', () => {
    const side = new cuda.Stream();
    const x = ones([1024], { device: 'cuda', requiresGrad: true });
    side.waitStream(cuda.currentStream());
    const y = side.run(() => x.mul(2));
    const seen: unknown[] = [];
    y.registerHook((gradient) => {
      seen.push(cuda.currentStream().id, new cuda.Stream().run(() => gradient.mul(2)) instanceof Object);
      seen.push(cuda.currentStream().id);
    });
    side.run(() => y.sum()).backward();
    expect(seen).to.deep.equal([side.id, true, side.id]);
    expect(cuda.currentStream().id).to.equal(cuda.defaultStream().id);
  });

  it('measure time', () => {
    const x = randn([2048, 2048], { device: 'cuda' });
    matmul(x, x);
    const [start, end] = [new cuda.Event({ enableTiming: true }), new cuda.Event({ enableTiming: true })];
    expect(start.query()).to.equal(true);
    start.record();
    for (let i = 0; i < 20; ++i) scope(() => void matmul(x, x));
    end.record();
    end.synchronize();
    expect(end.query()).to.equal(true);
    const milliseconds = start.elapsedTime(end) / 20;
    note(`2048 × 2048 in float32: ${((2 * 2048 ** 3) / milliseconds / 1e9).toFixed(1)} TFLOP/s`);
    expect(milliseconds).to.be.greaterThan(0);
    const untimed = new cuda.Event();
    untimed.record();
    expect(thrownBy(() => untimed.elapsedTime(end)).code).to.equal('OPERATOR_FAILED');
  });

  it('carry backward passes, on the engine’s threads and beside', async () => {
    const side = new cuda.Stream();
    const x = ones([1 << 20], { device: 'cuda', requiresGrad: true });
    side.waitStream(cuda.currentStream());
    side.run(() => x.mul(3).sum().backward());
    cuda.currentStream().waitStream(side);
    expect(x.grad!.sum().item()).to.equal(3 * 2 ** 20);
    const loss = side.run(() => x.mul(2).sum());
    await loss.backwardAsync();
    cuda.synchronize();
    expect(x.grad!.sum().item()).to.equal(5 * 2 ** 20);
  });
});

describe('CUDA graphs', function () {
  before(function () {
    needGpu(this);
  });

  it('replay what was captured, on new values', () => {
    const [x, out] = [randn([512, 512], { device: 'cuda' }), zeros([512, 512], { device: 'cuda' })];
    const work = (): void =>
      noGrad(() =>
        scope(() => {
          let y = x;
          for (let i = 0; i < 20; ++i) y = y.add(1).mul(0.5);
          out.copy_(y);
        }),
      );
    const side = new cuda.Stream();
    side.waitStream(cuda.currentStream());
    side.run(work);
    cuda.currentStream().waitStream(side);
    const graph = new cuda.CUDAGraph();
    graph.capture(work);
    x.fill_(2);
    graph.replay();
    expect(out.at(0, 0).item()).to.be.closeTo(1 + 2 ** -20, 1e-5);
    x.fill_(4);
    const other = new cuda.CUDAGraph();
    other.capture(work, { pool: graph, mode: 'relaxed' });
    other.replay();
    expect(out.at(5, 7).item()).to.be.closeTo(1 + 3 * 2 ** -20, 1e-5);
    graph.reset();
  });

  it('draw new random numbers at each replay', () => {
    const out = zeros([1000], { device: 'cuda' });
    const graph = new cuda.CUDAGraph();
    randn([1], { device: 'cuda' });
    graph.capture(() => scope(() => void out.copy_(randn([1000], { device: 'cuda' }))));
    graph.replay();
    const first = out.clone();
    graph.replay();
    expect(out.sub(first).abs().sum().item()).to.be.greaterThan(0);
  });

  it('say what cannot be captured, and the GPU works on', () => {
    const x = ones([4], { device: 'cuda' });
    const graph = new cuda.CUDAGraph();
    const error = thrownBy(() => graph.capture(() => void x.sum().item()));
    note(error.message.split('\n')[0]!);
    expect(error.code).to.equal('OPERATOR_FAILED');
    expect(x.sum().item()).to.equal(4);
    expect(thrownBy(() => new cuda.CUDAGraph().replay()).code).to.equal('OPERATOR_FAILED');
    expect(thrownBy(() => new cuda.CUDAGraph().capture(() => Promise.resolve() as unknown as undefined)).code).to.equal(
      'INVALID_ARGUMENT',
    );
    expect(x.add(1).sum().item()).to.equal(8);
  });

  it('share memory, tell that they capture, and draw from generators of their own', () => {
    const pool = new cuda.MemoryPool();
    const generator = new Generator({ device: 'cuda' }).manualSeed(3);
    const out = zeros([4], { device: 'cuda' });
    const graphs = [new cuda.CUDAGraph(), new cuda.CUDAGraph()];
    const seen: boolean[] = [];
    for (const graph of graphs) {
      graph.registerGeneratorState(generator);
      graph.capture(
        () => {
          seen.push(cuda.isCurrentStreamCapturing());
          scope(() => void out.copy_(rand([4], { device: 'cuda', generator })));
        },
        { pool },
      );
    }
    expect([...seen, cuda.isCurrentStreamCapturing()]).to.deep.equal([true, true, false]);
    const drawn = graphs.flatMap((graph) => [0, 1].map(() => (graph.replay(), String(out.tolist()))));
    expect(new Set(drawn).size).to.equal(4);
  });
});

describe('graphed callables', function () {
  before(function () {
    needGpu(this);
  });

  it('train as the module does, and evaluate ungraphed', () => {
    const make = () => {
      const model = new nn.Sequential(new nn.Linear(16, 32), new nn.ReLU(), new nn.Linear(32, 4));
      model.to('cuda');
      return model;
    };
    const [plain, graphed] = [make(), make()];
    graphed.loadStateDict(plain.stateDict());
    cuda.makeGraphedCallables(graphed, [randn([8, 16], { device: 'cuda' })]);
    const optimizers = [plain, graphed].map((model) => new optim.SGD(model.parameters(), { lr: 0.1 }));
    for (let i = 0; i < 5; ++i) {
      const x = randn([8, 16], { device: 'cuda' });
      [plain, graphed].forEach((model, k) => {
        optimizers[k]!.zeroGrad();
        model.forward(x).square().mean().backward();
        optimizers[k]!.step();
      });
    }
    for (const [name, parameter] of plain.namedParameters()) {
      testing.assertClose(graphed.getParameter(name), parameter, same);
    }
    graphed.eval();
    expect(graphed.forward(randn([3, 16], { device: 'cuda' })).shape).to.deep.equal([3, 4]);
  });

  it('are functions too, several at once, with arguments that require gradients', () => {
    const samples = [
      [ones([4], { device: 'cuda', requiresGrad: true })],
      [ones([4], { device: 'cuda', requiresGrad: true })],
    ];
    const [double, cube] = cuda.makeGraphedCallables(
      [(x: Tensor) => ({ y: x.mul(2) }), (x: Tensor) => x.pow(3)] as const,
      samples,
    );
    const x = tensor([1, 2, 3, 4], { dtype: 'float32', device: 'cuda', requiresGrad: true });
    const result = cube(double(x).y);
    expect(result.tolist()).to.deep.equal([8, 64, 216, 512]);
    result.sum().backward();
    expect(x.grad!.tolist()).to.deep.equal([24, 96, 216, 384]);
    expect(thrownBy(() => cube(ones([5], { device: 'cuda' }))).message).to.include('[4], and got one of [5]');
  });
});

describe('generators of a GPU', function () {
  before(function () {
    needGpu(this);
  });

  it('draw what the default one of that seed draws', () => {
    const generator = new Generator({ device: 'cuda' }).manualSeed(7);
    expect(generator.device).to.equal('cuda:0');
    cuda.manualSeed(7);
    expect(cuda.initialSeed()).to.equal(7);
    testing.assertClose(randn([100], { device: 'cuda', generator }), randn([100], { device: 'cuda' }), same);
    const [state, states] = [generator.getState(), cuda.getRngStateAll()];
    const first = randn([10], { device: 'cuda', generator });
    testing.assertClose(randn([10], { device: 'cuda', generator: generator.setState(state) }), first, same);
    const drawn = rand([3], { device: 'cuda' });
    cuda.setRngStateAll(states);
    testing.assertClose(rand([3], { device: 'cuda' }), drawn, same);
    const seed = cuda.seedAll();
    expect(cuda.initialSeed()).to.equal(seed);
    expect(typeof cuda.seed()).to.be.oneOf(['number', 'bigint']);
    expect(thrownBy(() => randn([2], { generator })).message).to.match(/[Gg]enerator/);
  });
});
