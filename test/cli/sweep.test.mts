import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'chai';

import { finished, printed, run, start, temporaryFolder, writeFiles } from '../support/project.mjs';
import { metricsOf, onlyRun } from '../support/runFolder.mjs';
import { faultyExperiment, grid, halving } from '../support/sweeps.mjs';

interface Result {
  trial: number;
  status: string;
  value: number | null;
  epochs: number | null;
  settings: Record<string, unknown>;
  measured: unknown[];
  run: string | null;
  reason: string | null;
}

interface EpochLine {
  epoch: number;
  interval?: string;
  metrics?: Record<string, number>;
}

/** Whether any process has the folder in its environment, as the trials of a sweep there have. */
function hasProcesses(folder: string): boolean {
  return readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });
}

/** How many processes of `aiforge train` a sweep there has. */
function trialsIn(folder: string): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      const [command, environment] = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8'));
      return command!.includes('\0train\0') && environment!.includes(folder);
    } catch {
      return false;
    }
  }).length;
}

describe('aiforge sweep', () => {
  const folder = temporaryFolder('sweep');
  const inside = (...names: string[]): string => path.join(folder, ...names);
  const file = (name: string, text: string): string => {
    writeFiles(folder, { [`${name}.yaml`]: text });
    return inside(`${name}.yaml`);
  };
  const sweepFolder = (name: string): string => inside(name, 'runs', 'sweeps', name);
  const results = (name: string): Result[] =>
    readFileSync(path.join(sweepFolder(name), 'results.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Result);
  /** What was measured, which is the same however often the sweep was stopped. */
  const measured = (name: string) =>
    results(name).map(({ trial, status, value, settings, measured: rounds }) => ({ trial, status, value, settings, rounds })); // prettier-ignore
  const epochsOf = (directory: string) =>
    (metricsOf(directory) as unknown as EpochLine[])
      .filter(({ interval }) => interval === 'epoch')
      .map(({ epoch, metrics }) => [epoch, metrics!.val_loss, metrics!.train_loss]);
  const runsOf = (name: string, trial: number): string[] => {
    const runs = path.join(sweepFolder(name), 'trials', String(trial).padStart(4, '0'), 'faulty');
    return existsSync(runs) ? readdirSync(runs) : [];
  };

  before(async () => {
    const { status, stdout, stderr } = await run('aiforge', ['sweep', file('grid', grid)], inside('grid'));
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/^grid: 4 trials by val_loss, less is better\n/);
    expect(stdout.match(/^\d\/4 {2}trial \d {2}val_loss [\d.e-]+ \(epoch \d of 3\) {2}learningRate=/gm)).to.have.length(
      4,
    );
  });

  describe('with a grid', () => {
    it('runs every trial, and sorts them by the metric', () => {
      const all = results('grid');
      expect(all.map(({ trial }) => trial).sort()).to.deep.equal([1, 2, 3, 4]);
      expect(all.map(({ value }) => value)).to.deep.equal([...all.map(({ value }) => value!)].sort((a, b) => a - b));
      for (const name of ['results.csv', 'parallel.svg', 'sweep.json']) {
        expect(existsSync(path.join(sweepFolder('grid'), name)), name).to.equal(true);
      }
    });

    it('gives each trial the numbers of a run with its settings', async () => {
      const { settings, run: own } = results('grid').find(({ trial }) => trial === 3)!;
      expect(settings).to.deep.equal({ 'training.learningRate': 0.001, 'training.batchSize': 8 });
      const overrides = Object.entries(settings).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
      const alone = await run('aiforge', ['train', faultyExperiment, ...overrides], inside('alone'));
      expect(alone.status, alone.stderr).to.equal(0);
      expect(epochsOf(path.join(sweepFolder('grid'), own!))).to.deep.equal(
        epochsOf(onlyRun(inside('alone'), 'faulty')),
      );
    });

    it('runs nothing again when it is complete, and is listed and shown', async () => {
      const before = readFileSync(path.join(sweepFolder('grid'), 'sweep.json'), 'utf8');
      const again = await run('aiforge', ['sweep', inside('grid.yaml')], inside('grid'));
      expect(again.status).to.equal(0);
      expect(again.stdout)
        .to.include('4 are done already')
        .and.not.to.match(/^\d\/4 /m);
      expect(readFileSync(path.join(sweepFolder('grid'), 'sweep.json'), 'utf8')).to.equal(before);
      const listed = await run('aiforge', ['sweep', 'ls'], inside('grid'));
      expect(listed.stdout).to.match(/^grid {2}grid, 4 of 4 trials, best val_loss [\d.]+\n$/);
      for (const given of ['grid', sweepFolder('grid')]) {
        const { status, stdout } = await run('aiforge', ['sweep', 'show', given], inside('grid'));
        expect(status).to.equal(0);
        expect(stdout).to.match(/^\ntrial +val_loss +epoch +learningRate +batchSize\n/);
        expect(stdout)
          .to.include('results.csv')
          .and.to.match(/best run +\S+faulty/);
      }
      const none = await run('aiforge', ['sweep', 'show', 'grit'], inside('grid'));
      expect(none.status).to.equal(1);
      expect(none.stderr).to.match(/^FILE_NOT_FOUND 'grit' is no folder of a sweep.* Did you mean 'grid'\?/);
    });

    it('refuses to go on with another sweep or another experiment in its folder', async () => {
      const other = file('other', grid.replace('0.001', '0.002'));
      const args = ['sweep', other, '--folder', sweepFolder('grid')];
      const { status, stderr } = await run('aiforge', args, inside('grid'));
      expect(status).to.equal(1);
      expect(stderr).to.match(/^CONFIG_INVALID .* has a sweep that was begun otherwise/);
      expect(stderr).to.include('  sweep.parameters.training.learningRate.values: [0.1,0.001] became [0.1,0.002]');
    });
  });

  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGKILL', null],
  ] as const) {
    it(`goes on after ${signal}, with the same results, and leaves no process behind`, async () => {
      const name = `cut-${signal}`;
      const child = start('aiforge', ['sweep', file(name, grid)], inside(name), { STEP_MS: '30' });
      const end = finished(child);
      await printed(child, '1/4  trial 1');
      // Within the second trial, after a checkpoint of an epoch.
      for (let waited = 0; waited < 20_000 && !hasCheckpoint(name, 2); waited += 50) await sleep(50);
      child.kill(signal);
      const cut = await end;
      expect(cut.status).to.equal(status);
      if (status !== null) {
        expect(cut.stdout).to.match(/Interrupted\. Go on with: npx aiforge sweep \S+\n$/);
        expect(results(name).filter((result) => result.status === 'finished')).to.have.length(1);
      }
      for (let waited = 0; waited < 20_000 && hasProcesses(inside(name)); waited += 50) await sleep(50);
      expect(hasProcesses(inside(name)), 'no process is left').to.equal(false);

      const resumed = await run('aiforge', ['sweep', inside(`${name}.yaml`)], inside(name));
      expect(resumed.status, resumed.stderr).to.equal(0);
      expect(resumed.stdout).to.include('; 1 are done already').and.not.to.include('  trial 1 ');
      expect(measured(name)).to.deep.equal(measured('grid'));
      for (const trial of [1, 2, 3, 4]) expect(runsOf(name, trial), `runs of trial ${trial}`).to.have.length(1);
      const starts = metricsOf(path.join(sweepFolder(name), results(name).find(({ trial }) => trial === 2)!.run!));
      expect(
        starts.filter(({ kind }) => kind === 'start'),
        'it went on from its checkpoint',
      ).to.have.length(2);
    }).timeout(120_000);
  }

  it('says which trial it kills, where a batch goes on for longer than it waits', async () => {
    const seen = inside('late.jsonl');
    const child = start('aiforge', ['sweep', file('late', grid)], inside('late'), { STEP_MS: '120000', BUFFERS_FILE: seen }); // prettier-ignore
    const end = finished(child);
    // Written by the batch that is validated for sanity: its first step comes next.
    for (let waited = 0; waited < 20_000 && !existsSync(seen); waited += 50) await sleep(50);
    await sleep(1000);
    child.kill('SIGTERM');
    const { status, stderr } = await end;
    expect(status, stderr).to.equal(143);
    expect(stderr).to.include('Trial 1 has not ended 30 s after SIGTERM: killing it.');
    expect(hasProcesses(inside('late')), 'no process is left').to.equal(false);
  }).timeout(120_000);

  const hasCheckpoint = (name: string, trial: number): boolean =>
    runsOf(name, trial).some((own) =>
      existsSync(
        path.join(sweepFolder(name), 'trials', String(trial).padStart(4, '0'), 'faulty', own, 'last.safetensors'),
      ),
    );

  it('halves: the best go on from their checkpoints, with the numbers of a run that never stopped', async () => {
    const { status, stdout, stderr } = await run('aiforge', ['sweep', file('halving', halving)], inside('halving'));
    expect(status, stderr).to.equal(0);
    // Four of one epoch, two of two, one of four.
    expect(stdout.match(/^\d\/7 /gm)).to.have.length(7);
    const all = results('halving');
    expect(all.map((result) => [result.status, result.epochs])).to.deep.equal([
      ['finished', 4],
      ['stopped', 2],
      ['stopped', 1],
      ['stopped', 1],
    ]);
    const [best] = all;
    const rate = String(best!.settings['training.learningRate']);
    const args = ['train', faultyExperiment, `training.learningRate=${rate}`, 'training.epochs=4'];
    const alone = await run('aiforge', args, inside('halving-alone'));
    expect(alone.status, alone.stderr).to.equal(0);
    const directory = path.join(sweepFolder('halving'), best!.run!);
    expect(epochsOf(directory)).to.deep.equal(epochsOf(onlyRun(inside('halving-alone'), 'faulty')));
    expect(metricsOf(directory).filter(({ kind }) => kind === 'start')).to.have.length(3);
    expect(runsOf('halving', best!.trial)).to.have.length(1);
  }).timeout(120_000);

  it('halves as well when it is stopped within a later round, and moved', async () => {
    writeFiles(inside('halving-before'), { 'halving-cut.yaml': halving });
    const moved = inside('halving-before', 'halving-cut.yaml');
    const child = start('aiforge', ['sweep', moved], inside('halving-before'), { STEP_MS: '20' });
    const end = finished(child);
    await printed(child, '5/7  trial');
    await sleep(300);
    child.kill('SIGKILL');
    await end;
    for (let waited = 0; waited < 20_000 && hasProcesses(inside('halving-before')); waited += 50) await sleep(50);
    renameSync(inside('halving-before'), inside('halving-cut'));
    const resumed = await run('aiforge', ['sweep', inside('halving-cut', 'halving-cut.yaml')], inside('halving-cut'));
    expect(resumed.status, resumed.stderr).to.equal(0);
    expect(measured('halving-cut')).to.deep.equal(measured('halving'));
    const { run: best, trial } = results('halving-cut')[0]!;
    expect(runsOf('halving-cut', trial), 'nothing was trained anew').to.have.length(1);
    expect(epochsOf(path.join(sweepFolder('halving-cut'), best!)).map(([epoch]) => epoch)).to.deep.equal([1, 2, 3, 4]);
  }).timeout(120_000);

  const failing = grid.replace(
    'training.batchSize: { values: [8, 16] }',
    'training.optimizerName: { values: [Adma, SGD] }',
  );

  it('records a trial that fails with its reason, and runs the others', async () => {
    const { status, stdout, stderr } = await run('aiforge', ['sweep', file('failing', failing)], inside('failing'));
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/trial 1 {2}failed: ended with exit status 1: CONFIG_INVALID .*optimizerName.*'Adma'/);
    const all = results('failing');
    expect(all.map((result) => result.status)).to.deep.equal(['finished', 'finished', 'failed', 'failed']);
    expect(all[2]!.reason).to.include('CONFIG_INVALID').and.to.include("Did you mean 'Adam'?");
    const again = await run('aiforge', ['sweep', inside('failing.yaml')], inside('failing'));
    expect(again.stdout, 'nor is it run again').to.include('4 are done already');
  }).timeout(60_000);

  it('ends after a failure with --stop-on-failure, and when all fail: status 1', async () => {
    const args = ['sweep', file('stopped', failing), '--stop-on-failure'];
    const stopped = await run('aiforge', args, inside('stopped'));
    expect(stopped.status).to.equal(1);
    expect(stopped.stdout).to.match(/Stopped, since trial 1 failed: ended with exit status 1: CONFIG_INVALID/);
    expect(results('stopped').map((result) => result.status)).to.deep.equal([
      'waiting',
      'waiting',
      'waiting',
      'failed',
    ]);
    const none = await run('aiforge', ['sweep', file('none', grid)], inside('none'), { FAULT: 'fail@2' });
    expect(none.status).to.equal(1);
    expect(results('none').map(({ reason }) => reason)).to.satisfy((all: string[]) =>
      all.every((reason) => reason.includes('Error: failed at 2')),
    );
  }).timeout(60_000);

  it('says of a metric that no run has which there are', async () => {
    const wrong = file('metric', `${grid}metric: val_acuracy\nmode: max\n`);
    const { status } = await run('aiforge', ['sweep', wrong], inside('metric'));
    expect(status).to.equal(1);
    expect(results('metric')[0]!.reason).to.include("There is no metric 'val_acuracy'. Did you mean 'val_accuracy'?");
  }).timeout(60_000);

  it('never runs more trials at a time than it may', async () => {
    const child = start('aiforge', ['sweep', file('few', grid)], inside('few'), { STEP_MS: '10' });
    const end = finished(child);
    let isOver = false;
    void end.then(() => (isOver = true));
    const seen = new Set<number>();
    for (; !isOver; await sleep(20)) seen.add(trialsIn(inside('few')));
    expect((await end).status).to.equal(0);
    expect(Math.max(...seen)).to.equal(1);
    for (const { run: own } of results('few')) {
      const { params } = metricsOf(path.join(sweepFolder('few'), own!)).find(
        ({ kind }) => kind === 'params',
      ) as unknown as {
        params: { training: { numThreads: number } };
      };
      expect(params.training.numThreads).to.equal(1);
    }
  }).timeout(120_000);

  it('is one process’s at a time', async () => {
    const args = ['sweep', file('twice', grid)];
    const child = start('aiforge', args, inside('twice'), { STEP_MS: '100' });
    const end = finished(child);
    await printed(child, 'files in');
    const second = await run('aiforge', args, inside('twice'));
    expect(second.status).to.equal(1);
    expect(second.stderr).to.match(/^TRAINING_FAILED .* is being worked on by process/);
    child.kill('SIGTERM');
    expect((await end).status).to.equal(143);
  }).timeout(60_000);

  it('tells of a sweep that is broken, and of others all the same', async () => {
    const sweeps = inside('grid', 'runs', 'sweeps');
    writeFiles(sweeps, { 'broken/sweep.json': '{' });
    const { status, stdout } = await run('aiforge', ['sweep', 'ls', sweeps], inside('grid'));
    rmSync(path.join(sweeps, 'broken'), { recursive: true });
    expect(status).to.equal(0);
    expect(stdout).to.match(/^broken {2}broken: .* is no state of a sweep: .*\ngrid {2}grid, 4 of 4/);
  });
});
