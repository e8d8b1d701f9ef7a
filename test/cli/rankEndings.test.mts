import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'chai';

import { childrenOf, until } from '../distributed/launch-fixtures/processes.mjs';
import { finished, printed, run, start, temporaryFolder, type Finished } from '../support/project.mjs';
import { metricsOf, onlyRun, runFolders } from '../support/runFolder.mjs';

const experiments = path.resolve('test/cli/fixtures/experiments');
const two = ['--nproc', '2', 'train', path.join(experiments, 'faulty.yaml')];

/** A process that has ended meanwhile has nothing to be read. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** The ranks that a launcher has started, beside its watcher. */
const ranksOf = (launcher: ChildProcess): number[] =>
  childrenOf(launcher.pid!).filter((pid) => read(`/proc/${pid}/environ`).includes('\0RANK='));

/** Whether a process has a handler for SIGUSR2. */
const hearsUserSignals = (pid: number): boolean =>
  (BigInt(`0x${/SigCgt:\s*(\w+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? '0'}`) & (1n << 11n)) !== 0n;

describe('how training on two ranks ends', function () {
  this.timeout(60_000);
  const folder = temporaryFolder('rank-endings');

  it('well where the output cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    const inside = path.join(folder, 'full');
    const child = spawn(process.execPath, [path.resolve('dist/lib/cli/aiforge-launch.js'), ...two], {
      env: { ...process.env, RUNS_DIR: path.join(inside, 'runs') },
      stdio: ['ignore', full, 'ignore'],
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    closeSync(full);
    expect(status).to.equal(0);
    expect(metricsOf(onlyRun(inside, 'faulty')).at(-1)).to.include({ kind: 'finish', status: 'FINISHED' });
  });

  it('with status 141 and a checkpoint where nobody reads any more', async () => {
    const child = start('aiforge-launch', two, path.join(folder, 'unread'), { STEP_MS: '20' });
    const end = finished(child);
    child.stdout!.once('data', () => child.stdout!.destroy());
    const { status, stderr } = await end;
    expect(status, stderr).to.equal(141);
    expect(stderr).to.include('nobody reads the output any more');
    expect(existsSync(path.join(onlyRun(path.join(folder, 'unread'), 'faulty'), 'last.safetensors'))).to.equal(true);
  });

  it('well without the folder for temporary files, in another one', async () => {
    const { status, stderr } = await run('aiforge-launch', two, path.join(folder, 'tmp'), { TMPDIR: '/nowhere' });
    expect(status, stderr).to.equal(0);
    expect(stderr).to.include('no folder can be made in /nowhere');
  });

  it('well after a restart, which goes on with the last checkpoint', async () => {
    const [inside, undisturbed] = [path.join(folder, 'restarted'), path.join(folder, 'undisturbed')];
    const again = ['--max-restarts', '1', ...two];
    const { status, stderr } = await run('aiforge-launch', again, inside, { FAULT: 'SIGKILL@9:1', STEP_MS: '20' });
    expect(status, stderr).to.equal(0);
    expect(stderr).to.include(`Started again: going on with ${onlyRun(inside, 'faulty')}`);
    await run('aiforge-launch', two, undisturbed);
    const [one, other] = [inside, undisturbed].map((name) =>
      readFileSync(path.join(onlyRun(name, 'faulty'), 'last.safetensors'), 'base64'),
    );
    expect(one === other).to.equal(true);
  });

  describe('by the fault of one rank, which the launcher names', () => {
    const fails = 'ended with exit status 1\n    Error: failed at';
    for (const [fault, status, rank, ending] of [
      ['fail@construct:1', 1, 1, `${fails} construct`],
      ['fail@load:1', 1, 1, `${fails} load`],
      ['fail@loaded:1', 1, 1, `${fails} loaded`],
      ['fail@loaded:0', 1, 0, `${fails} loaded`],
      ['SIGKILL@loaded:1', 137, 1, 'was killed by SIGKILL'],
      ['SIGTERM@load:1', 143, 1, 'ended with exit status 143'],
      ['SIGINT@loaded:1', 130, 1, 'ended with exit status 130'],
      ['exit@loaded:1', 1, 1, 'ended with exit status 0 while others still needed it'],
      ['never@load:1', 1, 1, 'ended with exit status 1\n    PLUGIN_INVALID Dataset.loadData returned a promise'],
    ] as const) {
      it(`${fault}, before there is a run: status ${status}, and no run`, async () => {
        const inside = path.join(folder, fault);
        const ended = await run('aiforge-launch', two, inside, { FAULT: fault });
        expect(ended.status, ended.stderr).to.equal(status);
        expectCause(ended, rank, ending);
        expect(runFolders(inside, 'faulty')).to.deep.equal([]);
      });
    }

    for (const [fault, status, rank, ending, recorded] of [
      ['fail@5:1', 1, 1, `${fails} 5`, 'FAILED'],
      ['SIGKILL@5:1', 137, 1, 'was killed by SIGKILL', 'FAILED'],
      ['exit@5:1', 1, 1, 'ended with exit status 0 while others still needed it', 'FAILED'],
      ['throw@5:0', 1, 0, 'ended with exit status 1\n    Error: stray error', 'FAILED'],
      ['throw@5:1', 1, 1, 'ended with exit status 1\n    Error: stray error', 'FAILED'],
      ['SIGTERM@5:0', 143, 0, 'ended with exit status 143', 'KILLED'],
      ['SIGHUP@5:1', 129, 1, 'ended with exit status 129', 'KILLED'],
    ] as const) {
      it(`${fault}, in training: status ${status}, and the run is ${recorded}`, async () => {
        const inside = path.join(folder, fault);
        const ended = await run('aiforge-launch', two, inside, { FAULT: fault, STEP_MS: '10' });
        expect(ended.status, ended.stderr).to.equal(status);
        expectCause(ended, rank, ending);
        expect(metricsOf(onlyRun(inside, 'faulty')).at(-1)).to.include({ kind: 'finish', status: recorded });
      });
    }

    it('killed before it joins: the other one does not wait for it', async () => {
      const lost = ['--nproc', '2', 'train', path.join(experiments, 'lost.mjs')];
      const ended = await run('aiforge-launch', lost, folder);
      expect(ended.status, ended.stderr).to.equal(137);
      expectCause(ended, 1, 'was killed by SIGKILL');
      expect(ended.stderr).to.include('rank 0 ended with exit status 143 when asked to stop');
    });

    function expectCause({ stderr }: Finished, rank: number, ending: string): void {
      const [, cause = stderr] = stderr.split('root cause: ');
      expect(cause.replace(/ \(local rank .*?\)/, '')).to.match(new RegExp(`^rank ${rank} ${ending}`));
      expect(cause).to.not.include('as it did not stop when asked to');
    }
  });

  for (const [signal, status] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`${signal} to the launcher and the ranks, twice: one request, with a checkpoint and the command to go on`, async () => {
      const inside = path.join(folder, `${signal}-all`);
      const child = start('aiforge-launch', two, inside, { STEP_MS: '100' });
      const end = finished(child);
      await printed(child, 'files in');
      await sleep(300);
      const ranks = ranksOf(child);
      expect(ranks).to.have.length(2);
      for (const pid of [child.pid!, ...ranks]) process.kill(pid, signal);
      await sleep(50);
      for (const pid of ranks) process.kill(pid, signal);
      const { status: ended, stdout, stderr } = await end;
      expect(ended, stderr).to.equal(status);
      expect(stdout).to.include('Interrupted. Go on with: npx aiforge-launch --nproc 2 train --resume');
      expect(stderr).to.not.include('DISTRIBUTED_FAILED');
      const directory = onlyRun(inside, 'faulty');
      expect(metricsOf(directory).at(-1)).to.include({ kind: 'finish', status: 'KILLED' });
      expect(existsSync(path.join(directory, 'last.safetensors'))).to.equal(true);
    });
  }

  describe('not by a request for a checkpoint that comes while it starts', () => {
    const brief = 'training.epochs=1';

    /** Sends both signals as soon as a process hears the second, which must be before it has loaded LibTorch. */
    async function ask(pid: number): Promise<void> {
      await until(() => hearsUserSignals(pid));
      expect(read(`/proc/${pid}/maps`)).to.not.include('libtorch');
      process.kill(pid, 'SIGUSR1');
      process.kill(pid, 'SIGUSR2');
    }

    function expectUndisturbed({ status, stderr }: Finished): void {
      expect(status, stderr).to.equal(0);
      expect(stderr).to.not.include('Debugger');
    }

    it('to aiforge train', async () => {
      const child = start(
        'aiforge',
        ['train', path.join(experiments, 'faulty.yaml'), brief],
        path.join(folder, 'asked'),
      );
      const end = finished(child);
      await ask(child.pid!);
      expectUndisturbed(await end);
    });

    it('to the launcher, again and again, which hands it on, and to a rank', async () => {
      const child = start('aiforge-launch', [...two, brief], path.join(folder, 'asked-launcher'));
      const end = finished(child);
      await until(() => hearsUserSignals(child.pid!));
      const again = setInterval(() => ['SIGUSR1', 'SIGUSR2'].forEach((name) => child.kill(name as NodeJS.Signals)), 2);
      await until(() => ranksOf(child).length === 2);
      await Promise.all(ranksOf(child).map(ask));
      clearInterval(again);
      expectUndisturbed(await end);
    });
  });
});
