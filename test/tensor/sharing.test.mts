import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  fromShared,
  fromTypedArray,
  inferenceMode,
  isSharedTensor,
  memory,
  nn,
  noGrad,
  ones,
  releaseShared,
  scope,
  share,
  tensor,
  transfer,
  zeros,
  type SharedTensor,
} from 'aiforge';

const file = path.resolve('test/tensor/fixtures/sharing.cjs');

interface Answer {
  values?: number[];
  code?: string | null;
  message?: string;
  token?: SharedTensor;
  [key: string]: unknown;
}

class Thread {
  readonly worker = new Worker(file, { workerData: null });

  async ask(task: string, more: object = {}): Promise<Answer> {
    this.worker.postMessage({ task, ...more });
    const [answer] = (await once(this.worker, 'message')) as [Answer];
    return answer;
  }
}

describe('sharing tensors between threads', () => {
  const threads: Thread[] = [];
  const thread = () => {
    const next = new Thread();
    threads.push(next);
    return next;
  };
  afterEach(async () => {
    await Promise.all(threads.splice(0).map(({ worker }) => worker.terminate()));
  });

  it('gives every thread the same memory', async () => {
    const x = tensor([1, 2, 3]);
    const token = share(x);
    const [a, b] = [thread(), thread()];
    expect(await a.ask('add', { token })).to.deep.equal({ values: [2, 3, 4] });
    expect(await b.ask('add', { token })).to.deep.equal({ values: [3, 4, 5] });
    x.mul_(10);
    expect(await a.ask('read', { token })).to.deep.equal({ values: [30, 40, 50] });
    expect(x.tolist()).to.deep.equal([30, 40, 50]);
    expect(await b.ask('dispose', { token })).to.deep.equal({ disposed: true });
    expect(x.tolist()).to.deep.equal([30, 40, 50]);
    x.dispose();
    expect(await a.ask('read', { token })).to.deep.equal({ values: [30, 40, 50] });
    expect(releaseShared(token)).to.equal(true);
  });

  it('goes through workerData, and leaves what was received when the sender lets go', async () => {
    const token = share(ones([2]));
    const worker = new Worker(file, { workerData: { task: 'add', token } });
    expect((await once(worker, 'message'))[0]).to.deep.equal({ values: [2, 2] });
    const mine = fromShared(token);
    releaseShared(token);
    expect(mine.tolist()).to.deep.equal([2, 2]);
  });

  it('keeps sizes, strides and dtype of views, also empty ones', async () => {
    const other = thread();
    const base = zeros([4, 6], { dtype: 'int64' });
    expect(await other.ask('describe', { token: share(base.t().narrow(0, 1, 3)) })).to.deep.include({
      shape: [3, 4],
      stride: [1, 6],
      dtype: 'int64',
    });
    expect(await other.ask('describe', { token: share(zeros([0, 3])) })).to.deep.include({ shape: [0, 3] });
    expect(await other.ask('describe', { token: share(tensor(5)) })).to.deep.include({ shape: [] });
  });

  it('gives a leaf a gradient of its own in each thread', async () => {
    const x = ones([3], { requiresGrad: true });
    const token = share(x);
    const there = await thread().ask('describe', { token });
    expect(there).to.deep.include({ requiresGrad: true, isLeaf: true, grad: [3, 3, 3] });
    expect(x.grad).to.equal(null);
    const parameter = new nn.Parameter(ones([2]));
    expect(await thread().ask('describe', { token: share(parameter) })).to.deep.include({ requiresGrad: true });
  });

  it('refuses what has a history, and says detach', () => {
    const x = ones([3], { requiresGrad: true }).mul(2);
    expect(() => share(x))
      .to.throw(/not a leaf: send detach\(\)/)
      .with.property('code', 'INVALID_ARGUMENT');
    expect(() => transfer(x)).to.throw(/detach\(\)/);
    expect(x.isDisposed).to.equal(false);
    expect(fromShared(share(x.detach())).tolist()).to.deep.equal([2, 2, 2]);
  });

  it('refuses memory of JavaScript’s and sparse tensors', () => {
    const shared = fromTypedArray(new Float32Array(new SharedArrayBuffer(16)));
    expect(() => share(shared)).to.throw(/memory of JavaScript's[^]*clone\(\)/);
    expect(fromShared(share(shared.clone())).tolist()).to.deep.equal([0, 0, 0, 0]);
    expect(() => share(ones([2, 2]).toSparse())).to.throw(/only dense tensors/);
    expect(() => share({} as never)).to.throw(/Expected a Tensor/);
  });

  it('shares the version counter, so that backward notices a write of another thread', async () => {
    const x = ones([3]);
    const token = share(x);
    const other = thread();
    await other.ask('saveForBackward', { token });
    noGrad(() => x.add_(1));
    const { code, message } = await other.ask('backward');
    expect(code).to.equal('OPERATOR_FAILED');
    expect(message).to.match(/modified by an inplace operation/);
  });

  it('keeps shared memory where it is', () => {
    const x = ones([4]);
    fromShared(share(x));
    expect(() => x.resize_([1000])).to.throw(/resiz/);
    const y = transfer(ones([4]));
    expect(fromShared(y).resize_([1000]).shape).to.deep.equal([1000]);
  });

  it('shares tensors made in inference mode', () => {
    const x = inferenceMode(() => ones([2]));
    expect(fromShared(share(x)).tolist()).to.deep.equal([1, 1]);
  });

  it('transfers a tensor to exactly one receiver', async () => {
    const x = ones([1000]);
    const before = memory.stats();
    const token = transfer(x);
    expect(x.isDisposed).to.equal(true);
    expect(() => x.sum())
      .to.throw()
      .with.property('code', 'TENSOR_DISPOSED');
    expect(() => transfer(x))
      .to.throw()
      .with.property('code', 'TENSOR_DISPOSED');
    expect(memory.stats().tensors).to.be.at.most(before.tensors - 1);
    expect(memory.stats().unreceived.bytes - before.unreceived.bytes).to.equal(4000);
    const [a, b] = [thread(), thread()];
    const codes = await Promise.all([a, b].map((one) => one.ask('receive', { token })));
    expect(codes.map(({ code }) => code).sort()).to.deep.equal(['SHARED_TENSOR_INVALID', null].sort());
    expect(memory.stats().unreceived.bytes).to.equal(before.unreceived.bytes);
    expect(() => fromShared(token)).to.throw(/received already/);
    expect(releaseShared(token)).to.equal(false);
  });

  it('receives into the current scope', () => {
    const token = share(ones([2]));
    const inner = scope(() => {
      const x = fromShared(token);
      return { held: { get: () => x } };
    }).held.get();
    expect(inner.isDisposed).to.equal(true);
    expect(fromShared(token).isDisposed).to.equal(false);
    releaseShared(token);
  });

  it('tells what is a token, and refuses forged ones', () => {
    const token = share(ones([1]));
    expect(isSharedTensor(structuredClone(token))).to.equal(true);
    const flipped = { aiforgeTensor: token.aiforgeTensor.replace(/./g, (c) => (c === '0' ? '1' : '0')) };
    expect(() => fromShared(flipped))
      .to.throw(/no tensor waits/)
      .with.property('code', 'SHARED_TENSOR_INVALID');
    const forged: unknown[] = [null, undefined, 1, 'x', [], {}, ones([1]), { aiforgeTensor: 1 }, { aiforgeTensor: '' }];
    forged.push({ aiforgeTensor: 'f'.repeat(33) }, { aiforgeTensor: '\0'.repeat(32) }, () => token);
    for (const each of forged) {
      expect(isSharedTensor(each)).to.equal(false);
      expect(() => fromShared(each as SharedTensor))
        .to.throw()
        .with.property('code', 'SHARED_TENSOR_INVALID');
      expect(() => releaseShared(each as SharedTensor))
        .to.throw()
        .with.property('code', 'SHARED_TENSOR_INVALID');
    }
    releaseShared(token);
    expect(() => fromShared(token)).to.throw(/released/);
  });

  it('lets go of what a thread shared when it ends, but not of what it transferred', async () => {
    const before = memory.stats().unreceived.tensors;
    const sender = thread();
    const { token } = await sender.ask('share');
    const mine = fromShared(token!);
    await sender.worker.terminate();
    expect(mine.tolist(), 'what was received lives on').to.deep.equal([1, 2, 3]);
    expect(() => fromShared(token!)).to.throw(/thread that shared it has ended/);
    expect(memory.stats().unreceived.tensors).to.equal(before);

    const ending = thread();
    const ended = once(ending.worker, 'exit');
    const { token: result } = await ending.ask('transferAndEnd');
    await ended;
    expect(fromShared(result!).tolist()).to.deep.equal([4, 5, 6]);
    expect(memory.stats().unreceived.tensors).to.equal(before);
  });

  it('survives threads that work on the same tensors, dispose of them and are terminated', async () => {
    const before = memory.stats().unreceived.tensors;
    for (let round = 0; round < 6; ++round) {
      const tensors = [ones([64, 64]), ones([8, 8])];
      const tokens = tensors.map(share);
      const workers = [0, 1].map(() => new Thread());
      for (const { worker } of workers) {
        worker.postMessage({ task: 'hammer', tokens });
        await once(worker, 'message');
      }
      const end = Date.now() + 40;
      while (Date.now() < end) {
        scope(() => {
          for (const x of tensors) noGrad(() => x.mul_(0.9).add_(1).sum().item());
        });
        await delay(0);
      }
      if (round % 2 === 0) tensors.forEach((x) => x.dispose());
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
      for (const x of tensors) if (!x.isDisposed) expect(x.shape).to.have.length(2);
      tokens.forEach(releaseShared);
    }
    // Every third transfer of the threads was received by no one; what they shared went with them.
    const left = memory.stats().unreceived;
    expect(left.tensors).to.be.greaterThan(before);
    expect(left.bytes / left.tensors).to.be.at.most(32);
  });

  it('lets a process end with tokens, threads and shared tensors still there', () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const { ones, share, transfer } = require('aiforge');
      const x = ones([100]);
      const worker = new Worker(${JSON.stringify(file)}, { workerData: null });
      worker.postMessage({ task: 'hammer', tokens: [share(x.view(10, 10))] });
      transfer(ones([5]));
      worker.once('message', () => process.exit(7));`;
    for (let i = 0; i < 3; ++i) {
      const { status, signal, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
      expect({ status, signal, stderr }).to.deep.equal({ status: 7, signal: null, stderr: '' });
    }
  });
});
