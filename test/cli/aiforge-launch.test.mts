import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { resolveCommand } from '#lib/distributed/launch/command.js';
import { resolveOptions } from '#lib/distributed/launch/settings.js';
import { childrenOf, isRunning, printedPids, until } from '../distributed/launch-fixtures/processes.mjs';

const cli = join(process.cwd(), 'dist', 'lib', 'cli', 'aiforge-launch.js');
const fixture = (name: string): string => join(process.cwd(), 'test', 'distributed', 'launch-fixtures', name);

interface Launcher {
  child: ChildProcess;
  output: () => string;
  /** Its exit status, or the signal that killed it. */
  end: Promise<number | NodeJS.Signals>;
}

describe('aiforge-launch', function () {
  this.timeout(60_000);
  let folder: string;
  const started: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'aiforge-launch-test-'));
  });
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  function start(args: string[], env: NodeJS.ProcessEnv = {}, nodeArgs: string[] = []): Launcher {
    const child = spawn(process.execPath, [...nodeArgs, cli, ...args], {
      env: { ...process.env, READY_FOLDER: folder, TMPDIR: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
    const end = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
    return { child, output: () => output, end };
  }

  function startBehaving(behaviours: string[], flags: string[] = [], env: NodeJS.ProcessEnv = {}): Launcher {
    return start(['--nproc', `${behaviours.length}`, ...flags, fixture('behave.mjs'), ...behaviours], env);
  }

  async function allReady({ output }: Launcher, ranks: number): Promise<number[]> {
    await until(() => output().split('all ready').length - 1 === ranks);
    return printedPids(output());
  }

  async function run(args: string[], nodeArgs: string[] = []): Promise<{ status: unknown; output: string }> {
    const launcher = start(args, {}, nodeArgs);
    return { status: await launcher.end, output: launcher.output() };
  }

  describe('runs', () => {
    it("a script with Node.js, its own options and the script's", async () => {
      const args = ['--nproc', '1', '--no-prefix', fixture('print-env.mjs'), '--nproc', '--', '--epochs=2'];
      const { status, output } = await run(args, ['--expose-gc']);
      expect(status).to.equal(0);
      const printed = JSON.parse(output) as { args: string[]; execArgv: string[] };
      expect(printed.args).to.deep.equal(['--nproc', '--', '--epochs=2']);
      expect(printed.execArgv).to.include('--expose-gc');
    });

    it('a script in TypeScript', async () => {
      const { status, output } = await run(['--nproc', '2', fixture('typed.ts')]);
      expect(status).to.equal(0);
      expect(output.split('\n').sort()).to.deep.equal(['', '[rank 0] typed 42 string', '[rank 1] typed 42 string']);
    });

    for (const how of ['--no-node', '--']) {
      it(`a program after ${how}`, async () => {
        const { status, output } = await run([
          '--nproc',
          '2',
          how,
          'sh',
          '-c',
          'echo "$0 of $WORLD_SIZE"; exit 9',
          '-x',
        ]);
        expect(status).to.equal(9);
        expect(output).to.include('] -x of 2\n');
      });
    }

    it('train of aiforge, unless there is a file of that name', () => {
      const options = { nproc: 2, target: 'train', args: ['spam.yaml', 'training.epochs=2'], cwd: folder };
      const { file, args } = resolveCommand(resolveOptions(options));
      expect(file).to.equal(process.execPath);
      const aiforge = join(process.cwd(), 'dist', 'lib', 'cli', 'aiforge.js');
      expect(args).to.deep.equal([aiforge, 'train', 'spam.yaml', 'training.epochs=2']);
      writeFileSync(join(folder, 'train'), '');
      const script = resolveCommand(resolveOptions(options)).args;
      expect(script).to.deep.equal([join(folder, 'train'), 'spam.yaml', 'training.epochs=2']);
    });
  });

  describe('fails with status 1 on', () => {
    for (const [args, message] of [
      [['--nproc', '0', 'x.js'], 'nproc is 0'],
      [['--nproc', '-1', 'x.js'], 'nproc is -1'],
      [['--nproc', 'x', 'x.js'], "--nproc <n>' argument 'x' is invalid"],
      [['--nproc', '', 'x.js'], "--nproc <n>' argument '' is invalid"],
      [['x.js'], "'--nproc <n>' not specified"],
      [['--nproc', '2'], "missing required argument 'target'"],
      [['--nproc', '2', 'missing.js'], 'missing.js'],
    ] as const) {
      it(args.join(' '), async () => {
        const { status, output } = await run([...args]);
        expect(status).to.equal(1);
        expect(output).to.include(message);
      });
    }

    it('a master port that is in use, which it names', async () => {
      const server = createServer().listen(0);
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const { status, output } = await run(['--nproc', '2', '--master-port', `${port}`, fixture('print-env.mjs')]);
      server.close();
      expect(status).to.equal(1);
      expect(output).to.match(new RegExp(`^aiforge-launch: LAUNCH_FAILED: The master port ${port} is already in use`));
    });
  });

  describe('on a signal', () => {
    for (const [signal, status] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      it(`${signal} lets the ranks save their work and exits with ${status}`, async () => {
        const launcher = startBehaving(['save', 'save']);
        const pids = await allReady(launcher, 2);
        launcher.child.kill(signal);
        expect(await launcher.end).to.equal(status);
        for (const rank of [0, 1]) {
          const saves = launcher.output().split(`[rank ${rank}] saving after ${signal}\n`).length - 1;
          expect(saves).to.equal(1);
        }
        expect(launcher.output()).to.not.include('--shutdown-timeout');
        expect(pids.filter(isRunning)).to.deep.equal([]);
      });
    }

    it('SIGUSR2 reaches programs', async () => {
      const script = 'trap "echo asked; exit 4" USR2; echo "pid $$"; echo all ready; while :; do sleep 0.1; done';
      const launcher = start(['--nproc', '1', '--', 'sh', '-c', script]);
      await allReady(launcher, 1);
      launcher.child.kill('SIGUSR2');
      expect(await launcher.end).to.equal(4);
      expect(launcher.output()).to.include('asked');
    });

    it('a second Ctrl-C kills ranks that have not stopped', async () => {
      const launcher = startBehaving(['stubborn', 'stubborn'], ['--shutdown-timeout', '1000']);
      const pids = await allReady(launcher, 2);
      launcher.child.kill('SIGINT');
      await until(() => launcher.output().split('ignored SIGINT').length === 3);
      expect(pids.every(isRunning)).to.equal(true);
      launcher.child.kill('SIGINT');
      expect(await launcher.end).to.equal(130);
      expect(pids.filter(isRunning)).to.deep.equal([]);
    });

    it('does not start the ranks again', async () => {
      const launcher = startBehaving(['wait', 'wait'], ['--max-restarts', '5']);
      await allReady(launcher, 2);
      launcher.child.kill('SIGINT');
      expect(await launcher.end).to.equal(130);
      expect(launcher.output()).to.not.include('restart');
    });

    it('kills ranks that do not stop within the grace, and says which', async () => {
      const launcher = startBehaving(['stubborn', 'save', 'stubborn'], ['--shutdown-timeout', '0.5']);
      const pids = await allReady(launcher, 3);
      launcher.child.kill('SIGTERM');
      expect(await launcher.end).to.equal(143);
      expect(launcher.output()).to.include(
        'aiforge-launch: ranks 0, 2 have not ended 0.5 s after SIGTERM: killing them. What was not saved is lost. ' +
          'To give ranks more time, raise --shutdown-timeout (shutdownTimeout of launch).\n',
      );
      expect(pids.filter(isRunning)).to.deep.equal([]);
    });

    it('stops when nobody reads its output any more', async () => {
      const launcher = startBehaving(['stubborn'], ['--shutdown-timeout', '0.5']);
      const pids = await allReady(launcher, 1);
      launcher.child.stdout?.destroy();
      // The rank prints that it ignores this, which the launcher cannot pass on.
      process.kill(pids[0] ?? expect.fail('no process id was printed'), 'SIGINT');
      expect(await launcher.end).to.equal(141);
      expect(pids.filter(isRunning)).to.deep.equal([]);
    });
  });

  describe('leaves nothing running when it is killed itself', () => {
    async function expectNoOrphans(launcher: Launcher, ranks: number, processes: number): Promise<void> {
      const pids = await allReady(launcher, ranks);
      expect(pids).to.have.length(processes);
      expect(pids.every(isRunning)).to.equal(true);
      launcher.child.kill('SIGKILL');
      await until(() => !pids.some(isRunning));
      expect(await launcher.end).to.equal('SIGKILL');
    }

    it('neither ranks, busy or not, nor what they started', () =>
      expectNoOrphans(startBehaving(['family', 'busy', 'stubborn']), 3, 4));

    it('nor where setpriv is missing', () =>
      expectNoOrphans(startBehaving(['family', 'busy'], [], { PATH: join(folder, 'empty') }), 2, 3));

    it('nor ranks that are programs of their own', () => {
      const script = 'trap "" TERM; sleep 1000 & echo "pid $$ child $!"; echo all ready; wait';
      return expectNoOrphans(start(['--nproc', '2', '--', 'sh', '-c', script]), 2, 4);
    });

    it('nor ranks without the guard, where setpriv can bind them to it', async function () {
      const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
      if (setpriv === undefined) {
        console.log('      skipped: this machine has no setpriv');
        return this.skip();
      }
      const launcher = startBehaving(['busy', 'stubborn']);
      const pids = await allReady(launcher, 2);
      const guards = childrenOf(launcher.child.pid ?? 0).filter((pid) => !pids.includes(pid));
      expect(guards).to.have.length(1);
      for (const guard of guards) process.kill(guard, 'SIGKILL');
      launcher.child.kill('SIGKILL');
      await until(() => !pids.some(isRunning));
    });
  });
});
