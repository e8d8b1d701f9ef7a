import { cuda, ones, randn, scope, zeros, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { collectGarbage } from '../support/garbage.mjs';
import { temporaryFolder } from '../support/project.mjs';
import { needGpu, note, thrownBy } from './gpu.mjs';

const MiB = 2 ** 20;
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

describe('memory of a GPU', function () {
  before(function () {
    needGpu(this);
  });
  beforeEach(() => {
    collectGarbage();
    scope(() => ones([1], { device: 'cuda' }).item());
    cuda.emptyCache();
  });

  it('is counted and given back', () => {
    const before = cuda.memoryAllocated();
    cuda.resetPeakMemoryStats();
    const big = zeros([64 * MiB], { device: 'cuda' });
    expect(cuda.memoryAllocated() - before).to.equal(256 * MiB);
    expect(cuda.maxMemoryAllocated() - before).to.equal(256 * MiB);
    big.dispose();
    expect(cuda.memoryAllocated()).to.equal(before);
    const reserved = cuda.memoryReserved();
    cuda.emptyCache();
    expect(cuda.memoryReserved()).to.be.at.most(reserved - 256 * MiB);
    const [free, total] = cuda.memGetInfo();
    expect(free).to.be.within(1, total);
    expect(cuda.getDeviceProperties().totalMemory).to.be.at.least(total * 0.9);
    expect(Object.keys(cuda.memoryStats()).length).to.be.greaterThan(100);
  });

  it('is released by a scope', () => {
    const before = cuda.memoryAllocated();
    for (let i = 0; i < 50; ++i) scope(() => randn([MiB], { device: 'cuda' }).exp().sum().item());
    expect(cuda.memoryAllocated()).to.equal(before);
  });

  it('is kept in bounds by the collector where nobody releases it', () => {
    cuda.resetPeakMemoryStats();
    const before = cuda.memoryAllocated();
    for (let i = 0; i < 2000; ++i) randn([MiB], { device: 'cuda' }).exp();
    cuda.synchronize();
    const peak = cuda.maxMemoryAllocated() - before;
    note(`2,000 times 8 MB, nothing released: peak ${gigabytes(peak)}`);
    expect(peak).to.be.lessThan(4e9);
  });

  it('that is not there is an error, and what was there still is', () => {
    const error = thrownBy(() => zeros([2 ** 40], { device: 'cuda' }));
    expect(error.code).to.equal('OUT_OF_MEMORY');
    expect(error.message).to.include('scope()');
    expect(ones([4], { device: 'cuda' }).sum().item()).to.equal(4);
    const before = cuda.memoryAllocated();
    const held: Tensor[] = [];
    const filled = thrownBy(() => {
      for (;;) held.push(zeros([256 * MiB], { device: 'cuda' }));
    });
    expect(filled.code).to.equal('OUT_OF_MEMORY');
    note(`${held.length} GiB were there`);
    expect(held.length).to.be.greaterThan(1);
    for (const tensor of held) tensor.dispose();
    expect(cuda.memoryAllocated()).to.be.at.most(before);
    cuda.emptyCache();
  });

  it('that only garbage holds is found before an operator fails', () => {
    const [free] = cuda.memGetInfo();
    const held = zeros([Math.floor(free * 0.7)], { device: 'cuda', dtype: 'uint8' });
    const part = Math.floor(free * 0.05);
    // Each is garbage at once, and together they are several times what is left.
    for (let i = 0; i < 40; ++i) zeros([part], { device: 'cuda', dtype: 'uint8' });
    const ooms = cuda.memoryStats()['num_ooms']!;
    note(`${gigabytes(held.nbytes)} held, 40 times ${gigabytes(part)} dropped: ${ooms} operators were tried again`);
    held.dispose();
    cuda.emptyCache();
  });

  it('that an abandoned graph holds is found too', () => {
    const [free] = cuda.memGetInfo();
    const size = Math.floor(free * 0.09);
    const weight = ones([1], { device: 'cuda', requiresGrad: true });
    const x = zeros([Math.floor(size / 4)], { device: 'cuda' });
    // What exp() saves for its gradient is held by the one number that is the loss, which V8 thinks little of.
    for (let i = 0; i < 30; ++i) x.mul(weight).exp().sum();
    expect(x.mul(weight).exp().sum().item()).to.be.greaterThan(0);
    x.dispose();
    cuda.emptyCache();
  });

  it('is limited to a fraction, and a snapshot shows what there was', () => {
    const file = path.join(temporaryFolder('cuda-memory'), 'snapshot.json');
    const held = zeros([16 * MiB], { device: 'cuda' });
    expect(cuda.getPerProcessMemoryFraction()).to.equal(1);
    cuda.setPerProcessMemoryFraction(0.1);
    cuda.dumpMemorySnapshotOnFailure(file);
    const [, total] = cuda.memGetInfo();
    const error = thrownBy(() => zeros([Math.floor(total * 0.2)], { device: 'cuda', dtype: 'uint8' }));
    cuda.dumpMemorySnapshotOnFailure(null);
    cuda.setPerProcessMemoryFraction(1);
    expect(error.code).to.equal('OUT_OF_MEMORY');
    const { segments, stats } = JSON.parse(readFileSync(file, 'utf8')) as {
      segments: { totalSize: number; address: string; blocks: { size: number; state: string }[] }[];
      stats: Record<string, number>[];
    };
    const blocks = segments.flatMap((segment) => segment.blocks).filter(({ state }) => state === 'allocated');
    expect(blocks.map(({ size }) => size)).to.include(64 * MiB);
    expect(segments[0]!.address).to.match(/^0x[0-9a-f]+$/);
    expect(stats[0]!['num_ooms']).to.be.greaterThan(0);
    expect(cuda.memorySummary()).to.include('of tensors').and.include('in large pieces');
    expect(cuda.memorySummary(0, { abbreviated: true }).split('\n').length).to.equal(11);
    cuda.resetAccumulatedMemoryStats();
    expect(cuda.memoryStats()['allocated_bytes.all.freed']).to.equal(0);
    held.dispose();
  });
});
