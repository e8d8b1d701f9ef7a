import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import path from 'node:path';

import { expect } from 'chai';

import { inOrder, placesOf } from '#lib/distributed/launch/rendezvous/places.js';
import { fixture, Launchers, type Launcher } from './launch-fixtures/launcher.mjs';
import { isRunning, printedPids, until } from './launch-fixtures/processes.mjs';

const quick = 'keep_alive_interval=0.3,keep_alive_max_attempt=4,last_call_timeout=0.5,join_timeout=30';

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The ranks that nodes said they have, as `rank of world`, at each restart. */
function ranksOf(launchers: Launcher[], restart: number): string[] {
  const said = launchers.map(({ output }) => output()).join('');
  const each = said.matchAll(/\] rank (\d+) of (\d+) local \d+ group \d+ of \d+ role \d+ of \d+ restart (\d+)/g);
  return [...each].filter(([, , , at]) => Number(at) === restart).map(([, rank, world]) => `${rank} of ${world}`);
}

describe('launchers of several nodes', function () {
  this.timeout(90_000);
  let launchers: Launchers;
  let port: number;
  beforeEach(async () => {
    launchers = new Launchers();
    port = await freePort();
  });
  afterEach(() => launchers.close());

  interface NodeFlags {
    nnodes: string;
    nproc?: number;
    restarts?: number;
    more?: readonly string[];
  }

  function node({ nnodes, nproc = 1, restarts = 0, more = [] }: NodeFlags): Launcher {
    const meeting = ['--nnodes', nnodes, '--rdzv-endpoint', `127.0.0.1:${port}`, '--rdzv-conf', quick];
    const flags = [...meeting, '--max-restarts', `${restarts}`, '--shutdown-timeout', '5', ...more];
    return launchers.start([...flags, '--nproc', `${nproc}`, fixture('elastic.mjs')]);
  }

  const mark = (name: string) => writeFileSync(path.join(launchers.folder, name), '');
  const clear = (name: string) => rmSync(path.join(launchers.folder, name));
  const statuses = (nodes: Launcher[]) => Promise.all(nodes.map(({ end }) => end));
  const expectNothingLeft = (nodes: Launcher[]) =>
    expect(nodes.flatMap(({ output }) => printedPids(output())).filter(isRunning)).to.deep.equal([]);

  /** Waits until as many ranks as that are in one world. */
  const world = (nodes: Launcher[], size: number, restart = 0) =>
    until(() => ranksOf(nodes, restart).filter((rank) => rank.endsWith(` of ${size}`)).length >= size);

  it('number ranks through, however many each node has, and those of a role among themselves', async () => {
    const nodes = [
      node({ nnodes: '3', nproc: 1, more: ['--node-rank', '2', '--rdzv-backend', 'c10d'] }),
      node({ nnodes: '3', nproc: 2, more: ['--node-rank', '0', '--rdzv-backend', 'c10d', '--role', 'a'] }),
      node({ nnodes: '3', nproc: 1, more: ['--node-rank', '1', '--rdzv-backend', 'c10d'] }),
    ];
    await world(nodes, 4);
    mark('finish');
    expect(await statuses(nodes)).to.deep.equal([0, 0, 0]);
    const [last, first, middle] = nodes.map(({ output }) => output());
    expect(first)
      .to.include('rank 0 of 4 local 0 group 0 of 3 role 0 of 2 ')
      .and.to.include('rank 1 of 4 local 1 group 0 of 3 role 1 of 2 ');
    expect(middle).to.include('rank 2 of 4 local 0 group 1 of 3 role 0 of 2 ');
    expect(last).to.include('rank 3 of 4 local 0 group 2 of 3 role 1 of 2 ');
    const masters = new Set(
      nodes.flatMap(({ output }) => [...output().matchAll(/ at (\S+:\d+)/g)].map(([, at]) => at)),
    );
    expect(masters.size).to.equal(1);
  });

  it('start all ranks again when one fails, and end with its status after the last restart', async () => {
    const nodes = [node({ nnodes: '2', nproc: 2, restarts: 1 }), node({ nnodes: '2', restarts: 1 })];
    await world(nodes, 3);
    mark('fail-1-0');
    await world(nodes, 3, 1);
    mark('fail-1-1');
    expect(await statuses(nodes)).to.deep.equal([5, 5]);
    for (const { output } of nodes) {
      expect(output()).to.include('starting all ranks again (restart 1 of at most 1)');
      expect(
        output().match(
          /root cause: rank 1 [^\n]* ended with exit status 5\n {4}its last lines on stderr:\n {4}rank 1 gives up/g,
        ),
      ).to.have.length(2);
    }
    expectNothingLeft(nodes);
  });

  it('start all ranks again for a node that comes late, which counts as no restart', async () => {
    const nodes = [node({ nnodes: '1:3' }), node({ nnodes: '1:3' })];
    await world(nodes, 2);
    nodes.push(node({ nnodes: '1:3', nproc: 2 }));
    await world(nodes, 4);
    mark('finish');
    expect(await statuses(nodes)).to.deep.equal([0, 0, 0]);
    expect(nodes[0]!.output()).to.include('a node with 2 ranks has joined');
    expectNothingLeft(nodes);
  });

  it('go on without a node that leaves, and take in one that replaces it', async () => {
    const nodes = [node({ nnodes: '2:3' }), node({ nnodes: '2:3' }), node({ nnodes: '2:3' })];
    await world(nodes, 3);
    nodes[2]!.child.kill('SIGTERM');
    expect(await nodes[2]!.end).to.equal(143);
    await world(nodes.slice(0, 2), 2);
    const replaced = [...nodes.slice(0, 2), node({ nnodes: '2:3' })];
    await until(() => ranksOf(replaced, 0).filter((rank) => rank.endsWith('of 3')).length >= 5);
    mark('finish');
    expect(await statuses(replaced)).to.deep.equal([0, 0, 0]);
  });

  for (const [which, lost] of [
    ['the first, which serves the others', 0],
    ['another', 1],
  ] as const) {
    it(`survive the loss of any node: ${which}`, async () => {
      const nodes: Launcher[] = [];
      for (let i = 0; i < 3; i++) {
        nodes.push(node({ nnodes: '2:3' }));
        // The first is the one that comes first.
        if (i === 0) await new Promise((resolve) => setTimeout(resolve, 800));
      }
      await world(nodes, 3);
      nodes[lost]!.child.kill('SIGKILL');
      await nodes[lost]!.end;
      const left = nodes.filter((_, i) => i !== lost);
      await world(left, 2);
      mark('finish');
      expect(await statuses(left)).to.deep.equal([0, 0]);
      expectNothingLeft(nodes);
    });
  }

  it('survive one loss after the other, down to the last node, and find those that come anew', async () => {
    const nodes: Launcher[] = [];
    for (let i = 0; i < 3; i++) {
      nodes.push(node({ nnodes: '1:3' }));
      await until(() => nodes[i]!.output().includes(' of '));
    }
    await world(nodes, 3);
    nodes[0]!.child.kill('SIGKILL');
    await world(nodes.slice(1), 2);
    nodes[1]!.child.kill('SIGKILL');
    await until(() => ranksOf(nodes.slice(2), 0).includes('0 of 1'));
    const late = node({ nnodes: '1:3' });
    const left = [nodes[2]!, late];
    await until(() => ranksOf([late], 0).includes('1 of 2'));
    mark('finish');
    expect(await statuses(left)).to.deep.equal([0, 0]);
    expectNothingLeft(nodes);
  });

  it('a failure that follows the loss of a node counts as no restart', async () => {
    const nodes = [node({ nnodes: '1:2' })];
    await until(() => nodes[0]!.output().includes(' of 1 '));
    nodes.push(node({ nnodes: '1:2' }));
    await world(nodes, 2);
    nodes[1]!.child.kill('SIGKILL');
    await until(() => ranksOf(nodes.slice(0, 1), 0).filter((rank) => rank === '0 of 1').length === 2);
    mark('finish');
    expect(await nodes[0]!.end).to.equal(0);
  });

  it('say who is there when too few come', async () => {
    const { status, output } = await launchers.run([
      '--nnodes',
      '2',
      '--rdzv-endpoint',
      `127.0.0.1:${port}`,
      '--rdzv-conf',
      'join_timeout=0.7',
      '--nproc',
      '1',
      fixture('elastic.mjs'),
    ]);
    expect(status).to.equal(1);
    expect(output).to.match(
      /only 1 of at least 2 nodes came to 127\.0\.0\.1:\d+ within 0\.7 s \(join_timeout\): 127\.0\.0\.1\./,
    );
  });

  it('say what a name does that is 127.0.0.1 on each node', async () => {
    const name = execFileSync('hostname', { encoding: 'utf8' }).trim();
    const { status, output } = await launchers.run([
      '--nnodes',
      '2',
      '--rdzv-endpoint',
      `${name}:${port}`,
      '--rdzv-conf',
      'join_timeout=0.7,is_host=1',
      '--nproc',
      '1',
      fixture('elastic.mjs'),
    ]);
    expect(status).to.equal(1);
    expect(output).to.match(
      /\/etc\/hosts, each waits for itself; give an address as --rdzv-endpoint, or --rdzv-conf is_host=0/,
    );
  });

  it('turn away those of another job, of other numbers and of a rank that is taken', async () => {
    const first = node({ nnodes: '2', more: ['--rdzv-id', 'mine', '--node-rank', '0', '--rdzv-backend', 'c10d'] });
    await until(() => connectable(first));
    for (const [flags, reason] of [
      [{ nnodes: '2', more: ['--rdzv-id', 'other'] }, /its job is 'other', and the one that meets here is 'mine'/],
      [{ nnodes: '2:3', more: ['--rdzv-id', 'mine'] }, /its --nnodes is 2:3, and that of the others 2:2/],
      [{ nnodes: '2', restarts: 2, more: ['--rdzv-id', 'mine'] }, /its --max-restarts is 2/],
      [
        { nnodes: '2', more: ['--rdzv-id', 'mine', '--node-rank', '0', '--rdzv-backend', 'c10d'] },
        /its --node-rank is 0, which another node has/,
      ],
    ] as const) {
      const other = node(flags);
      expect(await other.end).to.equal(1);
      expect(other.output()).to.match(reason);
    }
    const second = node({ nnodes: '2', more: ['--rdzv-id', 'mine'] });
    await world([first, second], 2);
    mark('finish');
    expect(await statuses([first, second])).to.deep.equal([0, 0]);

    function connectable({ child }: Launcher): boolean {
      if (child.exitCode !== null) throw new Error('the first launcher has ended');
      return (
        execFileSync(
          'sh',
          ['-c', `cat /proc/net/tcp /proc/net/tcp6 | grep -ci ":${port.toString(16).padStart(4, '0')} .* 0A " || true`],
          { encoding: 'utf8' },
        ).trim() !== '0'
      );
    }
  });

  it('are not disturbed by strangers at the port: no text, half a message, one of a gigabyte, or of another form', async () => {
    const nodes = [node({ nnodes: '1:2' })];
    await until(() => nodes[0]!.output().includes(' of 1 '));
    const framed = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([0, 0, 1, 0, 123]),
      Buffer.from([0x40, 0, 0, 0, 1]),
      framed('{"type":"hello","__proto__":{}}'),
      framed('{"type":"over","status":0,"text":""}'),
      framed('[]'),
    ]) {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.on('error', () => undefined);
      socket.end(bytes);
      socket.resume();
      await once(socket, 'close');
    }
    nodes.push(node({ nnodes: '1:2' }));
    await world(nodes, 2);
    mark('finish');
    expect(await statuses(nodes)).to.deep.equal([0, 0]);
  });

  it('say that what listens at the endpoint is no launcher', async () => {
    const server = createServer((socket) => socket.end('220 mail\r\n')).listen(port);
    await once(server, 'listening');
    const { status, output } = await launchers.run([
      '--nnodes',
      '2',
      '--rdzv-endpoint',
      `127.0.0.1:${port}`,
      '--rdzv-conf',
      'join_timeout=1',
      '--nproc',
      '1',
      fixture('elastic.mjs'),
    ]);
    server.close();
    expect(status).to.equal(1);
    expect(output).to.match(
      /LAUNCH_FAILED: This launcher cannot join those at 127\.0\.0\.1:\d+: what came is no message of a launcher/,
    );
  });

  it('end by a signal while they wait for others', async () => {
    const waiting = node({ nnodes: '2' });
    await until(
      () =>
        waiting.child.exitCode !== null ||
        execFileSync('cat', ['/proc/net/tcp6', '/proc/net/tcp'], { encoding: 'utf8' })
          .toLowerCase()
          .includes(`:${port.toString(16).padStart(4, '0')} `),
    );
    waiting.child.kill('SIGTERM');
    expect(await waiting.end).to.equal(143);
  });

  it('meet across network namespaces', async function () {
    const [a, b] = [`aflA${process.pid}`, `aflB${process.pid}`];
    const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });
    try {
      ip('netns', 'add', a);
      ip('netns', 'add', b);
      ip('link', 'add', 'afl0', 'netns', a, 'type', 'veth', 'peer', 'name', 'afl1', 'netns', b);
    } catch (error) {
      console.log(`      skipped: no network namespaces here (${(error as Error).message.split('\n').at(-2) ?? ''})`);
      for (const name of [a, b]) try { ip('netns', 'del', name); } catch { /* It was not made. */ } // prettier-ignore
      return this.skip();
    }
    try {
      for (const [name, link, address] of [
        [a, 'afl0', '10.77.0.1/24'],
        [b, 'afl1', '10.77.0.2/24'],
      ] as const) {
        ip('-n', name, 'addr', 'add', address, 'dev', link);
        ip('-n', name, 'link', 'set', link, 'up');
        ip('-n', name, 'link', 'set', 'lo', 'up');
      }
      const script = path.join(launchers.folder, 'sum.mjs');
      const lib = JSON.stringify(path.resolve('dist/lib/index.js'));
      writeFileSync(
        script,
        `import aiforge from ${lib}; const { distributed, tensor } = aiforge;
         await distributed.initProcessGroup({ timeoutMs: 30_000 });
         const sum = tensor([distributed.getRank() + 1]); await distributed.allReduce(sum);
         console.log('sum ' + sum.item() + ' at ' + process.env.MASTER_ADDR); await distributed.destroyProcessGroup();`,
      );
      const start = (name: string) => {
        const command = ['netns', 'exec', name, process.execPath, path.resolve('dist/lib/cli/aiforge-launch.js')];
        const flags = [
          '--nnodes',
          '2',
          '--rdzv-endpoint',
          `10.77.0.1:${port}`,
          '--rdzv-conf',
          quick,
          '--nproc',
          '1',
          script,
        ];
        return launchers.spawn('ip', [...command, ...flags]);
      };
      const nodes = [start(a), start(b)];
      expect(await statuses(nodes), nodes.map(({ output }) => output()).join('\n')).to.deep.equal([0, 0]);
      for (const { output } of nodes) expect(output()).to.match(/sum 3 at 10\.77\.0\.\d\n/);
    } finally {
      for (const name of [a, b]) ip('netns', 'del', name);
    }
  });

  it('places: by the ranks that were given, then as they came', () => {
    const of = (joined: number, nodeRank: number | null, nproc: number, role = 'default') => ({
      joined,
      hello: { nodeRank, nproc, role },
    });
    const ordered = inOrder([of(0, null, 1), of(1, 1, 2, 'a'), of(2, 0, 3), of(3, null, 1, 'a')]);
    expect(ordered.map(({ joined }) => joined)).to.deep.equal([2, 1, 0, 3]);
    expect(
      placesOf(ordered).map(({ firstRank, firstRoleRank, roleWorldSize }) => [firstRank, firstRoleRank, roleWorldSize]),
    ).to.deep.equal([
      [0, 0, 4],
      [3, 0, 3],
      [5, 3, 4],
      [6, 2, 3],
    ]);
  });
});
