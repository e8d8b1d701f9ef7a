import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { tensor } from 'aiforge';
import { ProcessGroup, TCPStore } from 'aiforge/distributed';
import { readErrorFile } from '#lib/distributed/launch/errorFile.js';

import { fixture, nodeRank, runCommands, runTwo } from './ranks.mjs';

describe('collectives', function () {
  this.timeout(120_000);

  it('do on two ranks what they say', async () => {
    const ranks = await runTwo('collectives.mjs');
    for (const [rank, { status, results, output }] of ranks.entries()) {
      expect(status, output).to.equal(0);
      expect(results[0], output).to.deep.equal({
        rank,
        worldSize: 2,
        before: false,
        during: true,
        after: false,
        sum: [3, 12],
        avg: [1.5, 6],
        product: [2, 36],
        min: [1, 6],
        max: [2, 6],
        broadcast: [2, 10],
        reduce: rank === 1 ? [2, 10] : null,
        allGather: [
          [1, 10],
          [2, 10],
        ],
        gather:
          rank === 0
            ? [
                [1, 10],
                [2, 10],
              ]
            : null,
        scatter: [5 + rank],
        reduceScatter: [rank === 0 ? 11 : 101],
        allToAll: [[rank], [10 + rank]],
        sendRecv: [41 - rank],
        bytes: true,
        noBytes: 0,
        objects: [0, 1, 0, 1].map((src, i) => ({ i, from: src, text: 'é' })),
      });
    }
  });

  it('do the same when every call is checked between the ranks', async () => {
    const ranks = await runTwo('collectives.mjs', { TORCH_DISTRIBUTED_DEBUG: 'DETAIL' });
    for (const { status, results, output } of ranks) {
      expect(status, output).to.equal(0);
      expect(results[0]).to.deep.include({ sum: [3, 12], bytes: true });
    }
  });

  it('need no launcher: groups on a store, here of one rank', async () => {
    const store = await TCPStore.create({ port: 0, isServer: true });
    const group = await ProcessGroup.create(store, { rank: 0, worldSize: 1 });
    const value = tensor([2, 3]);
    await group.allReduce(value);
    expect(value.tolist()).to.deep.equal([2, 3]);
    await group.destroy();
    const error = await group.barrier().then(
      () => expect.fail('it should have been rejected'),
      (reason: unknown) => reason,
    );
    expect(error).to.include({ code: 'DISTRIBUTED_FAILED' });
  });

  it('join a Python rank and a Node rank in one group', async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON does not name a Python that has torch');
      return this.skip();
    }
    const [node, torch] = await runCommands([
      nodeRank('node-rank.mjs'),
      { command: python, args: [fixture('python-rank.py')] },
    ]);
    expect(node!.status, node!.output).to.equal(0);
    expect(torch!.status, torch!.output).to.equal(0);
    const [ours] = node!.results;
    expect(ours).to.deep.include({ sum: [3, 20], broadcast: [3, 1, 4], allGather: [[0.25], [0.5]] });
    // DDP on both sides: rank 0's weights for both, and the mean of the inputs 1 and 2 as the gradient.
    expect(ours).to.deep.include({ gradient: Array(6).fill(1.5) });
    expect(torch!.results[0]).to.deep.equal(ours);
  });
});

describe('failures of a group', function () {
  this.timeout(120_000);

  const cases: [string, string, RegExp][] = [
    ['unknownOp', 'INVALID_ARGUMENT', /op must be 'sum', .*, got 'median'/],
    ['noSuchRank', 'INVALID_ARGUMENT', /rank 2 is not in 0 … 1/],
    ['unknownDtype', 'INVALID_ARGUMENT', /got int16\[2\], and Gloo's collectives take float16/],
    ['notATensor', 'INVALID_ARGUMENT', /tensor must be a Tensor, got/],
    ['disposed', 'TENSOR_DISPOSED', /./],
    ['twice', 'DISTRIBUTED_FAILED', /destroyProcessGroup/],
    ['nothingToTrain', 'INVALID_ARGUMENT', /at least one parameter that requires a gradient/],
    [
      'unused',
      'DISTRIBUTED_FAILED',
      /no gradient on this rank to 'weights\.1'\. .*Pass { findUnusedParameters: true }/,
    ],
  ];
  for (const [name, code, message] of cases) {
    it(`${name} is an error on every rank`, async () => {
      for (const { status, results, output } of await runTwo('failures.mjs', { FAILURE: name })) {
        expect(status, output).to.equal(1);
        expect(results[0], output).to.include({ code });
        expect(results[0]!.message).to.match(message);
      }
    });
  }

  it('a missing rank is an error in time', async () => {
    const env = { FAILURE: 'join', TIMEOUT_MS: '1000', WORLD_SIZE: '2' };
    const [first] = await runCommands([nodeRank('failures.mjs', env)]);
    expect(first!.status, first!.output).to.equal(1);
    expect(first!.results[0]).to.include({ code: 'DISTRIBUTED_FAILED' });
    expect(first!.results[0]!.message).to.match(/rank 1 has not come[^]*every rank was started/);
  });

  it('a rank that never comes to a collective is an error in time', async () => {
    const [waiting] = await runTwo('failures.mjs', { FAILURE: 'lonely', TIMEOUT_MS: '1500' });
    expect(waiting.results[0], waiting.output).to.include({ code: 'DISTRIBUTED_FAILED' });
    expect(waiting.results[0]!.message).to.match(
      /allReduce failed: timed out after 1500 ms .*rank 1 has not come to it.*timeoutMs/,
    );
  });

  it('a rank that dies is an error for those that wait for it', async () => {
    const [waiting, dead] = await runTwo('failures.mjs', { FAILURE: 'peerDies' });
    expect(dead.status).to.equal(3);
    expect(waiting.status).to.equal(1);
    expect(waiting.results[0]!.message).to.match(
      /allReduce failed: the connection to rank 1 was lost. Another rank has ended/,
    );
  });

  it('tensors of different shapes are an error under TORCH_DISTRIBUTED_DEBUG=DETAIL', async () => {
    const ranks = await runTwo('failures.mjs', { FAILURE: 'mismatch', TORCH_DISTRIBUTED_DEBUG: 'DETAIL' });
    for (const { results, output } of ranks) {
      expect(results[0], output).to.include({ code: 'DISTRIBUTED_FAILED' });
      expect(results[0]!.message).to.match(/\[2\][^]*\[3\]|\[3\][^]*\[2\]/);
    }
  });

  it('a process that the engine ends says why, and records it for its launcher', async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON does not name a Python that has torch');
      return this.skip();
    }
    // A longer message than the receiver expects, which only a rank of Python's can send.
    const folder = mkdtempSync(join(tmpdir(), 'aiforge-last-words-'));
    const file = join(folder, 'error.json');
    const send = 'import torch, torch.distributed as d; d.init_process_group("gloo"); d.broadcast(torch.zeros(300), 0)';
    const [, ended] = await runCommands([
      { command: python, args: ['-c', send] },
      nodeRank('failures.mjs', { FAILURE: 'tooLong', TORCHELASTIC_ERROR_FILE: file }),
    ]);
    expect(ended!.signal, ended!.output).to.equal('SIGABRT');
    expect(ended!.output).to.match(/aiforge: DISTRIBUTED_FAILED: .* failed: .+\nThis process ends by SIGABRT/);
    const recorded = readErrorFile(file);
    rmSync(folder, { recursive: true });
    expect(recorded, ended!.output).to.include({ isShown: true });
    expect(ended!.output).to.include(recorded!.message.replace('AiforgeError: ', ''));
  });

  it('unused parameters are named under TORCH_DISTRIBUTED_DEBUG=DETAIL too', async () => {
    const ranks = await runTwo('failures.mjs', { FAILURE: 'unused', TORCH_DISTRIBUTED_DEBUG: 'DETAIL' });
    for (const { results, output } of ranks) {
      expect(results[0]?.message, output).to.include(
        "no gradient on this rank to 'weights.1'. The forward pass did not use it. Pass",
      );
    }
  });

  it('another module on one rank is named by every rank', async () => {
    for (const { results } of await runTwo('failures.mjs', { FAILURE: 'otherModel' })) {
      expect(results[0]!.message).to.match(/same module.*rank 1 has 'weights\.0' of float32\[2, 3\]/);
    }
  });

  it('a port in use is named', async () => {
    const server = createServer().listen(0, '0.0.0.0');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [first] = await runCommands([nodeRank('failures.mjs', { FAILURE: 'join', TIMEOUT_MS: '1000' })], { port });
    server.close();
    expect(first!.results[0]!.message).to.include(String(port)).and.to.include('MASTER_PORT');
  });

  it('NCCL is refused without a GPU, and an unknown backend by all', async () => {
    const run = async (backend: string): Promise<unknown> => {
      const [first] = await runCommands([nodeRank('failures.mjs', { FAILURE: 'join', BACKEND: backend })]);
      return first!.results[0]!.message;
    };
    // A build with NCCL says that it has no GPU.
    expect(await run('nccl')).to.match(/has no NCCL: pass \{ backend: 'gloo' \}|NCCL needs a GPU, and no CUDA device/);
    expect(await run('mpi')).to.include("backend must be 'gloo', 'nccl' or 'cpu:gloo,cuda:nccl', got 'mpi'");
  });
});

describe('a process in a group', function () {
  this.timeout(120_000);

  const run = (ending: string): ReturnType<typeof runCommands> => {
    const rank = nodeRank('endings.mjs', { ENDING: ending }, ['--expose-gc']);
    return runCommands([rank, rank]);
  };

  for (const ending of ['returns', 'collected', 'terminated']) {
    it(`ends by itself without destroyProcessGroup: ${ending}`, async () => {
      for (const { status, results, output } of await run(ending)) {
        expect(status, output).to.equal(0);
        expect(results).to.deep.equal([{ ended: ending }]);
      }
    });
  }

  it('exits at once while a collective is pending', async () => {
    for (const { status, output } of await run('exits')) expect(status, output).to.equal(5);
  });

  it('ends by an uncaught error while a receive is pending', async () => {
    for (const { status, output } of await run('throws')) {
      expect(status, output).to.equal(1);
      expect(output).to.include('on purpose');
    }
  });

  it('answers its timers while it waits for another rank', async () => {
    const [waiting] = await run('waits');
    expect(waiting!.status, waiting!.output).to.equal(0);
    expect(waiting!.results[0]!.turns).to.be.greaterThan(1);
  });
});
