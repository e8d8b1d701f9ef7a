import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

import { launch } from 'aiforge/distributed';
import { expect } from 'chai';

import { allReady, fixture, Launchers, type Launcher } from './launch-fixtures/launcher.mjs';
import { isRunning, printedPids, until } from './launch-fixtures/processes.mjs';

const stateOf = (pid: number) => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
const sinks = { stdout: { write: () => true }, stderr: { write: () => true } };

async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  return promise.then(
    () => expect.fail('it should have been rejected'),
    (error: unknown) => error as Error,
  );
}

describe('the end of a launch', function () {
  this.timeout(60_000);
  let launchers: Launchers;
  beforeEach(() => (launchers = new Launchers()));
  afterEach(() => launchers.close());

  async function endOf(launcher: Launcher): Promise<{ status: unknown; output: string }> {
    const status = await launcher.end;
    return { status, output: launcher.output() };
  }

  describe('names', () => {
    it('a rank that is stopped, when another has waited for it in vain', async () => {
      const { status, output } = await endOf(launchers.behave(['suspend', 'wait-in-vain:300', 'wait']));
      expect(status).to.equal(1);
      expect(output).to.match(/root cause: rank 0 .* was stopped, as by SIGSTOP, while others waited for it\n/);
      expect(printedPids(output).filter(isRunning)).to.deep.equal([]);
    });

    it('a rank that is stopped, also where it still says that the time of others was over', async () => {
      const { status, output } = await endOf(launchers.behave(['suspend-then-tell', 'wait-in-vain:300']));
      expect(status).to.equal(1);
      expect(output, output).to.match(/root cause: rank 0 .* was stopped, as by SIGSTOP, while others waited for it\n/);
    });

    for (const phase of ['meeting', 'allReduce', 'allGatherObject']) {
      it(`a rank that is stopped before what others wait for: ${phase}`, async () => {
        const { status, output } = await endOf(
          launchers.start(['--nproc', '2', fixture('suspended.mjs')], { env: { PHASE: phase } }),
        );
        expect(status).to.equal(1);
        expect(output, output).to.match(
          /root cause: rank 1 .* was stopped, as by SIGSTOP, while others waited for it\n/,
        );
      });
    }

    it('a rank that is stopped, as soon as it is seen, with the way on', async () => {
      const launcher = launchers.behave(['suspend', 'wait'], ['--monitor-interval', '0.1']);
      const [pid] = (await allReady(launcher, 2)).slice(0, 1);
      await until(() => launcher.output().includes('is stopped'));
      const stopped = Number(
        /rank 0 \(pid (\d+)\) is stopped, as by SIGSTOP, .* kill -CONT \1 /.exec(launcher.output())?.[1],
      );
      expect(printedPids(launcher.output())).to.include(stopped).and.to.include(pid);
      launcher.child.kill('SIGTERM');
      expect(await launcher.end).to.equal(143);
    });

    it('a rank that ended well when others waited for it in vain', async () => {
      const { status, output } = await endOf(launchers.behave(['ok', 'wait-in-vain:500']));
      expect(status).to.equal(1);
      expect(output).to.match(/root cause: rank 0 .* ended with exit status 0 while others still needed it\n/);
    });

    it('who waited in vain, where nobody else is to blame', async () => {
      const { status, output } = await endOf(launchers.behave(['wait', 'wait-in-vain:0']));
      expect(status).to.equal(1);
      expect(output).to.match(/root cause: rank 1 [^]*Timed out waiting 500ms/);
    });

    it('no rank that a signal to the launcher ended', async () => {
      const { status, interruptedBy, rootCause } = await new Promise<Awaited<ReturnType<typeof launch>>>(
        (resolve, reject) => {
          launch({
            nproc: 2,
            target: fixture('behave.mjs'),
            args: ['wait', 'save'],
            env: { ...process.env, READY_FOLDER: launchers.folder },
            ...sinks,
          }).then(resolve, reject);
          void until(() => existsSync(path.join(launchers.folder, 'ready-1-0')))
            .then(() => delay(100))
            .then(() => process.kill(process.pid, 'SIGTERM'));
        },
      );
      expect({ status, interruptedBy, rootCause }).to.deep.equal({
        status: 143,
        interruptedBy: 'SIGTERM',
        rootCause: undefined,
      });
    });
  });

  describe('whatever a sink throws', () => {
    const failing = { write: () => { throw new RangeError('no more'); } }; // prettier-ignore

    for (const stream of ['stdout', 'stderr'] as const) {
      it(`on ${stream}, is a rejection, with every rank ended`, async () => {
        const options = {
          nproc: 2,
          target: fixture('behave.mjs'),
          args: ['stubborn', 'exit:3'],
          shutdownTimeout: 0.5,
          maxRestarts: 2,
        };
        const error = await rejection(
          launch({ ...options, env: { ...process.env, READY_FOLDER: launchers.folder }, ...sinks, [stream]: failing }),
        );
        expect(error).to.include({ code: 'LAUNCH_FAILED' });
        expect(error.message).to.include('RangeError: no more');
        expect(readdirSync(launchers.folder).some((name) => name.startsWith('aiforge-launch-'))).to.equal(false);
      });
    }
  });

  describe('by a signal', () => {
    it('SIGQUIT ends the ranks, with its status', async () => {
      const launcher = launchers.behave(['wait', 'wait']);
      const pids = await allReady(launcher, 2);
      launcher.child.kill('SIGQUIT');
      expect(await launcher.end).to.equal(131);
      expect(pids.filter(isRunning)).to.deep.equal([]);
    });

    for (const [first, again, expected] of [
      ['SIGTERM', 'SIGTERM', 143],
      ['SIGTERM', 'SIGINT', 143],
      ['SIGINT', 'SIGINT', 130],
    ] as const) {
      it(`${first}, and ${again} without end until the launcher has ended, is its status`, async () => {
        for (let i = 0; i < 3; i++) {
          const launcher = launchers.behave(['wait', 'save'], [], {
            env: { READY_FOLDER: launchers.folderOf(`${i}`) },
          });
          await allReady(launcher, 2);
          launcher.child.kill(first);
          const flood = setInterval(() => launcher.child.kill(again), 1);
          expect(await launcher.end).to.equal(expected);
          clearInterval(flood);
        }
      });
    }

    it('SIGUSR1 and SIGUSR2 reach handlers, and end no rank that has none, nor open a debugger', async () => {
      const script = path.join(launchers.folder, 'asked.mjs');
      writeFileSync(
        script,
        `if (process.env.RANK === '0') for (const name of ['SIGUSR1', 'SIGUSR2']) process.on(name, () => console.log('asked by ' + name));
         console.log('pid ' + process.pid + ' all ready'); setInterval(() => undefined, 1000);`,
      );
      for (const how of [[script], ['--no-node', 'node', script]]) {
        const launcher = launchers.start(['--nproc', '2', ...how]);
        const pids = await allReady(launcher, 2);
        for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
          launcher.child.kill(signal);
          await until(() => launcher.output().includes(`[rank 0] asked by ${signal}\n`));
        }
        expect(pids.every(isRunning)).to.equal(true);
        expect(launcher.output()).to.not.match(/debugger/i);
        launcher.child.kill('SIGTERM');
        expect(await launcher.end).to.equal(143);
      }
    });

    it('SIGUSR1 and SIGUSR2 end nothing while ranks start', async () => {
      const launcher = launchers.behave(['ok', 'ok']);
      // Until Node.js has come to the launcher's first line, nothing can be done about either.
      await until(() => /pid \d+/.test(launcher.output()) || readdirSync(launchers.folder).length > 0);
      const flood = setInterval(() => {
        launcher.child.kill('SIGUSR2');
        launcher.child.kill('SIGUSR1');
      }, 3);
      const { status, output } = await endOf(launcher);
      clearInterval(flood);
      expect(status).to.equal(0);
      expect(output).to.not.match(/debugger/i);
    });

    it('SIGCONT is heard that has come when SIGTSTP is', async () => {
      const signals = JSON.stringify(path.resolve('dist/lib/distributed/launch/signals.js'));
      const script = `const { Interruption } = require(${signals});
        new Interruption(() => undefined, { limit: () => undefined }).listen();
        process.kill(process.pid, 'SIGTSTP'); process.kill(process.pid, 'SIGCONT');
        setTimeout(() => process.exit(7), 300);`;
      expect(await launchers.spawn(process.execPath, ['-e', script]).end).to.equal(7);
    });

    it('SIGCONT right after SIGTSTP takes it back, and the time between is no time of a rank that is stopped', async () => {
      const launcher = launchers.behave(['wait', 'wait'], ['--monitor-interval', '0.01']);
      const pids = [launcher.child.pid ?? 0, ...(await allReady(launcher, 2))];
      for (let ms = 0; ms < 30; ms++) {
        launcher.child.kill('SIGTSTP');
        if (ms > 0) await delay(ms);
        launcher.child.kill('SIGCONT');
        await delay(100);
        await until(() => pids.every((pid) => stateOf(pid) !== 'T'), 5);
      }
      launcher.child.kill('SIGTERM');
      expect(await launcher.end).to.equal(143);
      expect(launcher.output()).to.not.include('is stopped');
    });

    it('Ctrl-Z stops the ranks with the launcher, and SIGCONT lets all go on', async () => {
      const count =
        'let n = 0; setInterval(() => console.log("tick " + n++), 20); console.log("pid " + process.pid + " all ready");';
      const script = path.join(launchers.folder, 'tick.mjs');
      writeFileSync(script, count);
      const launcher = launchers.start(['--nproc', '1', script]);
      const [pid = 0] = await allReady(launcher, 1);
      launcher.child.kill('SIGTSTP');
      await until(() => stateOf(pid) === 'T' && stateOf(launcher.child.pid ?? 0) === 'T');
      launcher.child.kill('SIGCONT');
      await until(() => stateOf(pid) !== 'T');
      const seen = launcher.output().length;
      await until(() => launcher.output().length > seen + 100);
      launcher.child.kill('SIGTERM');
      expect(await launcher.end).to.equal(143);
      expect(launcher.output()).to.not.include('is stopped');
    });

    it('of what stands in a session of its own, when a rank ends or the launcher is killed', async () => {
      const launcher = launchers.behave(['leave-session:0', 'ok'], ['--shutdown-timeout', '0.3']);
      const pids = await allReady(launcher, 2);
      expect(pids).to.have.length(3);
      expect(await launcher.end).to.equal(0);
      expect(pids.filter(isRunning)).to.deep.equal([]);
    });

    it('SIGKILL of the launcher leaves no process, in whatever session, and no folder', async () => {
      const launcher = launchers.behave(['session', 'family', 'busy']);
      const pids = await allReady(launcher, 3);
      expect(pids).to.have.length(5);
      const folders = () => readdirSync(launchers.folder).filter((name) => name.startsWith('aiforge-launch-'));
      expect(folders()).to.have.length(1);
      launcher.child.kill('SIGKILL');
      await until(() => !pids.some(isRunning) && folders().length === 0);
    });
  });

  it('a folder that cannot be made in TMPDIR is made elsewhere, which is said', async () => {
    const { status, output } = await launchers.run(
      ['--nproc', '1', '--', 'sh', '-c', 'echo $TORCHELASTIC_ERROR_FILE'],
      { env: { TMPDIR: '/proc' } },
    );
    expect(status).to.equal(0);
    expect(output).to.match(/no folder can be made in \/proc \(.*\): what ranks record goes to \/dev\/shm|\/tmp/);
    const [, folder = ''] = /\[rank 0\] (.*)\/0-0\.json/.exec(output) ?? [];
    expect(folder).to.match(/aiforge-launch-/);
    expect(existsSync(folder)).to.equal(false);
  });

  describe('of its output', () => {
    it('keeps lines of hundreds of kilobytes whole, byte for byte, from several ranks', async () => {
      const script = path.join(launchers.folder, 'long.mjs');
      writeFileSync(
        script,
        `const line = Buffer.from(('é🌲' + process.env.RANK).repeat(60_000)); const bytes = Buffer.from([0xff, 0xfe, 0x80]);
         for (let i = 0; i < 5; i++) process.stdout.write(Buffer.concat([line, bytes, Buffer.from('\\n')]));`,
      );
      const child = spawn(process.execPath, [path.resolve('dist/lib/cli/aiforge-launch.js'), '--nproc', '2', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const chunks: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(child, 'close');
      const lines = Buffer.concat(chunks).toString('latin1').split('\n');
      expect(lines.pop()).to.equal('');
      expect(lines).to.have.length(10);
      for (const line of lines) {
        const [, rank = ''] = /^\[rank (\d)\] /.exec(line) ?? [];
        const expected = Buffer.concat([
          Buffer.from(`[rank ${rank}] ${`é🌲${rank}`.repeat(60_000)}`),
          Buffer.from([0xff, 0xfe, 0x80]),
        ]);
        expect(Buffer.from(line, 'latin1').equals(expected)).to.equal(true);
      }
    });

    it('waits for a reader that is asleep, without keeping what ranks print, and loses nothing', async () => {
      const script = path.join(launchers.folder, 'flood.mjs');
      const megabytes = 300;
      writeFileSync(
        script,
        `const block = Buffer.alloc(1 << 20, 'x'.repeat(1023) + '\\n'); let left = ${megabytes};
         const go = () => { while (left-- > 0) if (!process.stdout.write(block)) return process.stdout.once('drain', go); }; go();`,
      );
      const child = spawn(
        process.execPath,
        [path.resolve('dist/lib/cli/aiforge-launch.js'), '--no-prefix', '--nproc', '1', script],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      await delay(3000);
      const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
      expect(peak).to.be.within(1, 200_000);
      let size = 0;
      child.stdout.on('data', (chunk: Buffer) => (size += chunk.length));
      const [status] = (await once(child, 'close')) as [number];
      expect({ status, size }).to.deep.equal({ status: 0, size: megabytes << 20 });
    });

    it('still stops on a signal where nobody reads', async () => {
      const launcher = launchers.start([
        '--nproc',
        '1',
        '--',
        'sh',
        '-c',
        'trap "exit 5" TERM; echo "pid $$ all ready"; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done',
      ]);
      await allReady(launcher, 1);
      launcher.child.stdout?.pause();
      await delay(500);
      launcher.child.kill('SIGTERM');
      await until(() => launcher.output().includes('SIGTERM received'));
      launcher.child.stdout?.resume();
      expect(await launcher.end).to.equal(143);
    });
  });
});
