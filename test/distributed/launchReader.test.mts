import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { expect } from 'chai';

import { allReady, Launchers, type Launcher } from './launch-fixtures/launcher.mjs';
import { isRunning, until } from './launch-fixtures/processes.mjs';

describe('a launcher whose output nobody reads', function () {
  this.timeout(60_000);
  let launchers: Launchers;
  beforeEach(() => (launchers = new Launchers()));
  afterEach(() => launchers.close());

  /** Starts ranks that print more than fits between them and a reader, and waits until they are stuck. */
  async function stuck(flags: string[], then = ''): Promise<Launcher & { pids: number[] }> {
    const script = path.join(launchers.folder, 'flood.mjs');
    writeFileSync(
      script,
      `const line = 'y'.repeat(999) + '\\n'; console.log('pid ' + process.pid + ' all ready');
       const go = () => { while (process.stdout.write(line)); process.stdout.once('drain', go); }; setTimeout(go, 500);
       ${then}`,
    );
    const launcher = launchers.start(['--nproc', '2', ...flags, script]);
    const pids = await allReady(launcher, 2);
    launcher.child.stdout?.pause();
    await delay(1500);
    return { ...launcher, pids };
  }

  const exited = ({ child }: Launcher) =>
    new Promise((resolve) => child.once('exit', (status, signal) => resolve(status ?? signal)));

  it('ends when the time for its ranks to stop is over', async () => {
    const launcher = await stuck(['--shutdown-timeout', '1']);
    const end = exited(launcher);
    launcher.child.kill('SIGTERM');
    expect(await end).to.equal(143);
    expect(launcher.pids.filter(isRunning)).to.deep.equal([]);
    expect(launcher.output()).to.include('aiforge-launch: the last lines of ranks are lost, as nobody reads them\n');
  });

  it('tells what is lost also where its reader comes back after the ranks were given up', async () => {
    const launcher = await stuck(['--shutdown-timeout', '0']);
    const lost = 'the last lines of ranks are lost, as nobody reads them';
    launcher.child.kill('SIGTERM');
    await until(() => launcher.output().includes(lost));
    launcher.child.stdout?.resume();
    expect(await launcher.end).to.equal(143);
    expect(launcher.output().split(lost)).to.have.length(2);
  });

  it('ends when its ranks are killed', async () => {
    const launcher = await stuck(['--shutdown-timeout', '1000']);
    const end = exited(launcher);
    launcher.child.kill('SIGINT');
    await until(() => launcher.output().includes('SIGINT received'));
    await delay(500);
    launcher.child.kill('SIGINT');
    expect(await end).to.equal(130);
    expect(launcher.pids.filter(isRunning)).to.deep.equal([]);
  });

  it('tells the root cause of a failure on stderr, and ends with its status', async () => {
    const fail = 'if (process.env.RANK === "1") setTimeout(() => process.exit(5), 1000);';
    const launcher = await stuck(['--shutdown-timeout', '1'], fail);
    expect(await exited(launcher)).to.equal(5);
    expect(launcher.output()).to.match(/root cause: rank 1 .* ended with exit status 5\n/);
  });

  it('waits for its reader where ranks end well, until a signal asks it to stop', async () => {
    const launcher = launchers.start([
      ...['--nproc', '1', '--no-prefix', '--shutdown-timeout', '0.5', '--', 'sh', '-c'],
      // More than the reader's side holds, and less than both sides do.
      'echo "pid $$ all ready"; sleep 1; yes "$(printf "%999d" 0)" | head -c 350000',
    ]);
    const [pid = 0] = await allReady(launcher, 1);
    const end = exited(launcher);
    launcher.child.stdout?.pause();
    await until(() => !isRunning(pid));
    await delay(3000);
    expect(launcher.child.exitCode).to.equal(null);
    launcher.child.kill('SIGTERM');
    expect(await end).to.equal(143);
  });
});
