import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';

import { launch } from 'aiforge/distributed';
import { expect } from 'chai';

import { Launchers } from './launch-fixtures/launcher.mjs';
import { childrenOf, isRunning, printedPids } from './launch-fixtures/processes.mjs';

describe('many launches', function () {
  this.timeout(120_000);
  let launchers: Launchers;
  beforeEach(() => (launchers = new Launchers()));
  afterEach(() => launchers.close());

  const descriptors = () => readdirSync('/proc/self/fd').length;
  const listeners = () =>
    process.eventNames().reduce((sum, name) => sum + process.listenerCount(name as NodeJS.Signals), 0);

  it('a hundred in a row leave no process, descriptor, listener, folder or port', async function () {
    if (!existsSync('/proc/self/fd')) {
      console.log('      skipped: this system does not list descriptors in /proc');
      return this.skip();
    }
    const { TMPDIR } = process.env;
    process.env.TMPDIR = launchers.folder;
    let printed = '';
    const stdout = { write: (text: string) => void (printed += text) };
    const launchOnce = (status: number) =>
      launch({ nproc: 2, target: 'sh', args: ['-c', `echo "pid $$ port $MASTER_PORT"; exit ${status}`], executable: true, stdout, stderr: stdout }); // prettier-ignore
    await launchOnce(0);
    const before = { descriptors: descriptors(), listeners: listeners(), children: childrenOf(process.pid).length };
    for (let i = 0; i < 100; i++) expect((await launchOnce(i % 2)).status).to.equal(i % 2);
    expect({
      descriptors: descriptors(),
      listeners: listeners(),
      children: childrenOf(process.pid).length,
    }).to.deep.equal(before);
    expect(printedPids(printed).filter(isRunning)).to.deep.equal([]);
    expect(readdirSync(launchers.folder)).to.deep.equal([]);
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    for (const port of new Set([...printed.matchAll(/port (\d+)/g)].slice(-4).map(([, port]) => Number(port)))) {
      const server = createServer().listen(port);
      await once(server, 'listening');
      server.close();
    }
  });

  it('several at once do not disturb each other', async () => {
    const behaviours = [
      ['ok', 'ok'],
      ['exit:3', 'wait'],
      ['ok', 'ok'],
      ['wait', 'throw'],
    ];
    const started = behaviours.map((each, i) =>
      launchers.behave(each, [], { env: { READY_FOLDER: launchers.folderOf(`${i}`) } }),
    );
    expect(await Promise.all(started.map(({ end }) => end))).to.deep.equal([0, 3, 0, 1]);
    const ports = started.map(({ output }) => /port (\d+)/.exec(output())?.[1]);
    expect(new Set(ports).size).to.equal(4);
    expect(started.flatMap(({ output }) => printedPids(output())).filter(isRunning)).to.deep.equal([]);
  });

  it('a folder of a launch is gone after every end', async () => {
    for (const behaviours of [['ok'], ['throw', 'wait'], ['die:SIGKILL']]) {
      const launcher = launchers.behave(behaviours, [], { env: { READY_FOLDER: launchers.folderOf(behaviours[0]!) } });
      await launcher.end;
      expect(readdirSync(launchers.folder).filter((name) => name.startsWith('aiforge-launch-'))).to.deep.equal([]);
    }
  });
});
