import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';

import { expect } from 'chai';

import { resolveMeeting, type ElasticMeeting } from '#lib/distributed/launch/meeting.js';
import type { LaunchOptions } from '#lib/distributed/launch/options.js';
import { withOwnInspector } from '#lib/distributed/launch/inspector.js';
import { parseConf } from '#lib/distributed/launch/rendezvousConf.js';
import { fixture, Launchers } from './launch-fixtures/launcher.mjs';

describe("aiforge-launch's options", function () {
  this.timeout(60_000);
  let launchers: Launchers;
  beforeEach(() => (launchers = new Launchers()));
  afterEach(() => launchers.close());

  describe('as torchrun spells them', () => {
    it('with dashes, with underscores and with =', async () => {
      for (const flags of [
        ['--nproc-per-node', '2'],
        ['--nproc_per_node=2'],
        ['--nproc_per_node', '2', '--max_restarts=1'],
      ]) {
        const ranks = await launchers.environments(flags);
        expect(
          ranks.map(({ RANK }) => RANK),
          flags.join(' '),
        ).to.deep.equal(['0', '1']);
      }
    });

    it("leaves what follows the target as it is: a script's own options", async () => {
      const { output } = await launchers.run([
        '--nproc',
        '1',
        '--no-prefix',
        fixture('print-env.mjs'),
        '--nproc_per_node',
        'a_b=c_d',
      ]);
      expect((JSON.parse(output) as { args: string[] }).args).to.deep.equal(['--nproc_per_node', 'a_b=c_d']);
    });

    it('--no-python, --standalone, --role and --rdzv-id', async () => {
      const flags = [
        '--standalone',
        '--role',
        'trainer',
        '--nproc',
        '1',
        '--no_python',
        'sh',
        '-c',
        'echo "$ROLE_NAME of $TORCHELASTIC_RUN_ID"',
      ];
      expect((await launchers.run(['--rdzv-id', 'job7', ...flags])).output).to.equal('[rank 0] trainer of job7\n');
    });

    it('reads its variables, which options come before', async () => {
      const env = {
        PET_NPROC_PER_NODE: '2',
        PET_ROLE: 'a',
        PET_MAX_RESTARTS: '3',
        PET_STANDALONE: '0',
        PET_RDZV_ENDPOINT: '',
      };
      const ranks = await launchers.environments(['--role', 'b'], env);
      expect(ranks).to.have.length(2);
      expect(ranks[1]).to.include({ ROLE_NAME: 'b', TORCHELASTIC_MAX_RESTARTS: '3' });
    });

    it('refuses unusable variables by name, and tells of a slip', async () => {
      for (const [name, value] of [
        ['PET_NPROC_PER_NODE', 'two'],
        ['PET_NNODES', '2:1'],
        ['PET_STANDALONE', 'yes'],
        ['PET_RDZV_BACKEND', 'etcd'],
        ['PET_MODULE', '1'],
      ] as const) {
        const { status, output } = await launchers.run(
          ['--nproc', '1', fixture('print-env.mjs')].slice(name === 'PET_NPROC_PER_NODE' ? 2 : 0),
          { env: { [name]: value } },
        );
        expect(status, name).to.equal(1);
        expect(output).to.match(
          name === 'PET_MODULE' ? /-m is Python's/ : name === 'PET_NNODES' ? /PET_NNODES is 2:1/ : new RegExp(name),
        );
      }
      const { output } = await launchers.run(['--nproc', '1', fixture('print-env.mjs')], {
        env: { PET_MAX_RESTART: '1' },
      });
      expect(output)
        .to.include('PET_MAX_RESTART is no variable of torchrun')
        .and.to.include('Did you mean PET_MAX_RESTARTS?');
    });

    it('leaves out of the environment how launchers meet where there is nothing to meet, and says so', async () => {
      const env = { PET_RDZV_CONF: 'join_timeout=1', PET_LOCAL_ADDR: 'a' };
      const { status, output } = await launchers.run(['--nproc', '1', fixture('print-env.mjs')], { env });
      expect(status).to.equal(0);
      for (const name of Object.keys(env)) expect(output).to.include(`${name} is not used: without --rdzv-endpoint`);
    });

    it('says what it leaves out of the environment for an option that does not go with it', async () => {
      const env = { PET_NNODES: '4', PET_RDZV_ENDPOINT: 'other:29400' };
      const { status, output } = await launchers.run(['--standalone', '--nproc', '1', fixture('print-env.mjs')], {
        env,
      });
      expect(status).to.equal(0);
      expect(output)
        .to.include('PET_NNODES is not used: --standalone is one node')
        .and.to.include('PET_RDZV_ENDPOINT is not used');
    });

    for (const [flags, expected] of [
      [['-m', 'package.module'], /-m is Python's: give the file of a script, or --no-node python -m MODULE/],
      [['--grace-seconds', '3'], /--shutdown-timeout/],
      [['--signals-to-handle', 'SIGTERM'], /SIGUSR2 are all passed on/],
      [['--virtual-local-rank'], /LOCAL_RANK/],
      [['--rdzv-backend', 'etcd'], /must be c10d or static\. With c10d the launchers meet without a server/],
      [['--rdzv-conf', 'join_timout=3'], /has no 'join_timout'\. Did you mean 'join_timeout'\?/],
      [['--rdzv-conf', 'join_timeout=soon'], /join_timeout is 'soon'/],
      [['--standalone', '--nnodes', '2'], /standalone means one node/],
      [['--standalone', '--rdzv-endpoint', 'a:1'], /standalone means that no other node is met/],
      [['--nnodes', '2:1'], /nnodes is 2:1/],
      [['--nnodes', '2:4'], /must meet somewhere: give --rdzv-endpoint/],
      [['--nnodes', '2', '--node-rank', '0', '--max-restarts', '1'], /--max-restarts is 1, .* give --rdzv-endpoint/],
      [['--nnodes', '2', '--rdzv-endpoint', 'a:b'], /--rdzv-endpoint is 'a:b'/],
      [['--nnodes', '2', '--rdzv-endpoint', '::1:29400'], /in brackets/],
      [
        ['--nnodes', '2', '--rdzv-endpoint', 'a:1', '--master-port', '5'],
        /--master-port is 5, but with --rdzv-endpoint/,
      ],
      [['--tee', '3'], /--tee writes files, and there is no folder for them: give --log-dir/],
      [['--log-dir', 'x', '--redirects', '0:1,1:3'], /local rank 1 does not exist: there are 1/],
      [['--log-dir', 'x', '--tee', '4'], /tee is '4'/],
      [['--local-ranks-filter', '0,3'], /local rank 3, but there are 1/],
      [['--local-ranks-filter', 'all'], /must be local ranks/],
      [['--monitor-interval', '0'], /--monitor-interval is 0/],
      [['--log-dir', ''], /--log-dir is '', which says nothing/],
      [['--log-dir', fixture('print-env.mjs')], /--log-dir is '.*print-env.mjs', where there is a file/],
      [['--rdzv-conf', 'join_timeout=1'], /--rdzv-conf is of the backend 'c10d'.* give --rdzv-endpoint/],
      [['--local-addr', 'a'], /--local-addr is of the backend 'c10d'/],
      [['--max-restarts', '-1'], /--max-restarts is -1/],
      [['--world-size', '2'], /\(Ranks to start on each node are --nproc <n>, and nodes --nnodes <n>/],
      [['--devices', '2'], /\(Ranks to start on this node are --nproc <n>\)/],
      [['-n', '2'], /\(Ranks to start on this node are --nproc <n>\)/],
      [['-np', '2'], /\(Ranks to start on this node are --nproc <n>\)/],
      [['--num_machines', '2'], /\(Nodes that take part are --nnodes <n>\)/],
    ] as const) {
      it(`refuses ${flags.join(' ')}`, async () => {
        const { status, output } = await launchers.run([...flags, '--nproc', '1', fixture('print-env.mjs')]);
        expect(status).to.equal(1);
        expect(output).to.match(expected);
        expect(existsSync('x')).to.equal(false);
      });
    }
  });

  it('give ranks every variable that torchrun gives them', async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: needs Python’s torch (npm test -- --reference)');
      return this.skip();
    }
    const print = 'import json, os; print(json.dumps(dict(os.environ)))';
    const torchrun = ['-m', 'torch.distributed.run', '--nproc-per-node', '2', '--no-python', python, '-c', print];
    const env = { PATH: process.env.PATH, HOME: process.env.HOME };
    const lines = execFileSync(python, torchrun, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n');
    const theirs = lines
      .map((line) => JSON.parse(line) as Record<string, string>)
      .sort((a, b) => Number(a.RANK) - Number(b.RANK));
    const ours = await launchers.environments(['--nproc', '2']);
    const differs = new Set([
      'MASTER_ADDR',
      'MASTER_PORT',
      'TORCHELASTIC_RUN_ID',
      'TORCHELASTIC_ERROR_FILE',
      'OMP_NUM_THREADS',
      'TORCHELASTIC_USE_AGENT_STORE',
      'TORCHELASTIC_SIGNALS_TO_HANDLE',
    ]);
    expect(theirs).to.have.length(2);
    theirs.forEach((variables, rank) => {
      for (const [name, value] of Object.entries(variables)) {
        if (name in env || name === 'LC_CTYPE') continue;
        expect(ours[rank], name).to.have.property(name);
        if (!differs.has(name)) expect(ours[rank]![name], name).to.equal(value);
      }
    });
  });

  describe('where nodes meet', () => {
    const meeting = (options: Partial<LaunchOptions>) => resolveMeeting({ nproc: 1, target: 'x', ...options });

    it('is where the launchers find each other with rdzvEndpoint, unless nodes are told their ranks', () => {
      expect(meeting({ nnodes: '2:4', rdzvEndpoint: 'first' })).to.deep.include({
        kind: 'elastic',
        nodes: { min: 2, max: 4 },
        endpoint: { host: 'first', port: 29_400 },
      });
      expect(meeting({ nnodes: 2, rdzvEndpoint: '[::1]:5', nodeRank: 1 })).to.deep.equal({
        kind: 'fixed',
        nnodes: 2,
        nodeRank: 1,
        masterAddr: '::1',
        masterPort: 5,
      });
      expect(meeting({ nnodes: 2, rdzvEndpoint: 'a:5', rdzvBackend: 'c10d', nodeRank: 1 })).to.include({
        kind: 'elastic',
        nodeRank: 1,
      });
      expect(meeting({ nnodes: 2, masterAddr: 'a', nodeRank: 1 })).to.include({ kind: 'fixed', masterPort: 29_500 });
      expect(meeting({ rdzvBackend: 'c10d', rdzvEndpoint: 'localhost:0' })).to.include({ kind: 'fixed', nnodes: 1 });
    });

    it("takes torchrun's times", () => {
      const rdzvConf = parseConf('join_timeout=5, last_call_timeout=0.5,is_host=false');
      const { conf } = meeting({ nnodes: 2, rdzvEndpoint: 'a', rdzvConf }) as ElasticMeeting;
      expect(conf).to.deep.include({ joinTimeout: 5, lastCallTimeout: 0.5, isHost: false, keepAliveInterval: 5 });
    });
  });

  describe('of output', () => {
    const script = 'echo "out $RANK"; echo "err $RANK" >&2';
    const run = (flags: string[]) =>
      launchers.run([
        '--log-dir',
        path.join(launchers.folder, 'logs'),
        '--nproc',
        '2',
        ...flags,
        '--',
        'sh',
        '-c',
        script,
      ]);
    const logs = (): Record<string, string> =>
      Object.fromEntries(
        readdirSync(path.join(launchers.folder, 'logs')).map((name) => [
          name,
          readFileSync(path.join(launchers.folder, 'logs', name), 'utf8'),
        ]),
      );

    it('--tee writes a file a stream and shows it, --redirects writes it only', async () => {
      const { output } = await run(['--tee', '0:1', '--redirects', '1:3']);
      expect(output.split('\n').sort()).to.deep.equal(['', '[rank 0] err 0', '[rank 0] out 0']);
      expect(logs()).to.deep.equal({
        'rank-0.stdout.log': 'out 0\n',
        'rank-1.stdout.log': 'out 1\n',
        'rank-1.stderr.log': 'err 1\n',
      });
    });

    it('--local-ranks-filter shows some ranks alone, and logs all', async () => {
      const { output } = await run(['--local-ranks-filter', '1']);
      expect(output.split('\n').sort()).to.deep.equal(['', '[rank 1] err 1', '[rank 1] out 1']);
      expect(Object.keys(logs())).to.deep.equal(['rank-0.log', 'rank-1.log']);
    });

    it('a rank that is not shown has its stack in the report', async () => {
      const flags = ['--local-ranks-filter', '1', '--nproc', '2', fixture('behave.mjs'), 'throw', 'wait'];
      const { status, output } = await launchers.run(flags);
      expect(status).to.equal(1);
      expect(output).to.match(/root cause: rank 0 [^\n]*\n {4}RangeError: rank 0 threw\n {8}at [^\n]*behave\.mjs/);
    });

    it('a rank that is redirected still has its last lines in the report', async () => {
      const { status, output } = await launchers.run([
        '--log-dir',
        launchers.folder,
        '--redirects',
        '3',
        '--nproc',
        '1',
        '--',
        'sh',
        '-c',
        'echo why >&2; exit 3',
      ]);
      expect(status).to.equal(3);
      expect(output).to.match(/its last lines on stderr:\n {4}why\n {4}its log: .*rank-0\.stderr\.log/);
    });
  });

  it('give each rank an inspector of its own', () => {
    expect(withOwnInspector(['--inspect', '--expose-gc'], 2)).to.deep.equal(['--inspect=9231', '--expose-gc']);
    expect(withOwnInspector(['--inspect-brk=0.0.0.0:4000'], 1)).to.deep.equal(['--inspect-brk=0.0.0.0:4001']);
    expect(withOwnInspector(['--inspect=[::1]:4000', '--inspect-port=7'], 1)).to.deep.equal([
      '--inspect=[::1]:4001',
      '--inspect-port=8',
    ]);
    expect(withOwnInspector(['--inspect=localhost', '--inspect-wait=0'], 1)).to.deep.equal([
      '--inspect=localhost:9230',
      '--inspect-wait=0',
    ]);
  });

  it('open it', async () => {
    const script = path.join(launchers.folder, 'url.mjs');
    writeFileSync(
      script,
      "import { url } from 'node:inspector'; console.log(new URL(url()).port - process.env.LOCAL_RANK);",
    );
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const { output } = await launchers.run(['--nproc', '2', '--node-arg', `--inspect=${port}`, script]);
    expect(output).to.include(`[rank 0] ${port}\n`).and.to.include(`[rank 1] ${port}\n`);
  });
});
