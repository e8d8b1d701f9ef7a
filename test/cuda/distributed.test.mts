import { cat, cuda, distributed, manualSeed, nn, ones, optim, randn, tensor, testing, zeros } from 'aiforge';
import type { Backend } from '#lib/distributed/backend.js';
import { expect } from 'chai';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';

import { run, temporaryFolder } from '../support/project.mjs';
import { reference } from '../support/reference.mjs';
import { hashOf, needGpu, note, rejectionOf } from './gpu.mjs';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const place = async () => ({
  rank: 0,
  worldSize: 1,
  masterAddr: '127.0.0.1',
  masterPort: await freePort(),
  timeoutMs: 40_000,
});

const join = async (backend: Backend): Promise<unknown> =>
  distributed.initProcessGroup({ backend, ...(await place()) });

describe('one rank on a GPU', function () {
  before(function () {
    needGpu(this);
  });
  afterEach(() => distributed.destroyProcessGroup());

  for (const backend of ['nccl', 'cpu:gloo,cuda:nccl', 'gloo'] as const) {
    it(`has collectives, bytes and DistributedDataParallel over ${backend}`, async () => {
      await join(backend);
      const x = ones([1 << 16], { device: 'cuda' });
      await distributed.allReduce(x);
      await distributed.broadcast(x, 0);
      await distributed.barrier();
      const gathered = await distributed.allGather(x);
      expect(gathered[0]!.sum().item()).to.equal(65536);
      expect(Buffer.from(await distributed.broadcastBytes(Buffer.from('abc'), 0)).toString()).to.equal('abc');
      manualSeed(11);
      const [plain, model] = [new nn.Linear(32, 8), new nn.Linear(32, 8)];
      for (const module of [plain, model]) module.to('cuda');
      model.loadStateDict(plain.stateDict());
      const ddp = await distributed.DistributedDataParallel.create(model);
      const input = randn([16, 32], { device: 'cuda' });
      for (const module of [plain, ddp]) {
        const optimizer = new optim.SGD((module === ddp ? model : plain).parameters(), { lr: 0.1 });
        for (let i = 0; i < 3; ++i) {
          optimizer.zeroGrad();
          module.forward(input).square().mean().backward();
          optimizer.step();
        }
      }
      testing.assertClose(model.weight, plain.weight, { rtol: 1e-6, atol: 1e-6 });
    });
  }

  it('trains by DistributedDataParallel over NCCL to Python’s bytes', async function () {
    const theirs = reference(this, '../cuda/python/ddp.py', String(await freePort())).trim();
    await join('nccl');
    manualSeed(11);
    const model = new nn.Sequential(new nn.Linear(32, 64), new nn.BatchNorm1d(64), new nn.ReLU(), new nn.Linear(64, 8));
    model.to('cuda');
    const ddp = await distributed.DistributedDataParallel.create(model, { gradientAsBucketView: true });
    const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 });
    for (let i = 0; i < 20; ++i) {
      const x = randn([16, 32]).to('cuda');
      optimizer.zeroGrad();
      ddp.forward(x).square().mean().backward();
      optimizer.step();
    }
    const state = Object.values(model.stateDict()).map((each) => each.detach().double().flatten());
    expect(hashOf(cat(state))).to.equal(theirs);
  });

  it('orders what comes after a collective behind it', async () => {
    await join('nccl');
    const x = ones([1 << 24], { device: 'cuda' });
    for (let i = 0; i < 20; ++i) {
      await distributed.allReduce(x);
      x.add_(1);
    }
    expect(x.at(12345).item()).to.equal(21);
  });

  it('trains with another rank on the same GPU, over Gloo', async function () {
    this.timeout(90_000);
    const folder = temporaryFolder('cuda-ranks');
    const script = path.join(folder, 'rank.cjs');
    writeFileSync(
      script,
      `const { distributed, manualSeed, nn, ones, randn } = require(${JSON.stringify(path.resolve('dist/lib/index.js'))});
       (async () => {
         const { rank } = await distributed.initProcessGroup();
         manualSeed(3);
         const model = new nn.Linear(8, 4);
         model.to('cuda');
         const ddp = await distributed.DistributedDataParallel.create(model);
         ddp.forward(randn([8, 8]).narrow(0, 4 * rank, 4).to('cuda')).square().mean().backward();
         const sum = ones([3], { device: 'cuda' }).mul(rank + 1);
         await distributed.allReduce(sum);
         await distributed.barrier();
         if (rank === 0) console.log(JSON.stringify([model.weight.grad.flatten().tolist(), sum.tolist()]));
         await distributed.destroyProcessGroup();
       })();`,
    );
    const { status, stdout, stderr } = await run('aiforge-launch', ['--nproc', '2', script], folder);
    expect(status, stderr).to.equal(0);
    const [gradient, sum] = JSON.parse(/\[\[.*\]\]/.exec(stdout)![0]) as [number[], number[]];
    expect(sum).to.deep.equal([3, 3, 3]);
    manualSeed(3);
    const whole = new nn.Linear(8, 4);
    whole.to('cuda');
    whole
      .forward(randn([8, 8]).to('cuda'))
      .square()
      .mean()
      .backward();
    testing.assertClose(tensor(gradient), whole.weight.grad!.flatten().to('cpu'), { rtol: 1e-5, atol: 1e-6 });
  });

  it("takes NCCL's options, and premulSum alone of the ops that Gloo lacks", async () => {
    const group = await distributed.initProcessGroup({
      backend: 'cpu:gloo,cuda:nccl',
      deviceId: 'cuda:0',
      ncclOptions: { isHighPriorityStream: true, config: { minCtas: 1, maxCtas: 4, netName: 'Socket' } },
      ...(await place()),
    });
    expect(distributed.isNcclAvailable()).to.equal(true);
    const x = ones([4], { device: 'cuda' });
    await group.allReduce(x, { op: { premulSum: 2.5 } });
    expect(x.tolist()).to.deep.equal([2.5, 2.5, 2.5, 2.5]);
    await group.barrier({ deviceIds: [0] });
    const bits = await rejectionOf(() => group.allReduce(ones([2], { device: 'cuda', dtype: 'int32' }), { op: 'bor' }));
    expect(bits.code).to.equal('INVALID_ARGUMENT');
    expect(bits.message).to.include('not one of NCCL');
    const onCpu = ones([2], { dtype: 'int32' });
    await group.allReduce(onCpu, { op: 'bor' });
    const sparse = new nn.Embedding(4, 2, { sparse: true });
    sparse.to('cuda');
    expect((await rejectionOf(() => distributed.DistributedDataParallel.create(sparse))).message).to.include(
      'sparse: false',
    );
  });

  it('joins several tensors in one collective, over NCCL', async () => {
    const group = await distributed.initProcessGroup({ backend: 'nccl', ...(await place()) });
    const on = { device: 'cuda' } as const;
    const several = [ones([3], on), ones([2, 2], on).mul(4)];
    await group.allReduceCoalesced(several);
    expect(several.map((each) => each.sum().item())).to.deep.equal([3, 16]);
    const [whole, part, to] = [zeros([4], on), zeros([4], on), zeros([4], on)];
    await group.allGatherIntoTensor(whole, ones([4], on));
    await group.reduceScatterTensor(part, ones([4], on).mul(2));
    await group.allToAllSingle(to, ones([4], on).mul(3), { inputSplitSizes: [4], outputSplitSizes: [4] });
    expect([whole, part, to].map((each) => each.sum().item())).to.deep.equal([4, 8, 12]);
    const wholes = [zeros([2], on), zeros([3], on)];
    await group.allGatherIntoTensorCoalesced(wholes, [ones([2], on), ones([3], on)]);
    await group.reduceScatterTensorCoalesced(wholes, [wholes[0]!.mul(2), wholes[1]!.mul(3)]);
    expect(wholes.map((each) => each.sum().item())).to.deep.equal([4, 9]);
    const received = zeros([2], on);
    await group.batchIsendIrecv([
      { op: 'isend', tensor: ones([2], on).mul(7), peer: 0 },
      { op: 'irecv', tensor: received, peer: 0 },
    ]);
    expect(received.tolist()).to.deep.equal([7, 7]);
    const names = group.dumpFlightRecorder().entries.map((entry) => entry.profiling_name);
    note(names.join(', '));
    expect(names.some((name) => name.startsWith('nccl:'))).to.equal(true);
  });

  it('aborts, and joins again', async () => {
    for (let i = 0; i < 2; ++i) {
      const group = await distributed.initProcessGroup({ backend: 'nccl', ...(await place()) });
      const x = ones([8], { device: 'cuda' });
      await group.allReduce(x);
      expect(x.sum().item()).to.equal(8);
      await distributed.abortProcessGroup();
      const after = await rejectionOf(() => group.allReduce(x));
      expect(after.message).to.include('was aborted');
    }
  });

  it('moves what DistributedDataParallel.forward gets to the one device of deviceIds', async () => {
    await distributed.initProcessGroup({ backend: 'nccl', ...(await place()) });
    const model = new nn.Linear(4, 2);
    const early = await rejectionOf(() => distributed.DistributedDataParallel.create(model, { deviceIds: [0] }));
    expect(early.message).to.include("names cuda:0, but the parameter 'weight' is on cpu");
    model.to('cuda');
    const ddp = await distributed.DistributedDataParallel.create(model, { deviceIds: ['cuda:0'] });
    const output = ddp.forward(ones([3, 4]));
    expect(output.device).to.equal('cuda:0');
    output.sum().backward();
    expect(model.weight.grad!.tolist()).to.deep.equal([Array(4).fill(3), Array(4).fill(3)]);
  });

  it('normalizes by the batch with SyncBatchNorm as BatchNorm does, for one rank', async () => {
    await distributed.initProcessGroup({ backend: 'nccl', ...(await place()) });
    const plain = new nn.Sequential(new nn.BatchNorm1d(3));
    plain.to('cuda');
    const synced = nn.SyncBatchNorm.convertSyncBatchnorm(plain);
    expect(String(synced.at(0))).to.match(/^SyncBatchNorm/);
    const alone = new nn.BatchNorm1d(3);
    alone.to('cuda');
    const input = randn([8, 3], { device: 'cuda' });
    testing.assertClose(synced.forward(input), alone.forward(input));
  });

  it('normalizes by the batches of two ranks on one GPU with SyncBatchNorm, over Gloo', async function () {
    this.timeout(90_000);
    const folder = temporaryFolder('cuda-sync-norm');
    const script = path.join(folder, 'rank.cjs');
    writeFileSync(
      script,
      `const { distributed, manualSeed, nn, randn } = require(${JSON.stringify(path.resolve('dist/lib/index.js'))});
       (async () => {
         const { rank } = await distributed.initProcessGroup();
         manualSeed(5);
         const norm = nn.SyncBatchNorm.convertSyncBatchnorm(new nn.BatchNorm1d(3));
         norm.to('cuda');
         const input = randn([8, 3]).narrow(0, 4 * rank, 4).to('cuda').requiresGrad_();
         const output = norm.forward(input);
         output.pow(3).sum().backward();
         const outputs = await distributed.allGather(output.detach());
         const gradients = await distributed.allGather(input.grad);
         if (rank === 0) {
           console.log(JSON.stringify([outputs, gradients].map((parts) => parts.flatMap((part) => part.tolist()))
             .concat([norm.runningMean.tolist(), norm.runningVar.tolist()])));
         }
         await distributed.destroyProcessGroup();
       })();`,
    );
    const { status, stdout, stderr } = await run('aiforge-launch', ['--nproc', '2', script], folder);
    expect(status, stderr).to.equal(0);
    const results = JSON.parse(/\[\[.*\]\]/.exec(stdout)![0]) as number[][][];
    manualSeed(5);
    const norm = new nn.BatchNorm1d(3);
    const input = randn([8, 3]).requiresGrad_();
    const output = norm.forward(input);
    output.pow(3).sum().backward();
    const expected = [output.detach(), input.grad!, norm.runningMean!, norm.runningVar!];
    for (const [i, each] of expected.entries()) {
      testing.assertClose(tensor(results[i]!), each, { rtol: 1e-5, atol: 1e-5 });
    }
  });

  it('counts its GPUs for the launcher', async () => {
    const folder = temporaryFolder('cuda-nproc');
    const script = path.join(folder, 'rank.cjs');
    writeFileSync(script, 'console.log(`at ${process.env.LOCAL_RANK} of ${process.env.LOCAL_WORLD_SIZE}`);');
    const { status, stdout, stderr } = await run('aiforge-launch', ['--nproc', 'gpu', script], folder);
    expect(status, stderr).to.equal(0);
    expect(stdout).to.include(`at 0 of ${cuda.deviceCount()}`);
  });

  it('says where a tensor has to be', async () => {
    await join('nccl');
    const error = await distributed.allReduce(ones([2])).then(
      () => new Error('accepted'),
      (reason: unknown) => reason as Error,
    );
    note(error.message);
    expect(error.message).to.include('cuda alone');
  });
});
