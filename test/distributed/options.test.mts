import { expect } from 'chai';

import { cuda, ones, tensor, zeros } from 'aiforge';
import {
  getBackend,
  initProcessGroup,
  isGlooAvailable,
  isInitialized,
  isNcclAvailable,
  ProcessGroup,
  TCPStore,
} from 'aiforge/distributed';
import { checkNcclOptions, nativeNcclOptions } from '#lib/distributed/ncclOptions.js';
import { rankDevice } from '#lib/distributed/rankDevice.js';
import { countRanks } from '#lib/distributed/launch/rankCount.js';

import { freePort, nodeRank, runCommands } from './ranks.mjs';

const failure = async (call: () => unknown): Promise<{ code?: string; message: string }> => {
  try {
    await call();
  } catch (error) {
    return error as { code?: string; message: string };
  }
  throw new Error('it should have been refused');
};

describe("NCCL's options", () => {
  const place = { rank: 0, worldSize: 1, masterAddr: '127.0.0.1', masterPort: 1 };
  const refused: [string, object, RegExp][] = [
    ['are not for Gloo', { ncclOptions: {} }, /ncclOptions are for NCCL, and backend 'gloo' has none/],
    ['have no device with Gloo', { deviceId: 'cuda:1' }, /deviceId: cuda:1 is for NCCL; backend 'gloo'/],
    [
      'name a device',
      { backend: 'nccl', deviceId: 'cuda' },
      /deviceId must be a CUDA device with its number, .*got 'cuda'/,
    ],
    ['have a device from 0 on', { backend: 'nccl', deviceId: -1 }, /deviceId must be .*got -1/],
    ['are known', { backend: 'nccl', ncclOptions: { highPriority: true } }, /has no option 'highPriority'/],
    [
      'have known settings',
      { backend: 'nccl', ncclOptions: { config: { minCTAs: 1 } } },
      /ncclOptions.config: has no option 'minCTAs'. Did you mean 'minCtas'/,
    ],
    [
      'have settings of their kinds',
      { backend: 'nccl', ncclOptions: { config: { maxCtas: 2 ** 31 } } },
      /maxCtas must be a whole number of 32 bits, got 2147483648/,
    ],
    ['are an object', { backend: 'nccl', ncclOptions: [] }, /ncclOptions must be an object/],
  ];
  for (const [what, options, message] of refused) {
    it(what, async () => {
      const { code, message: got } = await failure(() => initProcessGroup({ ...place, ...options }));
      expect(code).to.equal('INVALID_ARGUMENT');
      expect(got).to.match(message);
      expect(isInitialized()).to.equal(false);
    });
  }

  it('reach the addon as one object of what was given', () => {
    const options = { isHighPriorityStream: true, config: { blocking: false, netName: 'Socket', minCtas: 2 } };
    checkNcclOptions(options, 'cpu:gloo,cuda:nccl');
    expect(nativeNcclOptions(options)).to.deep.equal({
      isHighPriorityStream: true,
      blocking: false,
      netName: 'Socket',
      minCtas: 2,
    });
    expect(nativeNcclOptions(undefined)).to.deep.equal({ isHighPriorityStream: false });
  });
});

describe("a rank's GPU", () => {
  const of = (count: number, localRank?: string, deviceId?: number | 'cuda:3'): number | null =>
    rankDevice(deviceId, 'nccl', localRank === undefined ? { count, localRank: '' } : { count, localRank });

  it('is what deviceId says, else the only one, else that of LOCAL_RANK', () => {
    expect(of(4, '1', 2)).to.equal(2);
    expect(of(4, '1', 'cuda:3')).to.equal(3);
    expect(of(1, '3')).to.equal(0);
    expect(of(4, '3')).to.equal(3);
    expect(of(0, '3')).to.equal(null);
    expect(rankDevice(undefined, 'gloo', { count: 4, localRank: '1' })).to.equal(null);
  });

  it('is never guessed', async () => {
    for (const [localRank, message] of [
      [undefined, /sees 4 GPUs and LOCAL_RANK is not set[^]*pass deviceId/],
      ['4', /LOCAL_RANK is '4', but this rank sees 4 GPUs/],
      ['one', /LOCAL_RANK is 'one'/],
    ] as const) {
      const { code, message: got } = await failure(() => of(4, localRank));
      expect(code).to.equal('INVALID_ARGUMENT');
      expect(got).to.match(message);
    }
  });
});

describe('a launch of as many ranks', () => {
  const count = (what: 'gpu' | 'cpu' | 'auto', gpus: number, hasFlavour = true): Promise<number> =>
    countRanks(what, { cores: () => 6, gpus: () => ({ count: gpus, hasFlavour }) });

  it('as there are GPUs, cores, or either', async () => {
    const counts = await Promise.all([count('gpu', 3), count('cpu', 3), count('auto', 3), count('auto', 0)]);
    expect(counts).to.deep.equal([3, 6, 3, 6]);
    expect(await countRanks('auto')).to.be.greaterThan(0);
  });

  it('says why there is no GPU', async () => {
    expect(await failure(() => count('gpu', 0))).to.include({ code: 'LAUNCH_FAILED' });
    expect((await failure(() => count('gpu', 0))).message).to.include('nvidia-smi');
    expect((await failure(() => count('gpu', 0, false))).message).to.include('npm install @aiforge/linux-x64-cuda');
  });
});

describe('a group on Gloo', () => {
  let group: ProcessGroup;
  before(async () => {
    group = await ProcessGroup.create(await TCPStore.create({ port: 0, isServer: true }), { rank: 0, worldSize: 1 });
  });
  after(() => group.destroy());

  it('divides a single number as a tensor of one', async () => {
    const [out, gathered] = [tensor(0), tensor(0)];
    await group.reduceScatterTensor(out, tensor(5));
    await group.allGatherIntoTensor(gathered, tensor(6));
    await group.reduceScatterTensorCoalesced([out], [out.add(2)]);
    expect([out.item(), gathered.item(), out.shape]).to.deep.equal([7, 6, []]);
    expect((await failure(() => group.allToAll(null as never))).code).to.equal('INVALID_ARGUMENT');
  });

  it('says what it is', () => {
    expect(getBackend({ group })).to.equal('gloo');
    expect(isGlooAvailable()).to.equal(true);
    if (!cuda.isAvailable()) expect(isNcclAvailable()).to.be.a('boolean');
  });

  const refused: [string, () => Promise<unknown>, RegExp][] = [
    ['premulSum', () => group.allReduce(ones([2]), { op: { premulSum: 2 } }), /'premulSum' is NCCL's alone/],
    ['bits of floats', () => group.allReduce(ones([2]), { op: 'bor' }), /'bor' is for whole numbers and bool, got/],
    ['half an op', () => group.allReduce(ones([2]), { op: {} as never }), /op must be 'sum'.*{ premulSum: a number }/],
    ["NCCL's barrier", () => group.barrier({ deviceIds: [0] }), /deviceId: 0 is for NCCL/],
    ['two devices', () => group.barrier({ deviceIds: [0, 1] as never }), /deviceIds must be an array of 1/],
    ['no tensors', () => group.allReduceCoalesced([]), /empty list of tensors/],
    ['two dtypes', () => group.allReduceCoalesced([ones([2]), tensor([1])]), /one dtype and one device/],
    ['an output of another size', () => group.allGatherIntoTensor(zeros([3]), ones([2])), /parts of all 1 ranks/],
    ['lists of two lengths', () => group.allGatherIntoTensorCoalesced([zeros([2])], []), /got 1 tensors for 0/],
    [
      'a peer that is not there',
      () => group.batchIsendIrecv([{ op: 'isend', tensor: ones([1]), peer: 1 }]),
      /rank 1 is not/,
    ],
    [
      'no such operation',
      () => group.batchIsendIrecv([{ op: 'send', tensor: ones([1]), peer: 0 } as never]),
      /'isend' or/,
    ],
    ['splits that do not add up', () => group.allToAllSingle(zeros([3]), ones([3]), { inputSplitSizes: [2] }), /./],
  ];
  for (const [what, call, message] of refused) {
    it(`refuses ${what}`, async () => {
      const { code, message: got } = await failure(call);
      expect(code).to.match(/^(INVALID_ARGUMENT|DISTRIBUTED_FAILED)$/);
      expect(got).to.match(message);
    });
  }

  it('shows its last collectives', async () => {
    const other = await ProcessGroup.create(await TCPStore.create({ port: 0, isServer: true }), {
      rank: 0,
      worldSize: 1,
      name: 'other',
    });
    await group.allReduce(ones([2, 3]));
    await other.broadcast(ones([1]), 0);
    const { entries, version } = group.dumpFlightRecorder();
    expect(version).to.match(/^\d+\.\d+$/);
    const last = entries.at(-1)!;
    expect(last).to.deep.include({ profiling_name: 'gloo:all_reduce', process_group: ['0', 'default_pg'] });
    expect(last.input_sizes).to.deep.equal([[2, 3]]);
    expect(other.dumpFlightRecorder().entries.map((entry) => entry.profiling_name)).to.deep.equal(['gloo:broadcast']);
    await other.destroy();
  });
});

describe('what only two ranks show', function () {
  this.timeout(60_000);

  it('monitoredBarrier names the rank that is missing', async () => {
    const ranks = await runCommands(
      [0, 1].map(() => nodeRank('failures.mjs', { FAILURE: 'lateToBarrier', TIMEOUT_MS: '1500' })),
    );
    expect(ranks[0]!.results[0], ranks[0]!.output).to.include({ code: 'DISTRIBUTED_FAILED' });
    expect(ranks[0]!.results[0]!.message).to.match(/timed out after 1500 ms .*rank 1 has not come to it/);
  });

  it('a group on its own port leaves the process free to join another', async () => {
    const at = { rank: 0, worldSize: 1, masterAddr: '127.0.0.1' };
    const first = await initProcessGroup({ ...at, masterPort: await freePort() });
    await first.destroy();
    expect(isInitialized()).to.equal(false);
    const second = await initProcessGroup({ ...at, masterPort: await freePort() });
    await second.abort();
    expect(isInitialized()).to.equal(false);
  });
});
