import { cuda, fromShared, manualSeed, ones, randn, releaseShared, share, transfer } from 'aiforge';
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import path from 'node:path';

import { needGpu, note } from './gpu.mjs';

const library = path.resolve('dist/lib/index.js');

/** Runs a script in a process of its own; one that does not end in 40 s is killed. */
async function run(
  script: string,
): Promise<{ status: number | string | null; stdout: string; stderr: string; ms: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, ['-e', `const aiforge = require(${JSON.stringify(library)}); ${script}`]);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), 40_000);
  const status = await new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? code)),
  );
  clearTimeout(timer);
  return { status, ...output, ms: performance.now() - start };
}

describe('a process on a GPU', function () {
  before(function () {
    needGpu(this);
  });

  const ends: Record<string, string> = {
    'with work in the queue': `const x = aiforge.randn([8192, 8192], { device: 'cuda' });
      for (let i = 0; i < 50; ++i) aiforge.matmul(x, x);
      console.log('queued');`,
    'by process.exit with work in the queue': `const x = aiforge.randn([8192, 8192], { device: 'cuda' });
      for (let i = 0; i < 50; ++i) aiforge.matmul(x, x);
      console.log('queued'); process.exit(0);`,
    'after a backward pass': `const x = aiforge.ones([4], { device: 'cuda', requiresGrad: true });
      x.mul(2).sum().backward(); console.log('queued');`,
    'with streams, events and a graph': `const s = new aiforge.cuda.Stream(); const e = s.recordEvent();
      const x = aiforge.ones([4], { device: 'cuda' }); const g = new aiforge.cuda.CUDAGraph();
      g.capture(() => void x.add_(1)); g.replay(); console.log('queued');`,
    'without leaving its NCCL group': `aiforge.distributed.initProcessGroup({ backend: 'nccl', rank: 0, worldSize: 1,
      masterAddr: '127.0.0.1', masterPort: 29731 }).then(async () => {
        await aiforge.distributed.allReduce(aiforge.ones([4], { device: 'cuda' })); console.log('queued'); });`,
  };
  for (const [how, script] of Object.entries(ends)) {
    it(`ends ${how}`, async () => {
      const { status, stdout, stderr, ms } = await run(script);
      note(`${Math.round(ms)} ms, status ${status}${stderr === '' ? '' : `, printed ${stderr.trim().slice(0, 300)}`}`);
      expect(stdout).to.equal('queued\n');
      expect(status).to.equal(0);
    });
  }

  it('tells an assertion that fails on the device, and that only a new process helps', async () => {
    const { status, stdout, stderr } = await run(`
      const x = aiforge.ones([4], { device: 'cuda' });
      const index = aiforge.tensor([7], { device: 'cuda', dtype: 'int64' });
      const errors = [];
      for (const call of [() => x.indexSelect(0, index).sum().item(), () => aiforge.ones([2], { device: 'cuda' }).sum().item()]) {
        try { call(); errors.push('none'); } catch (error) { errors.push([error.code, error.message]); }
      }
      console.log(JSON.stringify(errors));`);
    note(`status ${status}, ${stdout.trim().slice(0, 600)}, printed ${stderr.trim().slice(-200)}`);
    const errors = JSON.parse(stdout) as [string, string][];
    for (const [code, message] of errors) {
      expect(code).to.equal('OPERATOR_FAILED');
      expect(message).to.include('must start anew');
    }
    expect(status).to.equal(0);
  });

  it('goes on while it waits for a collective under TORCH_NCCL_BLOCKING_WAIT', async () => {
    const { status, stdout, stderr } = await run(`
      process.env.TORCH_NCCL_BLOCKING_WAIT = '1';
      const { distributed, matmul, ones, randn } = aiforge;
      (async () => {
        const store = await distributed.TCPStore.create({ port: 0, isServer: true });
        const group = await distributed.ProcessGroup.create(store, { rank: 0, worldSize: 1, backend: 'nccl', deviceId: 0 });
        const big = randn([8192, 8192], { device: 'cuda' });
        const out = matmul(big, big);
        const x = ones([4], { device: 'cuda' });
        out.sum().item(); // loads what it needs
        // Into one tensor, since an allocation of this size waits for the GPU.
        for (let i = 0; i < 50; ++i) matmul(big, big, { out });
        const queued = aiforge.cuda.currentStream().recordEvent();
        let turns = 0;
        const timer = setInterval(() => ++turns, 1);
        const isPending = !queued.query();
        const start = performance.now();
        const reduced = group.allReduce(x);
        const called = performance.now() - start;
        await reduced;
        clearInterval(timer);
        console.error(turns, 'turns,', called.toFixed(), 'ms to call,', (performance.now() - start).toFixed(), 'ms in all');
        console.log(isPending, turns > 1, queued.query(), x.sum().item());
        await group.abort();
      })();`);
    note(`status ${status}, printed ${stderr.trim().slice(0, 300)}`);
    expect(stdout).to.equal('true true true 4\n');
    expect(status).to.equal(0);
  });

  it('lives on after an allocation that fails in a backward pass', async () => {
    const { status, stdout } = await run(`
      const [free] = aiforge.cuda.memGetInfo();
      const x = aiforge.zeros([Math.floor(free * 0.3 / 4)], { device: 'cuda', requiresGrad: true });
      const loss = x.exp().sum();
      const held = aiforge.zeros([Math.floor(free * 0.35)], { device: 'cuda', dtype: 'uint8' });
      let code = 'none';
      try { loss.backward(); } catch (error) { code = error.code; }
      held.dispose();
      aiforge.ones([4], { device: 'cuda', requiresGrad: true }).mul(2).sum().backward();
      console.log(code);`);
    expect(stdout).to.equal('OUT_OF_MEMORY\n');
    expect(status).to.equal(0);
  });
});

describe('threads on a GPU', function () {
  before(function () {
    needGpu(this);
  });

  async function inWorker<T>(script: string, workerData: object): Promise<T> {
    const code = `const { parentPort, workerData } = require('node:worker_threads');
      const aiforge = require(workerData.library); ${script}`;
    const worker = new Worker(code, { eval: true, workerData: { ...workerData, library } });
    try {
      return await new Promise<T>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    } finally {
      await worker.terminate();
    }
  }

  it('share tensors and give them away', async () => {
    const x = ones([10], { device: 'cuda' });
    const token = share(x);
    const seen = await inWorker<{ sum: number; device: string }>(
      `const t = aiforge.fromShared(workerData.token); t.add_(1);
       parentPort.postMessage({ sum: t.sum().item(), device: t.device });`,
      { token },
    );
    expect(seen).to.deep.equal({ sum: 20, device: 'cuda:0' });
    expect(x.sum().item()).to.equal(20);
    releaseShared(token);
    const result = await inWorker<{ aiforgeTensor: string }>(
      `parentPort.postMessage(aiforge.transfer(aiforge.fromShared(workerData.token).mul(2)));`,
      { token: transfer(x) },
    );
    expect(fromShared(result).sum().item()).to.equal(40);
  });

  it('draw numbers of their own: one seed gives one sequence, whoever draws beside it', async () => {
    const script = `const { manualSeed, nn, ones, randn } = aiforge;
      manualSeed(0);
      let sum = 0;
      for (let i = 0; i < 300; ++i) {
        sum += randn([5], { device: 'cuda' }).sum().item() + nn.functional.dropout(ones([40], { device: 'cuda' })).sum().item();
      }
      parentPort.postMessage(sum);`;
    manualSeed(7);
    const first = randn([4], { device: 'cuda' }).tolist();
    const state = cuda.getRngState();
    const next = randn([4], { device: 'cuda' }).tolist();
    cuda.setRngState(state);
    const sums = await Promise.all([1, 2, 3].map(() => inWorker<number>(script, {})));
    expect(new Set(sums)).to.have.length(1);
    expect(randn([4], { device: 'cuda' }).tolist()).to.deep.equal(next);
    manualSeed(7);
    expect(randn([4], { device: 'cuda' }).tolist()).to.deep.equal(first);
  });

  it('train in a worker with hooks, on a stream of its own', async () => {
    const sums = await Promise.all(
      [1, 2].map((factor) =>
        inWorker<number>(
          `const side = new aiforge.cuda.Stream();
           side.run(() => {
             const x = aiforge.ones([1000], { device: 'cuda', requiresGrad: true });
             const y = x.mul(workerData.factor);
             y.registerHook((gradient) => gradient.mul(2));
             for (let i = 0; i < 20; ++i) y.sum().backward({ retainGraph: true });
             parentPort.postMessage(x.grad.sum().item());
           });`,
          { factor },
        ),
      ),
    );
    expect(sums).to.deep.equal([40_000, 80_000]);
    expect(cuda.currentDevice()).to.equal(0);
  });
});
