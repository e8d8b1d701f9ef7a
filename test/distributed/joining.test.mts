import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { ProcessGroup, TCPStore } from 'aiforge/distributed';
import { addressTowards, isLoopback } from '#lib/distributed/glooAddress.js';

import { fixture, freePort, nodeRank, runCommands, type Command, type Rank } from './ranks.mjs';

const taken = (rank: number) =>
  new RegExp(
    `^rank ${rank} has joined this group already( \\(process \\d+ on \\S+\\))?: another process has the same RANK, or another job uses this MASTER_PORT\\.$`,
  );

describe('joining a group', function () {
  this.timeout(120_000);
  let folder: string;
  const file = (name: string) => join(folder, name);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'aiforge-joining-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const rank = (own: number, worldSize: number, env: NodeJS.ProcessEnv = {}): Command =>
    nodeRank('joining.mjs', { RANK: String(own), WORLD_SIZE: String(worldSize), ...env });
  const messageOf = ({ results, output, status }: Rank): string => {
    expect(status, output).to.equal(0);
    expect(results[0]?.code, output).to.equal('DISTRIBUTED_FAILED');
    return String(results[0]!.message);
  };

  it('is refused at once where another process has the rank, and the group is not disturbed', async () => {
    const DONE = file('done');
    const ranks = await runCommands([
      rank(0, 2, { DONE, JOINED: file('formed') }),
      rank(1, 2, { DONE }),
      rank(1, 2, { AFTER: file('formed'), FAILED: DONE, TIMEOUT_MS: '1800000' }),
      rank(2, 3, { AFTER: file('formed'), TIMEOUT_MS: '1800000', DONE }),
    ]);
    expect(ranks.slice(0, 2).map(({ results }) => results[0])).to.deep.equal([
      { rank: 0, sum: 6 },
      { rank: 1, sum: 6 },
    ]);
    expect(messageOf(ranks[2]!)).to.match(taken(1));
    expect(messageOf(ranks[3]!)).to.include(
      "rank 2 is one of 3 ranks (WORLD_SIZE), and another of this group's says that there are 2: give all ranks the same WORLD_SIZE",
    );
  });

  it('tells every rank at once that they have different WORLD_SIZEs', async () => {
    const env = { TIMEOUT_MS: '1800000' };
    for (const [first, second] of [
      [2, 3],
      [3, 2],
    ] as const) {
      const ranks = await runCommands([rank(0, first, env), rank(1, second, env)]);
      for (const [own, [is, other]] of [
        [first, second],
        [second, first],
      ].entries()) {
        expect(messageOf(ranks[own]!)).to.match(
          new RegExp(
            `rank ${own} is one of ${is} ranks \\(WORLD_SIZE\\), and .* says that there are ${other}: give all ranks the same WORLD_SIZE`,
          ),
        );
      }
    }
  });

  it('takes one of two that have the same rank and come at once', async () => {
    const DONE = file('done');
    const ranks = await runCommands([
      rank(0, 2, { DONE }),
      rank(1, 2, { DONE, FAILED: DONE }),
      rank(1, 2, { DONE, FAILED: DONE }),
    ]);
    expect(ranks[0]!.results[0], ranks[0]!.output).to.deep.equal({ rank: 0, sum: 6 });
    const [joined, refused] = ranks
      .slice(1)
      .sort((a, b) => Number('code' in a.results[0]!) - Number('code' in b.results[0]!));
    expect(joined!.results[0]).to.deep.equal({ rank: 1, sum: 6 });
    expect(messageOf(refused!)).to.match(taken(1));
  });

  it('takes the place of a process that has ended while the others waited', async () => {
    const mark = file('ended');
    // As one that ends right after it has claimed its place: host, namespace of processes, process, and what tells it from others.
    const claims = `import { statSync } from 'node:fs';
      import { hostname } from 'node:os';
      import { TCPStore } from 'aiforge/distributed';
      const store = await TCPStore.create({ port: Number(process.env.MASTER_PORT) });
      const claim = [hostname(), statSync('/proc/self/ns/pid').ino, process.pid, '1.1', 1, 1].join(' ');
      await store.set('default_pg/0//aiforge/rank/1', claim);`;
    const ends = `import { spawnSync } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      spawnSync(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(claims)}], { stdio: 'inherit' });
      writeFileSync(${JSON.stringify(mark)}, '');`;
    const ended = { command: process.execPath, args: ['--input-type=module', '-e', ends] };
    const ranks = await runCommands([rank(0, 3), ended, rank(2, 3, { AFTER: mark }), rank(1, 3, { AFTER: mark })]);
    for (const own of [0, 2, 3]) expect(ranks[own]!.results[0], ranks[own]!.output).to.include({ sum: 18 });
  });

  it('of a rank that is Python’s is refused too', async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON does not name a Python that has torch');
      return this.skip();
    }
    const DONE = file('done');
    const script = `import os, time, torch, torch.distributed as dist
dist.init_process_group("gloo")
total = torch.tensor([2])
dist.all_reduce(total)
part = dist.new_group()
dist.all_reduce(total, group=part)
dist.barrier()
print('{"python": %d}' % total.item())`;
    const ranks = await runCommands([
      rank(0, 2, { DONE, JOINED: file('formed') }),
      { command: python, args: ['-c', script], env: { RANK: '1', WORLD_SIZE: '2' } },
      rank(1, 2, { AFTER: file('formed'), FAILED: DONE, TIMEOUT_MS: '1800000' }),
    ]);
    expect(ranks[0]!.results[0], ranks[0]!.output).to.deep.equal({ rank: 0, sum: 6 });
    expect(ranks[1]!.results[0], ranks[1]!.output).to.deep.equal({ python: 6 });
    expect(messageOf(ranks[2]!)).to.match(taken(1));
  });

  it('names on every rank those that have not come', async () => {
    const TIMEOUT_MS = '3000';
    const [first, last] = await runCommands([rank(0, 3, { TIMEOUT_MS }), rank(2, 3, { TIMEOUT_MS })]);
    const late = 'Joining the process group failed: timed out after 3000 ms: rank 1 has not come. Check';
    expect(messageOf(first!)).to.include(late);
    // Rank 0 serves the store, and its end may come before.
    expect(messageOf(last!)).to.satisfy(
      (text: string) => text.includes(late) || text.includes('Another rank has ended'),
    );
  });

  it('says of a rank that it has too many open files', async () => {
    const env = { FULL: '1', TIMEOUT_MS: '3000' };
    for (const SPARE of ['0', '7']) {
      const script = `ulimit -n 256 && exec "$0" "$1"`;
      const full = { command: 'sh', args: ['-c', script, process.execPath, fixture('joining.mjs')] };
      const [first, other] = await runCommands([
        { ...full, env: { ...env, SPARE, RANK: '0', WORLD_SIZE: '2' } },
        rank(1, 2, { TIMEOUT_MS: '3000' }),
      ]);
      expect(messageOf(first!), SPARE).to.match(
        /^newGroup failed: (Joining the process group failed: )?too many open files: this process can open no more of them and of sockets(, 256 at once at most)?\. Raise the limit \(ulimit -n\)/,
      );
      expect(messageOf(other!)).to.include('newGroup failed: ');
    }
  });

  it('ends at the timeout where the store does not answer', async () => {
    const [alone] = await runCommands([nodeRank('unanswered.mjs', { GUARD_MS: '40000' })]);
    expect(messageOf(alone!)).to.match(/timed out after 1500 ms: the group's store does not answer\./);
  });

  it('ends at the timeout where a rank has come but cannot be connected', async () => {
    // Nobody listens there; of two addresses the larger one waits for the other's connection, and would five times as long.
    for (const port of [1, 65_535]) {
      const elsewhere = `import { PrefixStore, TCPStore } from 'aiforge/distributed';
        const { MASTER_PORT } = process.env;
        const store = new PrefixStore('default_pg/0/', await TCPStore.create({ port: Number(MASTER_PORT), worldSize: 2 }));
        await store.set('aiforge/rank/1', 'elsewhere');
        const place = Buffer.from(await store.get('cpu//0/0'));
        const isAddress = (_, i) => place.readUInt16LE(i) === 2 && place.readUInt16BE(i + 2) > 1024 && place[i + 4] > 0;
        place.writeUInt16BE(${port}, place.findIndex(isAddress) + 2);
        await store.set('cpu//0/1', place);`;
      const [first] = await runCommands([
        rank(0, 2, { TIMEOUT_MS: '4000', GUARD_MS: '19000' }),
        { command: process.execPath, args: ['--input-type=module', '-e', elsewhere] },
      ]);
      expect(messageOf(first!)).to.match(
        /^Joining the process group failed: (timed out after 4000 ms: )?all ranks ha(ve|d) come, but not all could be connected/,
      );
      expect(messageOf(first!)).to.match(/set GLOO_SOCKET_IFNAME on each/);
    }
  });
});

describe("Gloo's address", function () {
  this.timeout(120_000);

  it('is sought by the route to the server, and is none on this machine', async () => {
    expect(await addressTowards('127.0.0.1', 29500)).to.equal(undefined);
    expect(await addressTowards('no-such-host.invalid', 29500)).to.equal(undefined);
    for (const address of ['127.0.0.1', '127.0.1.1', '::1', '::ffff:127.0.0.1'])
      expect(isLoopback(address)).to.equal(true);
    expect(isLoopback('10.127.0.1')).to.equal(false);
    const store = await TCPStore.create({ port: 0, isServer: true });
    const group = await ProcessGroup.create(store, { rank: 0, worldSize: 1 });
    await group.destroy();
    await store.close();
  });

  it('is that of the interface that leads to MASTER_ADDR where the host’s name is a loopback address', async function () {
    const folder = mkdtempSync(join(tmpdir(), 'aiforge-netns-'));
    const script = join(folder, 'namespaces.sh');
    const port = await freePort();
    const start = (rank: number) =>
      `nsenter --net=/proc/$${rank === 0 ? 'A' : 'B'}/ns/net env RANK=${rank} WORLD_SIZE=2 MASTER_ADDR=10.77.0.1 MASTER_PORT=${port} TIMEOUT_MS=15000 ` +
      `"${process.execPath}" "${fixture('joining.mjs')}" > "${folder}/${rank}" 2>&1`;
    writeFileSync(
      script,
      `set -e
mount --bind "${folder}/hosts" /etc/hosts
unshare -n sleep 100 & A=$!
unshare -n sleep 100 & B=$!
trap 'kill $A $B' EXIT
sleep 0.5
ip link add afj0 type veth peer name afj1
ip link set afj0 netns $A
ip link set afj1 netns $B
nsenter --net=/proc/$A/ns/net sh -c 'ip link set lo up; ip addr add 10.77.0.1/24 dev afj0; ip link set afj0 up'
nsenter --net=/proc/$B/ns/net sh -c 'ip link set lo up; ip addr add 10.77.0.2/24 dev afj1; ip link set afj1 up'
touch "${folder}/ready"
${start(0)} & first=$!
${start(1)}
wait $first
`,
    );
    writeFileSync(join(folder, 'hosts'), `127.0.0.1 localhost ${hostname()}\n`);
    const env = { ...process.env };
    delete env.GLOO_SOCKET_IFNAME;
    const { stderr } = spawnSync('unshare', ['-rnm', 'bash', script], { env, encoding: 'utf8', timeout: 60_000 });
    if (!existsSync(join(folder, 'ready'))) {
      console.log(`      skipped: no network namespaces here (${stderr.trim().split('\n').at(-1) ?? ''})`);
      rmSync(folder, { recursive: true });
      return this.skip();
    }
    const printed = ['0', '1'].map((each) => readFileSync(join(folder, each), 'utf8'));
    rmSync(folder, { recursive: true });
    expect(printed[0]).to.include('{"rank":0,"sum":6}');
    expect(printed[1]).to.include('{"rank":1,"sum":6}');
  });
});
