import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect } from 'chai';

import { firstHost, withSlurm } from '#lib/slurm.js';
import { fixture, Launchers } from './launch-fixtures/launcher.mjs';
import { freePort } from './ranks.mjs';

/** What srun gives a task of the second of two nodes. */
const srun = {
  SLURM_JOB_ID: '4711',
  SLURM_STEP_ID: '0',
  SLURM_PROCID: '3',
  SLURM_LOCALID: '1',
  SLURM_NODEID: '1',
  SLURM_NTASKS: '4',
  SLURM_NNODES: '2',
  SLURM_TASKS_PER_NODE: '2(x2)',
  SLURM_JOB_NODELIST: 'gpu[007-008]',
  SLURM_LAUNCH_NODE_IPADDR: '10.0.0.9',
};

describe('where others start ranks or launchers', function () {
  this.timeout(60_000);
  let launchers: Launchers;
  const script = fixture('sum.mjs');
  beforeEach(() => {
    launchers = new Launchers();
  });
  afterEach(() => launchers.close());

  it('torchrun --no-python starts an aiforge script as it is', async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: needs Python’s torch (npm test -- --reference)');
      return this.skip();
    }
    const args = ['-m', 'torch.distributed.run', '--nproc-per-node', '2', '--no-python', process.execPath, script];
    const printed = execFileSync(python, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    expect(printed).to.match(/^(sum 3 of 2 at \S+\n){2}$/);
  });

  describe("Kubernetes' variables", () => {
    it('of a TrainJob or a PyTorchJob start the ranks of each pod', async () => {
      const pod = (rank: string) => ({
        PET_NNODES: '2',
        PET_NPROC_PER_NODE: '2',
        PET_NODE_RANK: rank,
        PET_MASTER_ADDR: '127.0.0.1',
        PET_MASTER_PORT: '29537',
        MASTER_ADDR: '127.0.0.1',
        MASTER_PORT: '29537',
        WORLD_SIZE: '4',
        RANK: rank,
      });
      const pods = ['0', '1'].map((rank) => launchers.start([script], { env: pod(rank) }));
      expect(await Promise.all(pods.map(({ end }) => end)), pods.map(({ output }) => output()).join('')).to.deep.equal([
        0, 0,
      ]);
      expect(pods.flatMap(({ output }) => output().split('\n').sort())).to.deep.equal([
        '',
        '[rank 0] sum 10 of 4 at 127.0.0.1',
        '[rank 1] sum 10 of 4 at 127.0.0.1',
        '',
        '[rank 2] sum 10 of 4 at 127.0.0.1',
        '[rank 3] sum 10 of 4 at 127.0.0.1',
      ]);
    });

    it('of an elastic PyTorchJob have the launchers meet', async () => {
      const env = {
        PET_NNODES: '1:2',
        PET_NPROC_PER_NODE: '1',
        PET_RDZV_BACKEND: 'c10d',
        PET_RDZV_ENDPOINT: '127.0.0.1:29538',
        PET_RDZV_ID: 'job',
        PET_RDZV_CONF: 'last_call_timeout=20',
        PET_MAX_RESTARTS: '2',
      };
      const pods = [launchers.start([script], { env }), launchers.start([script], { env })];
      expect(await Promise.all(pods.map(({ end }) => end)), pods.map(({ output }) => output()).join('')).to.deep.equal([
        0, 0,
      ]);
      for (const { output } of pods) expect(output()).to.match(/sum 3 of 2 at \S+\n/);
    });

    it('of a pod that a launch does not read, or that contradict it, are told', async () => {
      const pod = { RANK: '1', WORLD_SIZE: '2', MASTER_ADDR: 'pod-0', MASTER_PORT: '23456' };
      const told = async (env: NodeJS.ProcessEnv, flags: string[] = []) => {
        const { status, output } = await launchers.run([...flags, '--nproc', '2', fixture('print-env.mjs')], { env });
        expect(status).to.equal(0);
        return output;
      };
      const alone =
        'RANK is 1 and WORLD_SIZE 2 in the environment, as for one of several pods, and --nnodes is 1: this launch is a job of its own. ' +
        'For one job of all pods give --nnodes 2 --node-rank 1 --master-addr pod-0 --master-port 23456';
      expect(await told(pod)).to.include(alone);
      expect(await told({ ...pod, RANK: '0' })).to.include('this launch is a job of its own');
      for (const quiet of [await told({ ...pod, RANK: '0', PET_NNODES: '1' }), await told(pod, ['--standalone'])])
        expect(quiet).to.not.include('in the environment');
      const places = {
        PET_NNODES: '2',
        PET_NODE_RANK: '0',
        PET_MASTER_ADDR: '127.0.0.1',
        PET_MASTER_PORT: String(await freePort()),
      };
      const output = await told({ RANK: '1', WORLD_SIZE: '8', ...places });
      expect(output).to.include(
        'WORLD_SIZE is 8 in the environment, and this launch has 2 nodes (--nnodes, PET_NNODES) of 2 (--nproc, PET_NPROC_PER_NODE): its ranks get 4',
      );
      expect(output).to.include("RANK is 1 in the environment, and this node's rank 0 (--node-rank, PET_NODE_RANK)");
      for (const WORLD_SIZE of ['2', '4'])
        expect(await told({ RANK: '0', WORLD_SIZE, ...places })).to.not.include('in the environment');
    });

    it('that contradict each other are told', async () => {
      const env = { MASTER_ADDR: 'a', PET_MASTER_ADDR: '127.0.0.1' };
      const { status, output } = await launchers.run(['--nproc', '1', fixture('print-env.mjs')], { env });
      expect(status).to.equal(0);
      expect(output).to.include('MASTER_ADDR is a and PET_MASTER_ADDR 127.0.0.1 in the environment');
    });
  });

  describe("Slurm's srun", () => {
    it("gives a task what torchrun's variables would say", () => {
      expect(withSlurm(srun)).to.include({
        RANK: '3',
        WORLD_SIZE: '4',
        LOCAL_RANK: '1',
        LOCAL_WORLD_SIZE: '2',
        MASTER_ADDR: 'gpu007',
        MASTER_PORT: '19711',
      });
      const alone = { SLURM_PROCID: '0', SLURM_NTASKS: '1', SLURM_STEP_ID: '0', SLURM_LAUNCH_NODE_IPADDR: '10.0.0.9' };
      expect(withSlurm(alone))
        .to.include({ MASTER_ADDR: '10.0.0.9' })
        .and.not.to.have.any.keys('LOCAL_RANK', 'MASTER_PORT');
      expect(withSlurm({ ...srun, MASTER_ADDR: 'mine', MASTER_PORT: '5' })).to.include({
        MASTER_ADDR: 'mine',
        MASTER_PORT: '5',
      });
    });

    it('has each step of a job, and each task of a step alike, meet at a port of its own', () => {
      const port = (more: object) => withSlurm({ ...srun, ...more }).MASTER_PORT;
      const steps = Array.from({ length: 10_000 }, (_, step) => port({ SLURM_STEP_ID: String(step) }));
      expect(new Set(steps).size).to.equal(10_000);
      expect(steps.every((each) => Number(each) >= 15_000 && Number(each) < 25_000)).to.equal(true);
      expect(port({ SLURM_STEP_ID: '3', SLURM_PROCID: '0' })).to.equal(port({ SLURM_STEP_ID: '3', SLURM_PROCID: '1' }));
      expect(port({ SLURM_STEP_ID: undefined, SLURM_STEP_NUM_TASKS: '4' })).to.equal('19711');
    });

    it('may start a launcher in each task, whose ranks have a world of their own', () => {
      expect(withSlurm({ ...srun, RANK: '7', WORLD_SIZE: '8' })).to.include({ RANK: '7', WORLD_SIZE: '8' });
    });

    it('tells nothing to a batch script itself, nor to a rank of a launcher', () => {
      const { SLURM_STEP_ID: _, SLURM_LAUNCH_NODE_IPADDR: __, ...batch } = srun;
      expect(withSlurm(batch)).to.equal(batch);
      const rank = { ...srun, RANK: '9', WORLD_SIZE: '16', TORCHELASTIC_RUN_ID: 'x' };
      expect(withSlurm(rank)).to.equal(rank);
    });

    for (const [given, message] of [
      [{ RANK: '0', WORLD_SIZE: '4' }, /RANK is 0, and srun says that this is task 3 \(SLURM_PROCID\)/],
      [{ RANK: '0' }, /RANK is 0/],
      [{ WORLD_SIZE: '2' }, /WORLD_SIZE is 2, and srun started 4 tasks \(SLURM_NTASKS\)/],
      [{ WORLD_SIZE: '8' }, /WORLD_SIZE is 8, and srun started 4 tasks \(SLURM_NTASKS\)/],
      [{ SLURM_PROCID: 'x' }, /SLURM_PROCID is 'x'/],
    ] as const) {
      it(`is contradicted by ${JSON.stringify(given)}`, () => {
        expect(() => withSlurm({ ...srun, ...given })).to.throw(message);
      });
    }

    it('starts processes that form a group by what it tells them alone', async () => {
      const tasks = ['0', '1'].map((SLURM_PROCID) => {
        const env = {
          ...process.env,
          SLURM_PROCID,
          SLURM_NTASKS: '2',
          SLURM_STEP_ID: '0',
          SLURM_LOCALID: SLURM_PROCID,
          SLURM_JOB_NODELIST: 'localhost',
          SLURM_JOB_ID: '14539',
        };
        return spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      });
      const printed = await Promise.all(
        tasks.map(async (task) => {
          let output = '';
          task.stdout.on('data', (text) => (output += String(text)));
          await once(task, 'close');
          return output;
        }),
      );
      expect(printed).to.deep.equal(['sum 3 of 2 at undefined\n', 'sum 3 of 2 at undefined\n']);
    });

    it('with launchers that do not go with it is told', async () => {
      const run = (flags: string[], more = {}) =>
        launchers.run([...flags, '--nproc', '1', fixture('print-env.mjs')], { env: { ...srun, ...more } });
      expect((await run([])).output).to.include(
        'srun started 4 tasks on 2 nodes, and each is a launcher of 1 ranks: give srun --ntasks-per-node=1',
      );
      expect((await run([], { SLURM_NTASKS: '2' })).output).to.include(
        'srun has 2 nodes (SLURM_NNODES), and --nnodes is 1: for one job on all of them give --nnodes 2 --rdzv-endpoint gpu007:29400',
      );
      expect((await run([], { SLURM_NTASKS: '1', SLURM_NNODES: '1' })).output).to.not.include('srun');
    });

    it('writes lists of hosts in a short form', () => {
      const first = {
        'n[003-010,12]': 'n003',
        'a,b': 'a',
        login: 'login',
        'n[7]-ib,z': 'n7-ib',
        'a[01,3],b[2-4]': 'a01',
      };
      for (const [list, host] of Object.entries(first)) expect(firstHost(list), list).to.equal(host);
      expect(firstHost('')).to.equal(undefined);
    });
  });

  it('another launcher is told of', async () => {
    const env = { TORCHELASTIC_RUN_ID: 'x', RANK: '1', WORLD_SIZE: '4' };
    expect((await launchers.run(['--nproc', '2', fixture('print-env.mjs')], { env })).output).to.include(
      'this is rank 1 of 4 of another launcher, and each of those starts 2 ranks',
    );
  });
});
