import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, renameSync, truncateSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';
import { RunLock } from '#lib/core/runs/runLock.js';
import { runsOf } from '#lib/core/runs/runDirectory.js';

import { run, temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, experiment, failureOf, runIn } from './lab.mjs';

describe('the words of training.resumeFrom', () => {
  const folder = temporaryFolder('resume-words');
  const inside = (name: string) => path.join(folder, name);
  const runsIn = (runs: string) => readdirSync(path.join(runs, 'lab'));
  const resume = (word: string, training: object = {}) => experiment({ ...training, resumeFrom: word });

  it('last: the newest run of the experiment', async () => {
    const runs = inside('last');
    const whole = await runIn(inside('last-whole'), experiment());
    const first = await runIn(runs, experiment(), abortAt(1, 4));
    const second = await runIn(runs, experiment(), abortAt(2, 4));
    const end = await runIn(runs, resume('last'));
    expect(end.runDirectory).to.equal(path.resolve(second.runDirectory));
    expect(bytesOf(end.runDirectory) === bytesOf(whole.runDirectory)).to.equal(true);
    expect(loadCheckpoint(path.join(first.runDirectory, 'last.safetensors')).state.step).to.equal(4);
  });

  it('best: the best epoch of that run', async () => {
    const runs = inside('best');
    const { runDirectory, bestEpoch } = await runIn(runs, experiment({ epochs: 4, learningRate: 0.3 }));
    const cut = await runIn(runs, resume('best', { epochs: 4, learningRate: 0.3 }), abortAt(bestEpoch! + 1, 1));
    expect(cut.runDirectory).to.equal(path.resolve(runDirectory));
    expect(loadCheckpoint(path.join(runDirectory, 'last.safetensors')).state).to.include({ epoch: bestEpoch, batch: 1, bestEpoch }); // prettier-ignore
  });

  it('auto: the newest that is not finished, or a new one', async () => {
    const runs = inside('auto');
    const cut = await runIn(runs, experiment(), abortAt(2, 4));
    await runIn(runs, experiment());
    const end = await runIn(runs, resume('auto'));
    expect([end.status, end.runDirectory]).to.deep.equal(['finished', path.resolve(cut.runDirectory)]);
    expect(runsIn(runs)).to.have.length(2);
    const fresh = await runIn(runs, resume('auto'));
    expect([fresh.status, fresh.epochs]).to.deep.equal(['finished', 3]);
    expect(runsIn(runs)).to.have.length(3);
  });

  it('auto refuses a run that is under way', async () => {
    const runs = inside('held');
    const { runDirectory } = await runIn(runs, experiment(), abortAt(1, 4));
    const lock = RunLock.acquire(runDirectory);
    const failure = await failureOf(runIn(runs, resume('auto')));
    lock.release();
    expect(failure).to.have.property('code', 'TRAINING_FAILED');
    expect(failure.message).to.include(`being worked on by process ${process.pid}`);
    expect(runsIn(runs)).to.have.length(1);
  });

  it('auto goes on from the newest complete checkpoint where the last is damaged', async () => {
    const runs = inside('damaged');
    const training = { checkpoint: { everySteps: 4, keep: 4 } };
    const whole = await runIn(inside('damaged-whole'), experiment(training));
    const { runDirectory } = await runIn(runs, experiment(training), abortAt(2, 4));
    // Another file of the same content: the newest kept one is a second name of the last.
    const last = path.join(runDirectory, 'last.safetensors');
    copyFileSync(last, `${last}.copy`);
    renameSync(`${last}.copy`, last);
    truncateSync(last, 2000);
    const kept = readdirSync(path.join(runDirectory, 'checkpoints'))
      .filter((name) => name.startsWith('step-'))
      .sort();
    const end = await runIn(runs, resume('auto', training));
    expect(end.status).to.equal('finished');
    expect(kept.at(-1)).to.equal('step-000000015.safetensors');
    expect(bytesOf(runDirectory) === bytesOf(whole.runDirectory)).to.equal(true);
  });

  it('auto does not begin anew where every checkpoint is damaged', async () => {
    const runs = inside('ruined');
    const { runDirectory } = await runIn(runs, experiment(), abortAt(1, 4));
    truncateSync(path.join(runDirectory, 'last.safetensors'), 100);
    const failure = await failureOf(runIn(runs, resume('auto')));
    expect(failure.message).to.match(/none of its checkpoints is whole.*last\.safetensors.*Move its folder away/);
    expect(runsIn(runs)).to.have.length(1);
  });

  it('say what there is where the run is missing', async () => {
    const runs = inside('missing');
    const none = await failureOf(runIn(runs, resume('last')));
    expect(none.message).to.match(/there is no run of 'lab': .*missing has no runs/);
    await runIn(runs, experiment({ epochs: 1, checkpoint: { keepLast: false } }));
    const gone = await failureOf(runIn(runs, resume('last')));
    expect(gone.message).to.match(/has no last\.safetensors\. No run of the experiment has a checkpoint/);
    const other = await failureOf(runIn(runs, experiment({ resumeFrom: 'best' }, { experimentName: 'other' })));
    expect(other.message).to.match(/there is no run of 'other': .* has runs of lab/);
  });

  it('find the newest by time, and within a second by number', () => {
    const names = [
      '2026-01-02_00-00-00_10',
      '2026-01-02_00-00-00_2',
      '2026-01-02_00-00-00',
      '2026-01-01_23-59-59',
      'notes',
    ];
    for (const name of names) mkdirSync(path.join(inside('order'), 'lab', name), { recursive: true });
    expect(runsOf(inside('order'), 'lab').map((run) => path.basename(run))).to.deep.equal(names.slice(0, 4));
  });

  describe('aiforge train --resume', () => {
    const faulty = path.resolve('test/cli/fixtures/experiments/faulty.yaml');

    it('auto begins, says so, and goes on, says so; also on two ranks', async () => {
      const runs = inside('cli');
      const first = await run('aiforge', ['train', faulty, '--resume', 'auto'], runs, { FAULT: 'fail@20' });
      expect(first.stderr).to.match(/No run of 'faulty' is to be gone on with: this is a new one, .*runs\/faulty\//);
      expect(first.status).to.equal(1);
      const second = await run('aiforge', ['train', faulty, '--resume', 'auto'], runs);
      expect(second.status, second.stderr).to.equal(0);
      expect(second.stderr).to.match(/Going on from .*last\.safetensors/);
      const two = ['--nproc', '2', 'train', faulty, '--resume', 'auto'];
      const third = await run('aiforge-launch', two, inside('cli-two'), { FAULT: 'fail@9' });
      expect(third.status).to.equal(1);
      const fourth = await run('aiforge-launch', two, inside('cli-two'));
      expect(fourth.status, fourth.stderr).to.equal(0);
      expect(fourth.stderr.match(/Going on from .*last\.safetensors/g)).to.have.length(1);
      expect(readdirSync(path.join(inside('cli-two'), 'runs', 'faulty'))).to.have.length(1);
    }).timeout(120_000);

    it('takes a checkpoint that is kept, with the configuration of its run', async () => {
      const runs = inside('cli-kept');
      const { status, stderr } = await run('aiforge', ['train', faulty, 'training.checkpoint.everySteps=5', 'training.checkpoint.keep=9'], runs); // prettier-ignore
      expect(status, stderr).to.equal(0);
      const [name] = readdirSync(path.join(runs, 'runs', 'faulty'));
      const kept = path.join(runs, 'runs', 'faulty', name!, 'checkpoints', 'step-000000010.safetensors');
      const again = await run('aiforge', ['train', '--resume', kept], runs);
      expect(again.status, again.stderr).to.equal(0);
    });

    it('says what a word needs, what it may mean, and what another may be', async () => {
      const alone = await run('aiforge', ['train', '--resume', 'last'], inside('cli-words'));
      expect(alone.status).to.equal(1);
      expect(alone.stderr).to.match(
        /--resume last means the newest run of an experiment: give its configuration file too/,
      );
      const slip = await run('aiforge', ['train', '--resume', 'lats'], inside('cli-words'));
      expect(slip.stderr).to.match(/there is no run 'lats'\. Did you mean 'last'\?/);
    });

    it('tells how a folder is written that has the name of a word', () => {
      const cwd = inside('both');
      mkdirSync(path.join(cwd, 'auto'), { recursive: true });
      const cli = path.resolve('dist/lib/cli/aiforge.js');
      const env = { ...process.env, OMP_NUM_THREADS: '1', RUNS_DIR: path.join(cwd, 'runs'), LOG_LEVEL: 'warn', NO_COLOR: '1' }; // prettier-ignore
      const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'train', faulty, 'training.epochs=1', '--resume', 'auto'], { cwd, env, encoding: 'utf8' }); // prettier-ignore
      expect(status, stderr).to.equal(0);
      expect(stdout + stderr).to.match(/the auto in the working directory is written \.\/auto/);
    });
  });
});
