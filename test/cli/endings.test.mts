import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'chai';

import { finished, printed, run, start, temporaryFolder } from '../support/project.mjs';
import { metricsOf, onlyRun } from '../support/runFolder.mjs';

const fixtures = path.resolve('test/cli/fixtures');
const experiment = path.join(fixtures, 'experiments', 'faulty.yaml');

describe('how a training command ends', () => {
  const folder = temporaryFolder('endings');
  const inside = (name: string): string => path.join(folder, name);
  const train = ['train', experiment];
  const two = ['--nproc', '2', ...train];

  const runOf = (name: string): string => onlyRun(inside(name), 'faulty');
  const bytesOf = (directory: string): string => readFileSync(path.join(directory, 'last.safetensors')).toString('hex');

  let undisturbed = '';
  before(async () => {
    const whole = await run('aiforge', train, inside('whole'));
    expect(whole.status, whole.stderr).to.equal(0);
    undisturbed = bytesOf(runOf('whole'));
  });

  for (const [signal, status] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    for (const [phase, env, until] of [
      ['training', { STEP_MS: '100' }, 'files in'],
      ['validation', { VAL_MS: '1000' }, 'files in'],
    ] as const) {
      it(`${signal} in ${phase}: a checkpoint, status ${status}, and the same bytes in the end`, async () => {
        const name = `${signal}-${phase}`;
        const child = start('aiforge', train, inside(name), env);
        const end = finished(child);
        await printed(child, until);
        await sleep(400);
        child.kill(signal);
        const cut = await end;
        expect(cut.status, cut.stderr).to.equal(status);
        expect(metricsOf(runOf(name)).at(-1)).to.include({ kind: 'finish', status: 'KILLED' });
        const resumed = await run('aiforge', ['train', '--resume', runOf(name)], inside(name));
        expect(resumed.status, resumed.stderr).to.equal(0);
        expect(bytesOf(runOf(name)) === undisturbed).to.equal(true);
      });
    }

    it(`${signal} while the data is prepared: status ${status}, and no run`, async () => {
      const child = start('aiforge', train, inside(`${signal}-data`), { LOAD_MS: '60000' });
      const end = finished(child);
      await printed(child, 'loading');
      child.kill(signal);
      const { status: ended, stderr } = await end;
      expect(ended).to.equal(status);
      expect(stderr).to.include('stopped while its data was prepared');
      expect(existsSync(path.join(inside(`${signal}-data`), 'runs'))).to.equal(false);
    });
  }

  it('a second Ctrl-C: at once, and the run is not left open', async () => {
    const child = start('aiforge', train, inside('twice'), { STEP_MS: '3000' });
    const end = finished(child);
    await printed(child, 'files in');
    child.kill('SIGINT');
    // The step blocks the thread: the signals are seen when it ends.
    child.kill('SIGINT');
    child.kill('SIGTERM');
    const { status } = await end;
    expect(status).to.be.oneOf([130, 143]);
    expect(metricsOf(runOf('twice')).at(-1)).to.include({ kind: 'finish', status: 'KILLED' });
  }).timeout(120_000);

  for (const [fault, message] of [
    ['throw', 'stray error'],
    ['reject', 'stray rejection'],
  ] as const) {
    it(`a ${message}: a checkpoint, its text once, status 1, and the same bytes in the end`, async () => {
      const child = await run('aiforge', train, inside(fault), { FAULT: `${fault}@13`, STEP_MS: '20' });
      expect(child.status).to.equal(1);
      expect(child.stderr.match(new RegExp(`Error: ${message}`, 'g'))).to.have.length(1);
      expect(metricsOf(runOf(fault)).at(-1)).to.include({ kind: 'finish', status: 'FAILED' });
      const resumed = await run('aiforge', ['train', '--resume', runOf(fault)], inside(fault));
      expect(resumed.status, resumed.stderr).to.equal(0);
      expect(bytesOf(runOf(fault)) === undisturbed).to.equal(true);
    });
  }

  it('several stray errors: each text once, and the checkpoint of the first', async () => {
    const { status, stderr } = await run('aiforge', train, inside('stray'), { FAULT: 'twice@13', STEP_MS: '20' });
    expect(status).to.equal(1);
    for (const which of ['first', 'second']) expect(stderr.match(new RegExp(`Error: the ${which} one`, 'g'))).to.have.length(1); // prettier-ignore
    expect(metricsOf(runOf('stray')).at(-1)).to.include({ kind: 'finish', status: 'FAILED' });
    const resumed = await run('aiforge', ['train', '--resume', runOf('stray')], inside('stray'));
    expect(resumed.status, resumed.stderr).to.equal(0);
    expect(bytesOf(runOf('stray')) === undisturbed).to.equal(true);
  });

  it('a promise that never settles: status 1 and whose it is', async () => {
    const { status, stderr } = await run('aiforge', train, inside('never'), { FAULT: 'never@load' });
    expect(status).to.equal(1);
    expect(stderr).to.match(/PLUGIN_INVALID Dataset\.loadData returned a promise that never settles/);
  });

  it('a reader that goes away: a checkpoint, status 141 as after SIGPIPE, and how to go on', async () => {
    const child = start('aiforge', train, inside('unread'), { STEP_MS: '20' });
    const end = finished(child);
    child.stdout!.once('data', () => child.stdout!.destroy());
    const { status, stderr } = await end;
    expect(status).to.equal(141);
    expect(stderr).to.include('Interrupted. Go on with: npx aiforge train --resume');
    expect(metricsOf(runOf('unread')).at(-1)).to.include({ kind: 'finish', status: 'KILLED' });
  });

  it('output that cannot be written: training goes on', () => {
    const full = openSync('/dev/full', 'w');
    const { status } = spawnSync(process.execPath, [path.resolve('dist/lib/cli/aiforge.js'), ...train], {
      env: { ...process.env, RUNS_DIR: path.join(inside('full'), 'runs') },
      stdio: ['ignore', full, full],
    });
    closeSync(full);
    expect(status).to.equal(0);
    expect(metricsOf(runOf('full')).at(-1)).to.include({ kind: 'finish', status: 'FINISHED' });
  });

  it('a folder that cannot be made: status 1 and the reason', async () => {
    const { status, stderr } = await run('aiforge', train, inside('proc'), { RUNS_DIR: '/proc/none' });
    expect(status).to.equal(1);
    expect(stderr).to.match(/TRAINING_FAILED The run's folder \/proc\/none\S* cannot be made: ENOENT/);
  });

  it('nothing to go on with: status 1 and what to give', async () => {
    const model = path.join(fixtures, 'plugins', 'faulty', 'model.mjs');
    for (const [given, message] of [
      ['/nowhere', /there is no run '\/nowhere'\. Give the folder of a run/],
      ['', /there is no run ''/],
      [fixtures, /no run that can go on: there is no config\.yaml/],
      [model, /model\.mjs' is no run and no checkpoint/],
    ] as const) {
      const { status, stderr } = await run('aiforge', ['train', '--resume', given], inside('nothing'));
      expect(status).to.equal(1);
      expect(stderr).to.match(message);
    }
  });

  describe('from code', () => {
    const script = path.join(fixtures, 'script.mjs');
    const runScript = (name: string, env: NodeJS.ProcessEnv) =>
      spawnSync(process.execPath, [script], {
        encoding: 'utf8',
        env: { ...process.env, RUNS_DIR: path.join(inside(name), 'runs'), LOG_LEVEL: 'silent', ...env },
      });

    it('an error that nobody caught is in the log, and the run FAILED', () => {
      const { status } = runScript('uncaught', { FAULT: 'throw@13' });
      expect(status).to.equal(1);
      expect(metricsOf(runOf('uncaught')).at(-1)).to.include({ kind: 'finish', status: 'FAILED' });
      expect(readFileSync(path.join(runOf('uncaught'), 'log.jsonl'), 'utf8')).to.include('stray error');
    });

    it('a callback that never settles rejects', () => {
      const { status, stderr } = runScript('never-called-back', { NEVER: 'callback' });
      expect(status).to.equal(1);
      expect(stderr).to.include('callbacks[0].onEpochEnd returned a promise that never settles');
      expect(metricsOf(runOf('never-called-back')).at(-1)).to.include({ kind: 'finish', status: 'FAILED' });
    });
  });

  it('a loss of NaN: status 1 and no best weights in the report', async () => {
    const { status, stdout, stderr } = await run('aiforge', train, inside('nan'), { FAULT: 'nan@3' });
    expect(status).to.equal(1);
    expect(stderr).to.match(/TRAINING_FAILED The loss is NaN in epoch 1, batch 3/);
    expect(stdout).not.to.include('best weights');
  });

  it('SIGUSR2 asks for a checkpoint, and training goes on', async () => {
    const child = start('aiforge', [...train, 'training.epochs=1'], inside('usr2'), { STEP_MS: '200' });
    const end = finished(child);
    await printed(child, 'files in');
    await sleep(300);
    child.kill('SIGUSR2');
    await sleep(700);
    expect(existsSync(path.join(runOf('usr2'), 'last.safetensors'))).to.equal(true);
    expect((await end).status).to.equal(0);
  });

  describe('on a full disk', () => {
    const disk = path.join(folder, 'disk');

    before(function () {
      mkdirSync(disk);
      const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', disk], {
        encoding: 'utf8',
      });
      if (status === 0) return;
      console.log(`      skipped: no small disk can be mounted here (${stderr.trim()})`);
      this.skip();
    });
    after(() => spawnSync('umount', [disk]));
    beforeEach(() => rmSync(path.join(disk, 'runs'), { recursive: true, force: true }));

    /** Leaves so many bytes free. */
    function fill(free: number): void {
      const file = path.join(disk, 'filled');
      rmSync(file, { force: true });
      writeFileSync(file, Buffer.alloc(256 * 1024 - free));
    }

    it('from the start: status 1 and the reason', async () => {
      fill(0);
      const { status, stderr } = await run('aiforge', train, disk);
      expect(status).to.equal(1);
      expect(stderr).to.match(/TRAINING_FAILED .*ENOSPC/);
    });

    it('while it trains: status 1, the reason, and a signal would have been heard', async () => {
      fill(20 * 1024);
      const { status, stderr } = await run('aiforge', train, disk);
      expect(status).to.equal(1);
      expect(stderr).to.match(/TRAINING_FAILED .*cannot be written: ENOSPC.*Free space/);
    });
  });

  describe('on two ranks', () => {
    const windows = [...two, 'training.accumulationSteps=4'];

    it('Ctrl-C ends steps of two seconds within one, inside a window of four, with a checkpoint and the command to go on', async () => {
      const child = start('aiforge-launch', windows, inside('slow'), { STEP_MS: '2000' });
      const end = finished(child);
      await printed(child, 'files in');
      await sleep(5000);
      const begin = performance.now();
      child.kill('SIGINT');
      const cut = await end;
      expect(cut.status, cut.stderr).to.equal(130);
      expect(performance.now() - begin).to.be.below(10_000);
      const directory = runOf('slow');
      const command = /Go on with: npx (aiforge-launch) (.*)/.exec(cut.stdout)!;
      expect(command[2]).to.match(/^--nproc 2 train --resume /);
      const resumed = await run('aiforge-launch', ['--nproc', '2', 'train', '--resume', directory], inside('slow'));
      expect(resumed.status, resumed.stderr).to.equal(0);
      const whole = await run('aiforge-launch', windows, inside('slow-whole'));
      expect(whole.status, whole.stderr).to.equal(0);
      expect(bytesOf(directory) === bytesOf(runOf('slow-whole'))).to.equal(true);
    }).timeout(180_000);

    it('both validate with the buffers that rank 0 saves', async () => {
      const file = inside('buffers.txt');
      const { status, stderr } = await run('aiforge-launch', [...two, 'training.epochs=1'], inside('buffers'), {
        BUFFERS_FILE: file,
      });
      expect(status, stderr).to.equal(0);
      // One line a rank before training, one in validation, one in the test.
      const lines = readFileSync(file, 'utf8').trim().split('\n');
      expect(lines).to.have.length(6);
      expect(new Set(lines.slice(0, 2)).size).to.equal(1);
      expect(new Set(lines.slice(2)).size).to.equal(1);
    });

    it('a script that trains from code trains one run, not two', async () => {
      const script = path.join(fixtures, 'script.mjs');
      const { status, stdout, stderr } = await run('aiforge-launch', ['--nproc', '2', script], inside('script'));
      expect(status, stderr).to.equal(0);
      expect(stdout.match(/"worldSize":2/g)).to.have.length(2);
      expect(runOf('script')).to.be.a('string');
    });

    it('SIGUSR1 and SIGUSR2 to the launcher reach the ranks, which save and go on, and open no debugger', async () => {
      const child = start('aiforge-launch', [...two, 'training.epochs=1'], inside('signals'), { STEP_MS: '400' });
      const end = finished(child);
      await printed(child, 'files in');
      await sleep(600);
      child.kill('SIGUSR1');
      child.kill('SIGUSR2');
      await sleep(1500);
      expect(existsSync(path.join(runOf('signals'), 'last.safetensors'))).to.equal(true);
      const { status, stderr } = await end;
      expect(status, stderr).to.equal(0);
      expect(stderr).not.to.include('Debugger');
    });
  });
});
