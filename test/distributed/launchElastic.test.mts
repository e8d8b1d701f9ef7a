import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { expect } from 'chai';

import { inOrder, placesOf } from '#lib/distributed/launch/rendezvous/places.js';
import { fixture, type Launcher } from './launch-fixtures/launcher.mjs';
import { Nodes, ranksOf, statuses, world } from './launch-fixtures/nodes.mjs';
import { isRunning, printedPids, until } from './launch-fixtures/processes.mjs';

describe('launchers of several nodes', function () {
  this.timeout(90_000);
  let launchers: Nodes;
  beforeEach(async () => {
    launchers = await Nodes.make();
  });
  afterEach(() => launchers.close());

  /** Whether something listens at the port where the launchers meet. */
  const isListening = () =>
    ['tcp', 'tcp6'].some((name) =>
      new RegExp(`:${launchers.port.toString(16).padStart(4, '0')} \\S+ 0A `, 'i').test(
        readFileSync(`/proc/net/${name}`, 'utf8'),
      ),
    );
  const expectNothingLeft = (nodes: Launcher[]) =>
    expect(nodes.flatMap(({ output }) => printedPids(output())).filter(isRunning)).to.deep.equal([]);

  it('number ranks through, however many each node has, and those of a role among themselves', async () => {
    const nodes = [
      launchers.node({ nnodes: '3', nproc: 1, more: ['--node-rank', '2', '--rdzv-backend', 'c10d'] }),
      launchers.node({ nnodes: '3', nproc: 2, more: ['--node-rank', '0', '--rdzv-backend', 'c10d', '--role', 'a'] }),
      launchers.node({ nnodes: '3', nproc: 1, more: ['--node-rank', '1', '--rdzv-backend', 'c10d'] }),
    ];
    await world(nodes, 4);
    launchers.mark('finish');
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
    const nodes = [
      launchers.node({ nnodes: '2', nproc: 2, restarts: 1 }),
      launchers.node({ nnodes: '2', restarts: 1 }),
    ];
    await world(nodes, 3);
    launchers.mark('fail-1-0');
    await world(nodes, 3, 1);
    launchers.mark('fail-1-1');
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

  for (const [mark, status, cause] of [
    ['vain-0-0', 1, /root cause: rank 1 [^\n]* was stopped, as by SIGSTOP, while others waited for it\n/],
    ['fail-0-0', 5, /root cause: rank 0 [^\n]* ended with exit status 5\n/],
  ] as const) {
    it(`name the rank that is to blame where one of another node is stopped: ${mark}`, async () => {
      const of = (nodeRank: string) =>
        launchers.node({ nnodes: '2', more: ['--node-rank', nodeRank, '--rdzv-backend', 'c10d'] });
      const nodes = [of('0'), of('1')];
      await world(nodes, 2);
      process.kill(printedPids(nodes[1]!.output())[0]!, 'SIGSTOP');
      launchers.mark(mark);
      expect(await statuses(nodes)).to.deep.equal([status, status]);
      for (const { output } of nodes) expect(output()).to.match(cause);
      expectNothingLeft(nodes);
    });
  }

  it('start all ranks again for a node that comes late, which counts as no restart', async () => {
    const nodes = [launchers.node({ nnodes: '1:3' }), launchers.node({ nnodes: '1:3' })];
    await world(nodes, 2);
    nodes.push(launchers.node({ nnodes: '1:3', nproc: 2 }));
    await world(nodes, 4);
    launchers.mark('finish');
    expect(await statuses(nodes)).to.deep.equal([0, 0, 0]);
    expect(nodes[0]!.output()).to.include('a node with 2 ranks has joined');
    expectNothingLeft(nodes);
  });

  it('go on without a node that leaves, and take in one that replaces it', async () => {
    const nodes = [
      launchers.node({ nnodes: '2:3' }),
      launchers.node({ nnodes: '2:3' }),
      launchers.node({ nnodes: '2:3' }),
    ];
    await world(nodes, 3);
    nodes[2]!.child.kill('SIGTERM');
    expect(await nodes[2]!.end).to.equal(143);
    await world(nodes.slice(0, 2), 2);
    const replaced = [...nodes.slice(0, 2), launchers.node({ nnodes: '2:3' })];
    await until(() => ranksOf(replaced, 0).filter((rank) => rank.endsWith('of 3')).length >= 5);
    launchers.mark('finish');
    expect(await statuses(replaced)).to.deep.equal([0, 0, 0]);
  });

  for (const [which, lost] of [
    ['the first, which serves the others', 0],
    ['another', 1],
  ] as const) {
    it(`survive the loss of any node: ${which}`, async () => {
      const nodes: Launcher[] = [];
      for (let i = 0; i < 3; i++) {
        nodes.push(launchers.node({ nnodes: '2:3' }));
        // The first is the one that comes first.
        if (i === 0) await new Promise((resolve) => setTimeout(resolve, 800));
      }
      await world(nodes, 3);
      nodes[lost]!.child.kill('SIGKILL');
      await nodes[lost]!.end;
      const left = nodes.filter((_, i) => i !== lost);
      await world(left, 2);
      launchers.mark('finish');
      expect(await statuses(left)).to.deep.equal([0, 0]);
      expectNothingLeft(nodes);
    });
  }

  for (const [which, frozen] of [
    ['the first, which serves the others', 0],
    ['another', 1],
  ] as const) {
    it(`go on without a node that answers no more: ${which}`, async () => {
      const nodes = [launchers.node({ nnodes: '1:2' })];
      await until(() => ranksOf(nodes, 0).length > 0);
      nodes.push(launchers.node({ nnodes: '1:2' }));
      await world(nodes, 2);
      nodes[frozen]!.child.kill('SIGSTOP');
      const other = nodes[1 - frozen]!;
      const before = ranksOf([other], 0).filter((rank) => rank === '0 of 1').length;
      await until(() => ranksOf([other], 0).filter((rank) => rank === '0 of 1').length > before);
      launchers.mark('finish');
      expect(await other.end, other.output()).to.equal(0);
      nodes[frozen]!.child.kill('SIGKILL');
      if (frozen !== 0) expect(other.output()).to.include('nothing was heard for 1.2 s');
    });
  }

  it('survive one loss after the other, down to the last node, and find those that come anew', async () => {
    const nodes: Launcher[] = [];
    for (let i = 0; i < 3; i++) {
      nodes.push(launchers.node({ nnodes: '1:3' }));
      await until(() => nodes[i]!.output().includes(' of '));
    }
    await world(nodes, 3);
    nodes[0]!.child.kill('SIGKILL');
    await world(nodes.slice(1), 2);
    nodes[1]!.child.kill('SIGKILL');
    await until(() => ranksOf(nodes.slice(2), 0).includes('0 of 1'));
    const late = launchers.node({ nnodes: '1:3' });
    const left = [nodes[2]!, late];
    await until(() => ranksOf([late], 0).includes('1 of 2'));
    launchers.mark('finish');
    expect(await statuses(left)).to.deep.equal([0, 0]);
    expectNothingLeft(nodes);
  });

  it('a failure that follows the loss of a node counts as no restart', async () => {
    const nodes = [launchers.node({ nnodes: '1:2' })];
    await until(() => nodes[0]!.output().includes(' of 1 '));
    nodes.push(launchers.node({ nnodes: '1:2' }));
    await world(nodes, 2);
    nodes[1]!.child.kill('SIGKILL');
    await until(() => ranksOf(nodes.slice(0, 1), 0).filter((rank) => rank === '0 of 1').length === 2);
    launchers.mark('finish');
    expect(await nodes[0]!.end).to.equal(0);
  });

  it('say who is there when too few come', async () => {
    const { status, output } = await launchers.run([
      '--nnodes',
      '2',
      '--rdzv-endpoint',
      `127.0.0.1:${launchers.port}`,
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

  it('turn away those of another job, of other numbers and of a rank that is taken', async () => {
    const first = launchers.node({
      nnodes: '2',
      more: ['--rdzv-id', 'mine', '--node-rank', '0', '--rdzv-backend', 'c10d'],
    });
    await until(isListening);
    for (const [flags, reason] of [
      [{ nnodes: '2', more: ['--rdzv-id', 'other'] }, /its job is 'other', and the one that meets here is 'mine'/],
      [{ nnodes: '2:3', more: ['--rdzv-id', 'mine'] }, /its --nnodes is 2:3, and that of the others 2:2/],
      [{ nnodes: '2', restarts: 2, more: ['--rdzv-id', 'mine'] }, /its --max-restarts is 2/],
      [
        { nnodes: '2', more: ['--rdzv-id', 'mine', '--node-rank', '0', '--rdzv-backend', 'c10d'] },
        /its --node-rank is 0, which another node has/,
      ],
    ] as const) {
      const other = launchers.node(flags);
      expect(await other.end).to.equal(1);
      expect(other.output()).to.match(reason);
    }
    const second = launchers.node({ nnodes: '2', more: ['--rdzv-id', 'mine'] });
    await world([first, second], 2);
    launchers.mark('finish');
    expect(await statuses([first, second])).to.deep.equal([0, 0]);
  });

  it('end by a signal while the one that served them is lost and nobody else is there', async () => {
    const nodes = [launchers.node({ nnodes: '2' })];
    await until(isListening);
    nodes.push(launchers.node({ nnodes: '2' }));
    await world(nodes, 2);
    nodes[0]!.child.kill('SIGKILL');
    await until(() => nodes[1]!.output().includes('1 of at least 2 nodes are here'));
    nodes[1]!.child.kill('SIGTERM');
    expect(await nodes[1]!.end).to.equal(143);
    expectNothingLeft(nodes);
  });

  it('end well when a node is lost whose ranks have ended', async () => {
    const nodes = [launchers.node({ nnodes: '2' })];
    await until(isListening);
    nodes.push(launchers.node({ nnodes: '2' }));
    await world(nodes, 2);
    launchers.mark('finish-1');
    const [pid = 0] = printedPids(nodes[1]!.output());
    await until(() => !isRunning(pid));
    // Its launcher tells the other.
    await delay(700);
    nodes[1]!.child.kill('SIGKILL');
    await nodes[1]!.end;
    launchers.mark('finish');
    expect(await nodes[0]!.end).to.equal(0);
    expect(ranksOf(nodes, 0)).to.have.length(2);
  });

  it('have a node wait that is one too many', async () => {
    const nodes = [launchers.node({ nnodes: '2' }), launchers.node({ nnodes: '2' })];
    await world(nodes, 2);
    const extra = launchers.node({ nnodes: '2' });
    await until(() => extra.output().includes('as many nodes as it may'));
    launchers.mark('finish');
    expect(await statuses([...nodes, extra])).to.deep.equal([0, 0, 0]);
  });

  it('end by a signal while they wait for others', async () => {
    const waiting = launchers.node({ nnodes: '2' });
    await until(isListening);
    waiting.child.kill('SIGTERM');
    expect(await waiting.end).to.equal(143);
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
