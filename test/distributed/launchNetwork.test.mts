import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { hostname } from 'node:os';
import path from 'node:path';

import { expect } from 'chai';

import { fixture } from './launch-fixtures/launcher.mjs';
import { Nodes, quick, statuses, world } from './launch-fixtures/nodes.mjs';
import { until } from './launch-fixtures/processes.mjs';

describe('the network of launchers', function () {
  this.timeout(90_000);
  let launchers: Nodes;
  beforeEach(async () => {
    launchers = await Nodes.make();
  });
  afterEach(() => launchers.close());

  it('say what a name does that is 127.0.0.1 on each node', async () => {
    const name = hostname();
    const { status, output } = await launchers.run([
      '--nnodes',
      '2',
      '--rdzv-endpoint',
      `${name}:${launchers.port}`,
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

  it('are not disturbed by strangers at the port: no text, half a message, one of a gigabyte, or of another form', async () => {
    const nodes = [launchers.node({ nnodes: '1:2' })];
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
      const socket = connect(launchers.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.on('error', () => undefined);
      socket.end(bytes);
      socket.resume();
      await once(socket, 'close');
    }
    nodes.push(launchers.node({ nnodes: '1:2' }));
    await world(nodes, 2);
    launchers.mark('finish');
    expect(await statuses(nodes)).to.deep.equal([0, 0]);
  });

  it('say that what listens at the endpoint is no launcher', async () => {
    const server = createServer((socket) => socket.end('220 mail\r\n')).listen(launchers.port);
    await once(server, 'listening');
    const { status, output } = await launchers.run([
      '--nnodes',
      '2',
      '--rdzv-endpoint',
      `127.0.0.1:${launchers.port}`,
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
      const start = (name: string) => {
        const command = ['netns', 'exec', name, process.execPath, path.resolve('dist/lib/cli/aiforge-launch.js')];
        const flags = [
          '--nnodes',
          '2',
          '--rdzv-endpoint',
          `10.77.0.1:${launchers.port}`,
          '--rdzv-conf',
          quick,
          '--nproc',
          '1',
          fixture('sum.mjs'),
        ];
        return launchers.spawn('ip', [...command, ...flags]);
      };
      const nodes = [start(a), start(b)];
      expect(await statuses(nodes), nodes.map(({ output }) => output()).join('\n')).to.deep.equal([0, 0]);
      for (const { output } of nodes) expect(output()).to.match(/sum 3 of 2 at 10\.77\.0\.\d\n/);
    } finally {
      for (const name of [a, b]) ip('netns', 'del', name);
    }
  });
});
