import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { run, temporaryFolder } from '../support/project.mjs';
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
});
