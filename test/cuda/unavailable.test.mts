import { AiforgeError, cuda, ones, zeros } from 'aiforge';
import { expect } from 'chai';
import { inspect } from 'node:util';

import { thrownBy } from './gpu.mjs';

const x = zeros([2]);

// What each name of the module answers where there is no device: a value, or a call that is refused.
const refusals: Record<string, () => unknown> = {
  currentDevice: () => cuda.currentDevice(),
  setDevice: () => cuda.setDevice(0),
  synchronize: () => cuda.synchronize(),
  getDeviceProperties: () => cuda.getDeviceProperties(0),
  getDeviceName: () => cuda.getDeviceName(),
  getDeviceCapability: () => cuda.getDeviceCapability('cuda:0'),
  getRngState: () => cuda.getRngState(),
  setRngState: () => cuda.setRngState(x),
  memoryStats: () => cuda.memoryStats(),
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
};
const values = ['isAvailable', 'deviceCount', 'ncclVersion', 'emptyCache', 'recordStream'];

describe('aiforge/cuda without a GPU', () => {
  before(function () {
    if (!cuda.isAvailable()) return;
    console.log('      skipped: there is a CUDA device here');
    this.skip();
  });

  it('is looked at here name by name', () => {
    expect([...Object.keys(refusals), ...values].sort()).to.deep.equal(Object.keys(cuda).sort());
  });

  for (const [name, call] of Object.entries(refusals)) {
    it(`${name} says what is missing and what to do`, () => {
      const error = thrownBy(call);
      expect(error).to.be.instanceOf(AiforgeError);
      expect(error.code).to.equal('DEVICE_UNAVAILABLE');
      expect(error.message).to.match(/AIFORGE_FLAVOUR=cuda|nvidia-smi/);
      expect(error.message).to.include('cuda.isAvailable()');
    });
  }

  it('answers what can be answered', () => {
    expect(cuda.isAvailable()).to.equal(false);
    expect(cuda.deviceCount()).to.equal(0);
    expect(cuda.emptyCache()).to.equal(undefined);
    const version = cuda.ncclVersion();
    if (version !== null) expect(version[0]).to.be.at.least(2);
  });

  it('operators that are asked for CUDA say what to do', () => {
    for (const call of [
      () => x.to('cuda'),
      () => ones([2], { device: 'cuda' }),
      () => x.pinMemory(),
    ] as (() => unknown)[]) {
      const error = thrownBy(call);
      expect(error).to.be.instanceOf(AiforgeError);
      expect(error.message).to.match(/AIFORGE_FLAVOUR=cuda|nvidia-smi/);
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
