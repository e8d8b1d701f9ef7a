import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'chai';

import { finished, printed, run, start, temporaryFolder } from '../support/project.mjs';
import { freePort, MlflowServer, mlflowMissing } from '../tracking/mlflowServer.mjs';

interface Run {
  info: { status: string };
  data: { metrics: { key: string; step: number }[]; params: { key: string; value: string }[] };
}

/** What a user of MLflow sees of runs that the command line started. */
describe('aiforge train with a real MLflow server', function () {
  this.timeout(180_000);
  const folder = temporaryFolder('mlflow-train');
  let server: MlflowServer;

  before(async function () {
    const reason = mlflowMissing();
    if (reason !== undefined) {
      console.log(`    skipped: ${reason}`);
      this.skip();
    }
    server = new MlflowServer(await freePort());
    await server.start();
  });
  after(() => server?.remove());

  const args = (name: string, ...more: string[]) => [
    'train',
    'experiments/simple_nn.yaml',
    `experimentName=${name}`,
    `dataPath=${path.join(folder, 'points.safetensors')}`,
    'training.epochs=2',
    ...more,
  ];

  async function onlyRun(name: string): Promise<Run> {
    const found = (await server.get('experiments/get-by-name', { experiment_name: name })) as {
      experiment: { experiment_id: string };
    };
    const experiment = found.experiment.experiment_id;
    const { runs } = (await server.post('runs/search', { experiment_ids: [experiment] })) as { runs: Run[] };
    expect(runs, 'one run for all ranks').to.have.length(1);
    return runs[0]!;
  }

  it('records one run for two ranks, with flat parameters, and closes it as FINISHED', async () => {
    const env = { MLFLOW_TRACKING_URI: server.uri };
    const { status, stdout, stderr } = await run('aiforge-launch', ['--nproc', '2', ...args('two')], folder, env);
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/MLflow run {5}[0-9a-f]{32}/);
    const { info, data } = await onlyRun('two');
    expect(info.status).to.equal('FINISHED');
    const params = Object.fromEntries(data.params.map(({ key, value }) => [key, value]));
    expect(params).to.include({ 'training.epochs': '2', 'training.worldSize': '2', 'model.hiddenDims': '[64,64]' });
    const names = data.metrics.map(({ key }) => key);
    expect(names).to.include.members(['train_loss_step', 'train_loss', 'val_loss', 'val_accuracy', 'test_accuracy']);
  });

  it('closes a run that fails as FAILED', async () => {
    const env = { MLFLOW_TRACKING_URI: server.uri };
    const { status } = await run('aiforge', args('failing', 'model.inputDim=11'), folder, env);
    expect(status).to.equal(1);
    expect((await onlyRun('failing')).info.status).to.equal('FAILED');
  });

  it('trains on when the server is dead, and keeps everything in the run’s folder', async () => {
    const env = { MLFLOW_TRACKING_URI: `http://127.0.0.1:${await freePort()}`, LOG_LEVEL: '' };
    const { status, stderr } = await run('aiforge', args('dead'), folder, env);
    expect(status).to.equal(0);
    expect(stderr.match(/MLflow/g), stderr).to.not.equal(null);
    const experiment = path.join(folder, 'runs', 'dead');
    const metrics = readFileSync(path.join(experiment, readdirSync(experiment)[0]!, 'metrics.jsonl'), 'utf8');
    expect(metrics).to.include('val_loss').and.to.include('FINISHED');
  });

  describe('after a death', () => {
    const fixture = path.resolve('test/cli/fixtures/experiments/faulty.yaml');
    const faulty = (name: string) => ['train', fixture, `experimentName=${name}`, 'training.epochs=2'];

    async function historyOf(name: string): Promise<{ run: Run; steps: number[] }> {
      const found = await onlyRun(name);
      const id = (found as unknown as { info: { run_id: string } }).info.run_id;
      const query = { run_id: id, metric_key: 'train_loss_step', max_results: '1000' };
      const { metrics } = (await server.get('metrics/get-history', query)) as { metrics: { step: number }[] };
      return { run: found, steps: metrics.map(({ step }) => step) };
    }

    /** Kills a run when its folder is there and some steps are done. */
    async function kill(name: string, runs: string): Promise<string> {
      const child = start('aiforge', faulty(name), runs, { MLFLOW_TRACKING_URI: server.uri, STEP_MS: '300' });
      const end = finished(child);
      await printed(child, 'files in');
      await sleep(2500);
      child.kill('SIGKILL');
      await end;
      const experiment = path.join(runs, 'runs', name);
      return path.join(experiment, readdirSync(experiment)[0]!);
    }

    it('by SIGKILL, the next run closes it as KILLED with every step it had', async () => {
      const runs = path.join(folder, 'killed');
      const directory = await kill('killed', runs);
      expect((await onlyRun('killed')).info.status).to.equal('RUNNING');
      const next = await run('aiforge', args('next'), runs, { MLFLOW_TRACKING_URI: server.uri });
      expect(next.status, next.stderr).to.equal(0);
      const { run: closed, steps } = await historyOf('killed');
      expect(closed.info.status).to.equal('KILLED');
      const written = readFileSync(path.join(directory, 'metrics.jsonl'), 'utf8').match(/train_loss_step/g);
      expect(steps).to.deep.equal(written!.map((_, i) => i + 1));
      expect(existsSync(path.join(directory, 'mlflow.json'))).to.equal(false);
    });

    it('of any kind, no run is left RUNNING when the next one has begun and ended', async () => {
      const runs = path.join(folder, 'deaths');
      const env = { MLFLOW_TRACKING_URI: server.uri };
      const deaths = { 'SIGKILL@13': 'KILLED', 'SIGTERM@13': 'KILLED', 'exit@13': 'KILLED', 'fail@13': 'FAILED', 'throw@13': 'FAILED', 'reject@13': 'FAILED' }; // prettier-ignore
      const named = (fault: string) => `death-${fault.replace('@13', '')}`;
      for (const FAULT of Object.keys(deaths)) await run('aiforge', faulty(named(FAULT)), runs, { ...env, FAULT });
      const next = await run('aiforge', args('survivor'), runs, env);
      expect(next.status, next.stderr).to.equal(0);
      const ended: Record<string, string> = {};
      for (const fault of Object.keys(deaths)) ended[fault] = (await onlyRun(named(fault))).info.status;
      expect(ended).to.deep.equal(deaths);
    });

    it('by SIGKILL, a resume records each step once, in the same run', async () => {
      const runs = path.join(folder, 'again');
      const env = { MLFLOW_TRACKING_URI: server.uri };
      const first = await run('aiforge', [...faulty('again'), 'training.epochs=1'], runs, env);
      expect(first.status, first.stderr).to.equal(0);
      const experiment = path.join(runs, 'runs', 'again');
      const directory = path.join(experiment, readdirSync(experiment)[0]!);
      const child = start('aiforge', ['train', '--resume', directory, 'training.epochs=3'], runs, {
        ...env,
        STEP_MS: '300',
      });
      const end = finished(child);
      await printed(child, 'files in');
      await sleep(2500);
      child.kill('SIGKILL');
      await end;
      const resumed = await run('aiforge', ['train', '--resume', directory, 'training.epochs=3'], runs, env);
      expect(resumed.status, resumed.stderr).to.equal(0);
      const { run: whole, steps } = await historyOf('again');
      expect(whole.info.status).to.equal('FINISHED');
      expect(steps).to.deep.equal(Array.from({ length: 33 }, (_, i) => i + 1));
    });

    it('of the server, the next run sends what was missed; tracking that a resume switches on gets all from the start', async () => {
      const runs = path.join(folder, 'late');
      const untracked = await run('aiforge', [...faulty('late'), 'training.epochs=1'], runs);
      expect(untracked.status, untracked.stderr).to.equal(0);
      const experiment = path.join(runs, 'runs', 'late');
      const directory = path.join(experiment, readdirSync(experiment)[0]!);
      const tracked = await run('aiforge', ['train', '--resume', directory, 'training.epochs=2'], runs, {
        MLFLOW_TRACKING_URI: server.uri,
      });
      expect(tracked.status, tracked.stderr).to.equal(0);
      const { run: late, steps } = await historyOf('late');
      expect(late.info.status).to.equal('FINISHED');
      expect(steps).to.deep.equal(Array.from({ length: 22 }, (_, i) => i + 1));
      expect(late.data.params.map(({ key }) => key)).to.include('training.learningRate');

      await server.stop();
      const away = await run('aiforge', faulty('away'), runs, { MLFLOW_TRACKING_URI: server.uri });
      expect(away.status, away.stderr).to.equal(0);
      await server.start();
      const next = await run('aiforge', args('after'), runs, { MLFLOW_TRACKING_URI: server.uri });
      expect(next.status, next.stderr).to.equal(0);
      const missed = await historyOf('away');
      expect(missed.run.info.status).to.equal('FINISHED');
      expect(missed.steps).to.have.length(22);
    });
  });
});
