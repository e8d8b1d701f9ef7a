import {
  arange,
  cat,
  einsum,
  fft,
  linalg,
  load,
  manualSeed,
  matmul,
  nn,
  ones,
  optim,
  randn,
  save,
  special,
  tensor,
  type Tensor,
} from 'aiforge';
import { testing } from 'aiforge';
import { expect } from 'chai';
import path from 'node:path';

import { temporaryFolder } from '../support/project.mjs';
import { needGpu, thrownBy } from './gpu.mjs';

const F = nn.functional;

describe('operators on a GPU', function () {
  before(function () {
    needGpu(this);
  });

  const cases: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
    matmul,
    add: (a, b) => a.add(b),
    'add in float16': (a, b) => a.to('float16').add(b.to('float16')).to('float32'),
    'add in bfloat16': (a, b) => a.to('bfloat16').add(b.to('bfloat16')).to('float32'),
    sum: (a) => a.sum(),
    softmax: (a) => a.softmax(-1),
    sort: (a) => a.sort(1)[0],
    topk: (a) => a.topk(5)[0],
    cumsum: (a) => a.cumsum(0),
    'conv2d (cuDNN)': (a, b) =>
      F.conv2d(a.unflatten(0, [1, 1, 64]), b.narrow(0, 0, 3).narrow(1, 0, 3).unflatten(0, [1, 1, 3])),
    'fft (cuFFT)': (a) => fft.rfft(a).abs(),
    'solve (cuSOLVER)': (a, b) =>
      linalg.solve(
        a.add(a.t()).add(
          b
            .trace()
            .abs()
            .add(64)
            .mul(ones([64], { device: a.device }).diag()),
        ),
        b,
      ),
    'svd (cuSOLVER)': (a) => linalg.svdvals(a),
    'eigh (cuSOLVER)': (a) => linalg.eigvalsh(a.add(a.t())),
    einsum: (a, b) => einsum('ij,kj->ik', a, b),
    'sparse product (cuSPARSE)': (a, b) => a.relu().toSparse().matmul(b),
    'sdpa (flash attention)': (a, b) =>
      F.scaledDotProductAttention(a.unflatten(0, [1, 1, 64]), b.unflatten(0, [1, 1, 64]), a.unflatten(0, [1, 1, 64]), {
        isCausal: true,
      }),
    'i1 (compiled at run time by NVRTC)': (a) => special.i1(a),
    'airyAi (compiled at run time by NVRTC)': (a) => special.airyAi(a),
    at: (a) => a.at([1, 3], '2:9'),
    where: (a, b) => a.where(a.gt(b), b),
    cat: (a, b) => cat([a, b], 1),
    layerNorm: (a) => F.layerNorm(a, [64]),
    unique: (a) => a.mul(3).round().unique(),
  };
  for (const [name, call] of Object.entries(cases)) {
    it(`${name} gives what the CPU gives`, () => {
      manualSeed(0);
      const [a, b] = [randn([64, 64]), randn([64, 64])];
      const there = call(a.to('cuda'), b.to('cuda'));
      expect(there.device).to.equal('cuda:0');
      testing.assertClose(there.to('cpu'), call(a, b), { rtol: 1e-3, atol: 1e-3 });
    });
  }

  it('go in and out', () => {
    const x = tensor([[1, 2], [3, 4]], { device: 'cuda', dtype: 'float32' }); // prettier-ignore
    expect(x.tolist()).to.deep.equal([[1, 2], [3, 4]]); // prettier-ignore
    expect(x.sum().item()).to.equal(10);
    expect(x.at(1, 0).item()).to.equal(3);
    x.set([0, 0], 9);
    expect([...x.toTypedArray()]).to.deep.equal([9, 2, 3, 4]);
    expect(String(x)).to.include("device='cuda:0'");
    expect(arange(3, { device: 'cuda' }).device).to.equal('cuda:0');
    expect(x.to('cpu').device).to.equal('cpu');
    expect(x.pinMemory === undefined).to.equal(false);
  });

  it('are saved where they are, and loaded there', () => {
    const file = path.join(temporaryFolder('cuda'), 'x.pt');
    save({ x: ones([3], { device: 'cuda' }).mul(2), y: ones([2]) }, file);
    const back = load<{ x: Tensor; y: Tensor }>(file);
    expect(back.x.tolist()).to.deep.equal([2, 2, 2]);
    expect(back.y.device).to.equal('cpu');
    expect(back.x.device).to.equal('cuda:0');
    expect(load<{ x: Tensor }>(file, { mapLocation: 'cpu' }).x.device).to.equal('cpu');
  });

  it('say which devices do not fit together', () => {
    const error = thrownBy(() => ones([2], { device: 'cuda' }).add(ones([2])));
    expect(error.code).to.equal('OPERATOR_FAILED');
    expect(error.message).to.include('to(device)');
  });

  it('copy from pinned memory without waiting', () => {
    const host = randn([1 << 20]).pinMemory();
    expect(host.isPinned()).to.equal(true);
    const there = host.to('cuda', { nonBlocking: true });
    testing.assertClose(there.to('cpu'), host, { rtol: 0, atol: 0 });
  });
});

describe('recurrent layers on a GPU', function () {
  before(function () {
    needGpu(this);
  });

  type Forward = (x: Tensor) => [Tensor, unknown];
  /** The bytes between the first and the last of a module's weights that are no weight's. */
  const gapsIn = (module: nn.Module): bigint => {
    const weights = [...module.parameters()].sort((a, b) => Number(a.dataPtr() - b.dataPtr()));
    const [first, last] = [weights[0]!, weights.at(-1)!];
    const bytes = weights.reduce((sum, { nbytes }) => sum + nbytes, 0);
    return last.dataPtr() + BigInt(last.nbytes) - first.dataPtr() - BigInt(bytes);
  };
  for (const make of [
    () => new nn.LSTM(8, 16, { numLayers: 2, bidirectional: true }),
    () => new nn.LSTM(8, 16, { projSize: 4, bias: false }),
    () => new nn.GRU(8, 16, { numLayers: 2 }),
    () => new nn.RNN(8, 16, { nonlinearity: 'relu' }),
  ]) {
    it(`have their weights in one memory, as cuDNN reads them: ${make().toString()}`, () => {
      const onCpu = make();
      const layer = onCpu.deepCopy().to('cuda');
      const x = randn([5, 3, 8]);
      expect([gapsIn(layer), gapsIn(layer.deepCopy())]).to.deep.equal([0n, 0n]);
      const [expected] = (onCpu.forward as Forward)(x);
      const [got] = (layer.forward as Forward)(x.to('cuda'));
      // cuDNN multiplies in TF32, whose numbers have 11 bits.
      testing.assertClose(got.cpu(), expected, { rtol: 1e-2, atol: 2e-3 });
      expected.square().sum().backward();
      got.square().sum().backward();
      const [a, b] = [onCpu, layer].map((module) => [...module.parameters()].map((each) => each.grad!.cpu()));
      a!.forEach((gradient, i) => testing.assertClose(b![i]!, gradient, { rtol: 2e-2, atol: 2e-2 }));
      const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
      optimizer.step();
      layer.loadStateDict(onCpu.stateDict());
      expect(gapsIn(layer)).to.equal(0n);
    });
  }
});
