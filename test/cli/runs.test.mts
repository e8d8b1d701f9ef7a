import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { finished, printed, run, start, temporaryFolder } from '../support/project.mjs';

interface Summary {
  directory: string;
  experiment: string;
  start: string;
  status: string;
  epochs: number;
  plannedEpochs: number;
  monitor: { name: string; mode: string; best: number | null; epoch: number | null };
  seconds: number;
}

describe('aiforge runs', function () {
  this.timeout(120_000);
  const folder = temporaryFolder('runs');
  const fixture = path.resolve('test/cli/fixtures/experiments/faulty.yaml');

  /** Trains in a folder of its own; gives the run. */
  async function train(experiment: string, env: NodeJS.ProcessEnv = {}, ...settings: string[]): Promise<string> {
    await run('aiforge', ['train', fixture, `experimentName=${experiment}`, ...settings], folder, env);
    return `${experiment}/${readdirSync(path.join(folder, 'runs', experiment)).at(-1)!}`;
  }

  const runs = (args: string[], env: NodeJS.ProcessEnv = {}) => run('aiforge', ['runs', ...args], folder, env);
  const linesOf = (output: string) => output.trimEnd().split('\n');
  const list = async (...args: string[]) => JSON.parse((await runs(['ls', '--json', ...args])).stdout) as Summary[];

  let good = '';
  let other = '';
  before(async () => {
    good = await train('good');
    other = await train('other', {}, 'training.learningRate=0.1', 'training.epochs=2');
    await train('failing', { FAULT: 'fail@13' });
    await train('stopped', { FAULT: 'SIGINT@13' });
    await train('killed', { FAULT: 'SIGKILL@13' });
  });

  describe('ls', () => {
    it('lists runs by their start, with how they ended, for people and for programs', async () => {
      const { status, stdout, stderr } = await runs(['ls']);
      expect(status, stderr).to.equal(0);
      const [header, ...lines] = linesOf(stdout);
      expect(header).to.match(/^run \(start, UTC\) +status +epochs +best +took$/);
      const words = lines.map((line) => line.trim().split(/ {2,}/).slice(0, 3).join(' ').replace(/\/2\S+/, '')); // prettier-ignore
      expect(words).to.deep.equal([
        'good finished 3/3',
        'other finished 2/2',
        'failing failed 1/3',
        'stopped interrupted 1/3',
        'killed died 1/3',
      ]);
      const all = await list();
      expect(all.map(({ experiment }) => experiment)).to.deep.equal(['good', 'other', 'failing', 'stopped', 'killed']);
      const records = readFileSync(path.join(folder, 'runs', good, 'metrics.jsonl'), 'utf8');
      const losses = [...records.matchAll(/"val_loss":([\d.e-]+)/g)].map(([, value]) => Number(value));
      expect(all[0]!.monitor).to.deep.equal({
        name: 'val_loss',
        mode: 'min',
        best: Math.min(...losses),
        epoch: losses.indexOf(Math.min(...losses)) + 1,
      });
      expect(lines[0]).to.include(`val_loss ${Math.min(...losses).toFixed(4)}`);
    });

    it('takes those of an experiment, of a status, of a folder', async () => {
      expect((await list('--experiment', 'good')).map(({ experiment }) => experiment)).to.deep.equal(['good']);
      expect((await list('--status', 'died')).map(({ experiment }) => experiment)).to.deep.equal(['killed']);
      expect(await list('--experiment', 'good', '--status', 'died')).to.deep.equal([]);
      expect(await list(path.join(folder, 'runs', 'other'))).to.have.length(1);
      const none = await runs(['ls', '--experiment', 'good', '--status', 'died']);
      expect(none.stdout).to.match(/^None of the 5 runs in .* is such\.\n$/);
      mkdirSync(path.join(folder, 'empty'));
      expect((await runs(['ls', path.join(folder, 'empty')])).stdout).to.match(/^No runs in .*empty\.\n$/);
    });

    it('refuses what it does not know, with the nearest name', async () => {
      for (const [args, said] of [
        [['ls', '--experiment', 'goood'], /No run is of the experiment 'goood'. Did you mean 'good'\?/],
        [['ls', '--status', 'dead'], /Allowed choices are finished, interrupted, failed, running, died/],
        [['ls', path.join(folder, 'rusn')], /There is no folder '.*rusn'.*Did you mean 'runs'/],
        [['ls', '--jsno'], /unknown option '--jsno'/],
        [['list'], /unknown command 'list'/],
      ] as const) {
        const { status, stderr } = await runs([...args]);
        expect(status, args.join(' ')).to.equal(1);
        expect(stderr).to.match(said);
      }
    });

    it('knows a run that goes on from one that died', async () => {
      const child = start('aiforge', ['train', fixture, 'experimentName=going'], folder, { STEP_MS: '300' });
      const end = finished(child);
      await printed(child, 'files in');
      const status = async () => (await list('--experiment', 'going')).map((each) => each.status);
      expect(await status()).to.deep.equal(['running']);
      child.kill('SIGKILL');
      await end;
      expect(await status()).to.deep.equal(['died']);
      rmSync(path.join(folder, 'runs', 'going'), { recursive: true });
    });

    it('fits a narrow terminal in two lines a run', async () => {
      const { stdout } = await runs(['ls'], { COLUMNS: '40' });
      const lines = linesOf(stdout);
      expect(lines).to.have.length(10);
      expect(lines[0]).to.equal(good);
      for (const line of lines) expect(line.length, line).to.be.at.most(45);
    });

    it('lists hundreds of runs, damaged ones too', async () => {
      const many = path.join(folder, 'many', 'copies');
      mkdirSync(many, { recursive: true });
      for (let i = 0; i < 300; ++i) cpSync(path.join(folder, 'runs', good), path.join(many, `run_${i}`), { recursive: true }); // prettier-ignore
      writeFileSync(path.join(many, 'run_0', 'config.yaml'), '{{');
      writeFileSync(path.join(many, 'run_1', 'metrics.jsonl'), '{"kind":"sta');
      appendFileSync(path.join(many, 'run_2', 'metrics.jsonl'), '{"kind":"met');
      rmSync(path.join(many, 'run_3', 'metrics.jsonl'));
      const all = await list(path.join(folder, 'many'));
      expect(all).to.have.length(300);
      const statuses = all.map(({ status }) => status);
      expect(statuses.filter((status) => status === 'finished')).to.have.length(298);
      expect(statuses.filter((status) => status === 'died')).to.have.length(2);
    });
  });

  describe('show', () => {
    it('prints settings that are not the default, scores and curves', async () => {
      const { status, stdout, stderr } = await runs(['show', good]);
      expect(status, stderr).to.equal(0);
      expect(stdout).to.match(new RegExp(`^${good}  finished\n`));
      expect(stdout).to.match(/\n {13}train +val +test\n {2}loss +\d\.\d{4} +\d\.\d{4} +\d\.\d{4}\n/);
      expect(stdout)
        .to.match(/\n {2}training\.batchSize +8\n/)
        .and.not.to.include('training.optimizerName');
      expect(stdout).to.match(/\nloss over epochs\n {2}● train_loss {2}○ val_loss\n/);
    });

    it('keeps to 40 columns, and to any without colours', async () => {
      for (const columns of ['40', '80']) {
        const { stdout } = await runs(['show', good, '--metric', 'loss', '--metric', 'train_loss_step'], {
          COLUMNS: columns,
        });
        expect(stdout).to.include('train_loss_step over steps').and.not.to.include('\u001b');
        const long = linesOf(stdout).filter((line) => line.length > Number(columns) && !line.startsWith('  folder '));
        expect(long).to.deep.equal([]);
      }
    });

    it('shows steps of a run that has no epochs yet, and goes without curves', async () => {
      const { stdout } = await runs(['show', await train('early', { FAULT: 'SIGKILL@6', STEP_MS: '40' })]);
      expect(stdout).to.include('died').and.to.include('train_loss_step over steps');
      rmSync(path.join(folder, 'runs', 'early'), { recursive: true });
      expect((await runs(['show', good, '--no-plot'])).stdout).not.to.include('over epochs');
    });

    it('counts values that are not numbers', async () => {
      const broken = await train('nan', { FAULT: 'nan@25' }, 'training.nonFiniteLoss=ignore');
      const { stdout } = await runs(['show', broken, '--metric', 'train_loss_step']);
      expect(stdout).to.match(/train_loss_step: \d+ of 33 are not finite/);
      rmSync(path.join(folder, 'runs', 'nan'), { recursive: true });
    });

    it('tells what a resume changed', async () => {
      const copied = path.join(folder, 'runs', 'resumed', 'first');
      cpSync(path.join(folder, 'runs', good), copied, { recursive: true });
      const { status, stderr } = await run('aiforge', ['train', '--resume', copied, 'training.learningRate=0.5', 'training.epochs=4'], folder); // prettier-ignore
      expect(status, stderr).to.equal(0);
      const { stdout } = await runs(['show', 'resumed/first']);
      expect(stdout).to.match(/training\.learningRate at step 33 +0\.01 → 0\.5/);
      rmSync(path.dirname(copied), { recursive: true });
    });

    it('gives all of it as JSON', async () => {
      const json = JSON.parse((await runs(['show', good, '--json'])).stdout) as Summary & {
        settings: Record<string, unknown>;
        scores: Record<string, number>;
      };
      expect(json).to.include({ experiment: 'good', status: 'finished', epochs: 3 });
      expect(json.settings).to.include({ 'training.batchSize': 8, 'training.optimizerName': 'Adam' });
      expect(json.scores).to.include.keys('train_loss', 'val_loss', 'test_loss');
    });

    it('refuses runs and metrics that there are not, with the nearest name', async () => {
      for (const [args, said] of [
        [['show', 'god'], /There is no run 'god'.* 'aiforge runs ls' lists/],
        [['show', 'good'], /'good' is not the folder of a run: it has 1 of them; give one, such as .*good\/2/],
        [
          ['show', path.join(good, 'last.safetensors')],
          /last\.safetensors' is a file, which is no run\. Give the folder of its run, .*good\/2/,
        ],
        [
          ['show', path.join(good, 'config.yaml')],
          /config\.yaml' is a file, which is no run\. Give the folder of its run, .*good\/2/,
        ],
        [['show', good, '--metric', 'val_los'], /recorded no metric 'val_los'. Did you mean 'val_loss'\?/],
      ] as const) {
        const { status, stderr } = await runs([...args]);
        expect(status, args.join(' ')).to.equal(1);
        expect(stderr).to.match(said);
      }
    });
  });

  describe('compare', () => {
    it('puts settings that differ, metrics with the best marked and curves beside each other', async () => {
      const { status, stdout, stderr } = await runs(['compare', good, other]);
      expect(status, stderr).to.equal(0);
      expect(stdout)
        .to.match(/\n {2}training\.learningRate +0\.01 +0\.1\n/)
        .and.not.to.include('training.batchSize');
      const [, one, two] = /\n {2}val_loss +([\d.]+)(?:\*| ) +([\d.]+)/.exec(stdout)!;
      const row = linesOf(stdout).find((line) => line.startsWith('  val_loss '))!;
      expect(row).to.include(`${Math.min(Number(one), Number(two)).toFixed(4)}*`);
      expect(stdout).to.match(/\nval_loss over epochs\n {2}● \[1\] {2}○ \[2\]\n/);
    });

    it('keeps to 40 columns, also of many runs', async () => {
      const { stdout } = await runs(['compare', good, other, good, other, good, other, '--metric', 'accuracy'], { COLUMNS: '40' }); // prettier-ignore
      expect(linesOf(stdout).filter((line) => line.length > 40)).to.deep.equal([]);
      expect(stdout).to.include('[6]').and.to.include('accuracy over epochs');
    });

    it('gives all of it as JSON', async () => {
      const json = JSON.parse((await runs(['compare', good, other, '--json'])).stdout) as {
        runs: Summary[];
        settings: Record<string, unknown[]>;
        metrics: Record<string, { values: number[]; best: number[] | null }>;
      };
      expect(json.runs.map(({ experiment }) => experiment)).to.deep.equal(['good', 'other']);
      expect(json.settings['training.learningRate']).to.deep.equal([0.01, 0.1]);
      const { values, best } = json.metrics.val_loss!;
      expect(best).to.deep.equal([values.indexOf(Math.min(...values))]);
    });

    it('refuses a single run', async () => {
      const { status, stderr } = await runs(['compare', good]);
      expect(status).to.equal(1);
      expect(stderr).to.match(/is one run; expected two or more/);
    });
  });
});
