import { distributed, manualSeed, nn, ones, optim, randn, tensor, testing } from 'aiforge';
import type { Backend } from '#lib/distributed/backend.js';
import { expect } from 'chai';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';

import { run, temporaryFolder } from '../support/project.mjs';
import { needGpu, note } from './gpu.mjs';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const join = async (backend: Backend): Promise<unknown> =>
  distributed.initProcessGroup({
    backend,
    rank: 0,
    worldSize: 1,
    masterAddr: '127.0.0.1',
    masterPort: await freePort(),
    timeoutMs: 40_000,
  });

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
