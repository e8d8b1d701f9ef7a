import { cuda, matmul, noGrad, ones, randn, scope, testing, zeros } from 'aiforge';
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
    expect(thrownBy(() => side.run(async () => Promise.resolve())).code).to.equal('INVALID_ARGUMENT');
    expect(cuda.currentStream().id).to.equal(outside);
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
});
