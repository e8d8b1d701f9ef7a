import { AiforgeError, cuda, Generator, load, ones, save, zeros, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { refusalOf } from '../support/refusal.mjs';
import { rejectionOf, thrownBy } from './gpu.mjs';

const x = zeros([2]);

// What each name of the module answers where there is no device: a value, or a call that is refused.
const refusals: Record<string, () => unknown> = {
  currentDevice: () => cuda.currentDevice(),
  setDevice: () => cuda.setDevice(0),
  device: () => cuda.device(0, () => 1),
  synchronize: () => cuda.synchronize(),
  synchronizeAsync: () => cuda.synchronizeAsync(),
  getDeviceProperties: () => cuda.getDeviceProperties(0),
  getDeviceName: () => cuda.getDeviceName(),
  getDeviceCapability: () => cuda.getDeviceCapability('cuda:0'),
  getRngState: () => cuda.getRngState(),
  setRngState: () => cuda.setRngState(x),
  seed: () => cuda.seed(),
  initialSeed: () => cuda.initialSeed(),
  memoryStats: () => cuda.memoryStats(),
  memorySummary: () => cuda.memorySummary(),
  memorySnapshot: () => cuda.memorySnapshot(),
  dumpMemorySnapshot: () => cuda.dumpMemorySnapshot('x'),
  dumpMemorySnapshotOnFailure: () => cuda.dumpMemorySnapshotOnFailure('x'),
  resetAccumulatedMemoryStats: () => cuda.resetAccumulatedMemoryStats(),
  setPerProcessMemoryFraction: () => cuda.setPerProcessMemoryFraction(0.5),
  getPerProcessMemoryFraction: () => cuda.getPerProcessMemoryFraction(),
  memoryAllocated: () => cuda.memoryAllocated(),
  maxMemoryAllocated: () => cuda.maxMemoryAllocated(),
  memoryReserved: () => cuda.memoryReserved(),
  maxMemoryReserved: () => cuda.maxMemoryReserved(),
  resetPeakMemoryStats: () => cuda.resetPeakMemoryStats(),
  memGetInfo: () => cuda.memGetInfo(),
  currentStream: () => cuda.currentStream(),
  defaultStream: () => cuda.defaultStream(0),
  Stream: () => new cuda.Stream(),
  Event: () => new cuda.Event(),
  CUDAGraph: () => new cuda.CUDAGraph(),
  MemoryPool: () => new cuda.MemoryPool(),
  makeGraphedCallables: () => cuda.makeGraphedCallables((t: Tensor) => t, [x]),
  Generator: () => new Generator({ device: 'cuda' }),
};
const values = ['isAvailable', 'deviceCount', 'ncclVersion', 'emptyCache', 'recordStream', 'isCurrentStreamCapturing'];
const ofAll = ['getRngStateAll', 'setRngStateAll', 'manualSeed', 'manualSeedAll', 'seedAll'];

describe('aiforge/cuda without a GPU', () => {
  before(function () {
    if (!cuda.isAvailable()) return;
    console.log('      skipped: there is a CUDA device here');
    this.skip();
  });

  it('is told by load', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'aiforge-')), 'x.pt');
    save({ x }, file);
    expect(refusalOf(() => load(file, { mapLocation: 'cuda' }))).to.have.property('code', 'DEVICE_UNAVAILABLE');
    rmSync(file);
  });

  it('is told by pinned memory too', () => {
    const pins = [() => ones([2]).pinMemory(), () => ones([2]).pinMemory('cuda'), () => ones([2], { pinMemory: true })];
    for (const pin of pins) {
      const { code, message } = refusalOf(pin);
      expect([code, message]).to.have.property('0', 'DEVICE_UNAVAILABLE');
      expect(message).to.include('@aiforge/linux-x64-cuda');
    }
  });

  it('is looked at here name by name', () => {
    const named = [...Object.keys(refusals), ...values, ...ofAll].filter((name) => name !== 'Generator');
    expect(named.sort()).to.deep.equal(Object.keys(cuda).sort());
  });

  for (const [name, call] of Object.entries(refusals)) {
    it(`${name} says what is missing and what to do`, async () => {
      const error = await rejectionOf(call);
      expect(error).to.be.instanceOf(AiforgeError);
      expect(error.code).to.equal('DEVICE_UNAVAILABLE');
      expect(error.message).to.match(/@aiforge\/linux-x64-cuda|nvidia-smi/);
      expect(error.message).to.include('cuda.isAvailable()');
    });
  }

  it('answers what can be answered', () => {
    expect(cuda.isAvailable()).to.equal(false);
    expect(cuda.deviceCount()).to.equal(0);
    expect(cuda.emptyCache()).to.equal(undefined);
    expect(cuda.isCurrentStreamCapturing()).to.equal(false);
    expect(cuda.getRngStateAll()).to.deep.equal([]);
    expect(cuda.seedAll()).to.equal(null);
    cuda.setRngStateAll([]);
    cuda.manualSeedAll(1);
    cuda.manualSeed(1);
    expect(thrownBy(() => cuda.manualSeed(0.5)).code).to.equal('INVALID_ARGUMENT');
    const version = cuda.ncclVersion();
    if (version !== null) expect(version[0]).to.be.at.least(2);
  });

  it('streams and events take nothing else', () => {
    for (const call of [
      () => new cuda.Stream(null as never),
      () => new cuda.Stream({ prio: -1 } as never),
      () => new cuda.Stream({ priority: 'high' } as never),
      () => new cuda.Event(true as never),
      () => new cuda.Event({ enable_timing: true } as never),
      () => cuda.recordStream(x, undefined as never),
      () => cuda.setDevice('cuda:01'),
    ]) {
      expect(thrownBy(call).code).to.equal('INVALID_ARGUMENT');
    }
  });

  it('operators that are asked for CUDA say what to do', () => {
    for (const call of [
      () => x.to('cuda'),
      () => ones([2], { device: 'cuda' }),
      () => x.pinMemory(),
      () => ones([1], { pinMemory: true }),
    ] as (() => unknown)[]) {
      const error = thrownBy(call);
      expect(error).to.be.instanceOf(AiforgeError);
      expect(error.code).to.equal('DEVICE_UNAVAILABLE');
      expect(error.message).to.match(/@aiforge\/linux-x64-cuda|nvidia-smi/);
    }
  });
});

describe('the devices that aiforge/cuda takes', () => {
  for (const device of ['cpu', 'cuda:', 'cuda:x', 0.5, {}, Symbol('cuda'), true]) {
    it(`are not ${inspect(device)}`, () => {
      const error = thrownBy(() => cuda.setDevice(device as never));
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.message).to.include("such as 0, 'cuda' or 'cuda:1'");
    });
  }

  it('are not numbers of devices that are not there', () => {
    for (const device of [-1, cuda.deviceCount(), 1000, 2 ** 40]) {
      expect(thrownBy(() => cuda.setDevice(device)).code).to.equal('DEVICE_UNAVAILABLE');
      expect(thrownBy(() => cuda.getDeviceProperties(device)).code).to.equal('DEVICE_UNAVAILABLE');
    }
  });
});
