import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect } from 'chai';

import { TCPStore } from 'aiforge/distributed';

import { fixture, freePort, nodeRank, runCommands, type Command, type Rank } from './ranks.mjs';

const python = process.env.AIFORGE_REFERENCE_PYTHON;

/** The sums of the cycles of rejoin.mjs on two ranks. */
const sums = (times: number): number[] => Array.from({ length: times }, (_, i) => 2 * (1 + 2 * (i + 1)));

const messageOf = ({ results, output }: Rank): string => {
  expect(results[0]?.code, output).to.equal('DISTRIBUTED_FAILED');
  return String(results[0]!.message);
};

describe('a group over a store that outlives it', function () {
  this.timeout(120_000);
  // As the store of torchrun's agent.
  let served: TCPStore;
  beforeEach(async () => {
    served = await TCPStore.create({ port: 0, isServer: true });
  });
  afterEach(() => served.close());

  const agent = { TORCHELASTIC_USE_AGENT_STORE: 'True' };
  const run = (env: NodeJS.ProcessEnv, ranks = [0, 1], worldSize = 2): Promise<Rank[]> =>
    runCommands(
      ranks.map((rank): Command =>
        nodeRank('rejoin.mjs', { RANK: String(rank), WORLD_SIZE: String(worldSize), ...agent, ...env }),
      ),
      { port: served.port },
    );
  const expectSums = (ranks: readonly Rank[], times: number): void => {
    for (const { status, results, output } of ranks) {
      expect(status, output).to.equal(0);
      expect(results[0]).to.deep.equal({ sums: sums(times) });
    }
  };

  it('is left and joined again by the same processes, with the store of a launcher', async () => {
    expectSums(await run({}), 5);
  });

  it('is left and joined again by the same processes, with a store that is given', async () => {
    const env = { OVER: 'given' };
    const port = await freePort();
    expectSums(await runCommands([nodeRank('rejoin.mjs', env), nodeRank('rejoin.mjs', env)], { port }), 5);
  });

  it('is joined by other processes where those of before have left', async () => {
    for (const OVER of ['agent', 'given', 'given']) expectSums(await run({ OVER, SERVED: '1', TIMES: '2' }), 2);
  });

  it('is joined by other processes where those of before were killed in it', async () => {
    for (let attempt = 0; attempt < 3; ++attempt) {
      for (const { signal, output } of await run({ TIMES: '2', END: 'SIGKILL' }))
        expect(signal, output).to.equal('SIGKILL');
    }
    expectSums(await run({}), 5);
  });

  it('is joined by others where one of before was ended while it waited', async () => {
    for (const waiting of [0, 1]) {
      const [alone] = await run({ GUARD_MS: '2000' }, [waiting]);
      expect(alone!.signal).to.equal('SIGKILL');
    }
    expectSums(await run({}), 5);
  });

  it('may have another number of ranks than before', async () => {
    for (const { status, output } of await run({ TIMES: '2' }, [0, 1, 2], 3)) expect(status, output).to.equal(0);
    expectSums(await run({}), 5);
  });

  it('refuses at once a rank whose place another process has', async () => {
    const ranks = await run({ TIMEOUT_MS: '8000' }, [0, 1, 1]);
    const refused = ranks.slice(1).find(({ status }) => status !== 0);
    expectSums(
      ranks.filter((rank) => rank !== refused),
      5,
    );
    expect(messageOf(refused!)).to.match(
      /^rank 1 has joined this group already \(process \d+ on \S+\): another process has the same RANK, or another job uses this store\./,
    );
  });

  it('names the ranks that have not come', async () => {
    const [first, last] = await run({ TIMEOUT_MS: '2000' }, [0, 2], 3);
    for (const rank of [first!, last!]) {
      expect(messageOf(rank)).to.include(
        'Joining the process group failed: timed out after 2000 ms: rank 1 has not come. Check',
      );
    }
  });

  it('tells every rank at once that they have different WORLD_SIZEs', async () => {
    const commands = [2, 3].map((worldSize, rank) =>
      nodeRank('rejoin.mjs', { ...agent, RANK: String(rank), WORLD_SIZE: String(worldSize), TIMEOUT_MS: '1800000' }),
    );
    for (const OVER of ['given', 'agent']) {
      const ranks = await runCommands(
        commands.map((each) => ({ ...each, env: { ...each.env, OVER, SERVED: '1' } })),
        { port: served.port },
      );
      expect(messageOf(ranks[0]!)).to.include(
        'rank 0 is one of 2 ranks (WORLD_SIZE), and rank 1 says that there are 3: give all ranks the same WORLD_SIZE',
      );
      expect(messageOf(ranks[1]!)).to.include(
        'rank 1 is one of 3 ranks (WORLD_SIZE), and rank 0 says that there are 2',
      );
    }
  });

  it('is left where the process of the store is stopped', async () => {
    const serve = `import { TCPStore } from 'aiforge/distributed';
      const store = await TCPStore.create({ port: 0, isServer: true });
      console.log(store.port);
      setInterval(() => undefined, 1000);`;
    const server = spawn(process.execPath, ['--input-type=module', '-e', serve], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [port] = (await once(server.stdout, 'data')) as [Buffer];
    const env = { ...agent, TIMES: '1', STOPS: String(server.pid), TIMEOUT_MS: '120000', GUARD_MS: '30000' };
    const ranks = await runCommands([nodeRank('rejoin.mjs', env), nodeRank('rejoin.mjs', env)], { port: Number(port) });
    server.kill('SIGKILL');
    expectSums(ranks, 1);
  });

  describe('with Python', () => {
    before(function () {
      if (python !== undefined) return;
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON does not name a Python that has torch');
      this.skip();
    });

    const script = `import torch, torch.distributed as dist
dist.init_process_group("gloo")
total = torch.tensor([dist.get_rank() + 1])
dist.all_reduce(total)
part = dist.new_group()
dist.all_reduce(total, group=part)
print('{"sums": [%d]}' % total.item())
# Python itself may abort at the end of a process that leaves its groups open.
dist.destroy_process_group()`;
    const rankOfPython = (rank: number): Command => ({
      command: python!,
      args: ['-c', script],
      env: { RANK: String(rank), ...agent },
    });

    it('has ranks of Python, which use their own keys', async () => {
      for (const first of [0, 1]) {
        const store = await TCPStore.create({ port: 0, isServer: true });
        const node = nodeRank('rejoin.mjs', { RANK: String(1 - first), TIMES: '1', ...agent });
        expectSums(await runCommands([rankOfPython(first), node], { port: store.port }), 1);
        await store.close();
      }
    });

    it('is started again by torchrun', async () => {
      for (const place of [['--standalone'], ['--master-port', String(await freePort())]]) {
        const options = ['--nproc-per-node', '2', '--max-restarts', '2', '--no-python', ...place];
        const args = ['-m', 'torch.distributed.run', ...options, process.execPath, fixture('restarted.mjs')];
        const printed = execFileSync(python!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
        expect(printed.trim().split('\n').sort()).to.deep.equal(
          ['0', '1', '2'].flatMap((attempt) => ['0', '1'].map((rank) => `attempt ${attempt}, rank ${rank}: 3, 3`)),
        );
      }
    });
  });
});
