import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { AiforgeError } from '#lib/errors.js';
import { MlflowClient } from '#lib/tracking/mlflowClient.js';
import { MlflowTracker } from '#lib/tracking/mlflowTracker.js';
import { warningsOf } from './logLines.mjs';
import { freePort, MlflowServer, mlflowMissing } from './mlflowServer.mjs';

interface Run {
  info: { status: string; run_name: string; experiment_id: string; end_time?: number };
  data: { metrics?: Entry[]; params?: Entry[]; tags?: Entry[] };
}
interface Entry {
  key: string;
  value: unknown;
  step?: number;
  timestamp?: number;
}

const experimentName = 'spam / test';
const point = { step: 1, epoch: 0 };

describe('MlflowTracker with a real server', function () {
  this.timeout(180_000);
  let server: MlflowServer;

  before(async function () {
    const reason = mlflowMissing();
    if (reason !== undefined) {
      console.log(`skipped: ${reason}`);
      this.skip();
    }
    server = new MlflowServer(await freePort());
    await server.start();
  });
  after(() => server?.remove());

  const create = (runName: string) => MlflowTracker.create({ uri: server.uri, experimentName, runName });
  const runOf = async (runId: string) => ((await server.get('runs/get', { run_id: runId })) as { run: Run }).run;
  const history = async (runId: string, key: string) =>
    (
      (await server.get('metrics/get-history', { run_id: runId, metric_key: key, max_results: '5000' })) as {
        metrics?: Entry[];
      }
    ).metrics ?? [];
  const params = (run: Run) => Object.fromEntries(run.data.params!.map(({ key, value }) => [key, value]));

  it('records params, every step of the metrics and the status', async () => {
    const tracker = await create('first');
    expect(tracker.runId).to.match(/^[0-9a-f]{32}$/);
    await tracker.start({ experimentName, runName: 'first', directory: '/runs/first' });
    tracker.logParams({ name: 'x', empty: '', model: { hiddenDims: [64, 64], dropout: 0.1 }, long: 'y'.repeat(7000) });
    for (let step = 0; step < 5; step++) {
      tracker.logMetrics({ train_loss: 1 / (step + 1), lr: 1e-3 }, { step, epoch: 0, time: 1_700_000_000_000 + step });
    }
    await tracker.finish('FINISHED');

    const run = await runOf(tracker.runId!);
    expect(run.info).to.include({ status: 'FINISHED', run_name: 'first' });
    expect(Number(run.info.end_time)).to.be.greaterThan(0);
    expect(run.data.tags).to.deep.include({ key: 'aiforge.run_directory', value: '/runs/first' });
    expect(params(run)).to.include({
      name: 'x',
      'model.hiddenDims': '[64,64]',
      'model.dropout': '0.1',
      long: 'y'.repeat(6000),
    });
    const losses = await history(tracker.runId!, 'train_loss');
    expect(losses.map(({ step, value }) => [Number(step), value])).to.deep.equal([
      [0, 1],
      [1, 1 / 2],
      [2, 1 / 3],
      [3, 1 / 4],
      [4, 1 / 5],
    ]);
    expect(losses.map(({ timestamp }) => Number(timestamp) - 1_700_000_000_000)).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('splits what is over the limits of one request, and sends it in the background', async () => {
    const tracker = await create('many');
    tracker.logParams(Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`param${i}`, i])));
    for (let step = 0; step < 2500; step++) tracker.logMetrics({ loss: step }, { step, epoch: 0 });
    let seen = 0;
    while (seen < 2500) {
      await sleep(200);
      seen = (await history(tracker.runId!, 'loss')).length;
    }
    expect((await runOf(tracker.runId!)).info.status).to.equal('RUNNING');
    await tracker.finish('FINISHED');
    expect(Object.keys(params(await runOf(tracker.runId!)))).to.have.length(250);
  });

  it('files runs under one experiment and closes a failed one as FAILED, a stopped one as KILLED', async () => {
    const [failed, killed] = [await create('failed'), await create('killed')];
    await failed.finish('FAILED');
    await killed.finish('KILLED');
    const [one, other] = [await runOf(failed.runId!), await runOf(killed.runId!)];
    expect([one.info.status, other.info.status]).to.deep.equal(['FAILED', 'KILLED']);
    expect(one.info.experiment_id).to.equal(other.info.experiment_id);
  });

  it('makes a new experiment once when several runs ask for it at the same time', async () => {
    const options = { uri: server.uri, experimentName: 'brand new', runName: 'r' };
    const trackers = await Promise.all([1, 2, 3].map(() => MlflowTracker.create(options)));
    const runs = await Promise.all(trackers.map(({ runId }) => runOf(runId!)));
    expect(new Set(runs.map(({ info }) => info.experiment_id)).size).to.equal(1);
  });

  it('lets another rank record in the run, and only the one that opened it close it', async () => {
    const opener = await create('shared');
    const other = MlflowTracker.attach({ uri: server.uri, runId: opener.runId });
    other.logMetrics({ rank1_loss: 2 }, point);
    await other.finish('FINISHED');
    expect((await runOf(opener.runId!)).info.status).to.equal('RUNNING');
    const closer = MlflowTracker.attach({ uri: server.uri, runId: opener.runId, closesRun: true });
    await closer.finish('FINISHED');
    const run = await runOf(opener.runId!);
    expect(run.info.status).to.equal('FINISHED');
    expect(run.data.metrics!.map(({ key, value }) => [key, value])).to.deep.equal([['rank1_loss', 2]]);
  });

  it('records NaN and infinities, and names with characters that MLflow does not take', async () => {
    const tracker = await create('odd');
    const warnings = await warningsOf(async () => {
      tracker.logMetrics({ nan: NaN, inf: Infinity, 'f1@0.5 (é)': 1 }, point);
      tracker.logParams({ 'a&b': 1, empty: '' });
      await tracker.finish('FINISHED');
    });
    expect(warnings).to.deep.equal([]);
    const run = await runOf(tracker.runId!);
    expect(run.data.metrics!.map(({ key }) => key)).to.have.members(['nan', 'inf', 'f1_0.5 _é_']);
    expect(run.data.metrics!.find(({ key }) => key === 'nan')!.value).to.equal('NaN');
    expect(params(run)).to.have.property('a_b', '1');
  });

  it('warns once about an entry that is refused, and records the rest', async () => {
    const tracker = await create('refused');
    tracker.logParams({ epochs: 1 });
    const warnings = await warningsOf(async () => {
      await sleep(1500);
      tracker.logParams({ epochs: 2 });
      tracker.logMetrics({ loss: 1 }, point);
      await tracker.finish('FINISHED');
    });
    expect(warnings.map(({ msg }) => msg)).to.have.length(1);
    expect(warnings[0]!.msg).to.include('refused an entry');
    const run = await runOf(tracker.runId!);
    expect(run.data.metrics!.map(({ key }) => key)).to.deep.equal(['loss']);
    expect(run.info.status).to.equal('FINISHED');
  });

  it('records the rest of a batch of which the server refuses one entry', async () => {
    const tracker = await create('one of many');
    tracker.logParams({ epochs: 1 });
    await sleep(1500);
    const warnings = await warningsOf(async () => {
      tracker.logParams({ a: 1, epochs: 2, b: 2, c: 3 });
      await tracker.finish('FINISHED');
    });
    expect(warnings.map(({ msg }) => msg)).to.have.length(1);
    expect(params(await runOf(tracker.runId!))).to.deep.equal({ epochs: '1', a: '1', b: '2', c: '3' });
  });

  it('keeps what is logged while the server is away, and sends it when it is back', async () => {
    const tracker = await create('away');
    const warnings = await warningsOf(async () => {
      await server.stop();
      for (let step = 0; step < 3; step++) {
        tracker.logMetrics({ loss: step }, { step, epoch: 0 });
        await sleep(1200);
      }
      await server.start();
      await tracker.finish('FINISHED');
    });
    expect(warnings.map(({ msg }) => msg)).to.have.length(1);
    expect(warnings[0]!.msg).to.include('does not answer').and.to.include(server.uri);
    expect((await history(tracker.runId!, 'loss')).map(({ value }) => value)).to.deep.equal([0, 1, 2]);
    expect((await runOf(tracker.runId!)).info.status).to.equal('FINISHED');
  });
});

describe('MlflowTracker without a server', () => {
  it('costs one warning, and training goes on', async () => {
    const uri = `http://user:secret@127.0.0.1:${await freePort()}`;
    const warnings = await warningsOf(async () => {
      const tracker = await MlflowTracker.create({ uri, experimentName, runName: 'dead' });
      expect(tracker.runId).to.equal(null);
      await tracker.start({ experimentName, runName: 'dead', directory: '/runs/dead' });
      tracker.logParams({ a: 1 });
      tracker.logMetrics({ loss: 1 }, point);
      await tracker.finish('FINISHED');
    });
    expect(warnings.map(({ msg }) => msg)).to.have.length(1);
    expect(warnings[0]!.msg).to.include('No MLflow run could be opened').and.to.include('ECONNREFUSED');
    expect(warnings[0]!.msg).not.to.include('secret');
  });

  it('costs one warning where the server goes away for good during the run', async () => {
    const uri = `http://127.0.0.1:${await freePort()}`;
    const warnings = await warningsOf(async () => {
      const tracker = MlflowTracker.attach({ uri, runId: 'a'.repeat(32), closesRun: true });
      tracker.logMetrics({ loss: 1 }, point);
      await sleep(1200);
      tracker.logMetrics({ loss: 2 }, point);
      await tracker.finish('FAILED');
    });
    expect(warnings.map(({ msg }) => msg)).to.have.length(1);
  });

  it('gives up on a server that takes the connection and never answers', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const uri = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    try {
      const warnings = await warningsOf(async () => {
        const options = { uri, requestTimeoutMs: 200, finishTimeoutMs: 500 };
        const tracker = await MlflowTracker.create({ ...options, experimentName, runName: 'silent' });
        expect(tracker.runId).to.equal(null);
        const attached = MlflowTracker.attach({ ...options, runId: 'a'.repeat(32) });
        attached.logMetrics({ loss: 1 }, point);
        await attached.finish('FINISHED');
        // What is under way when the run ends is not waited for beyond the end's own time.
        const patient = MlflowTracker.attach({
          uri,
          requestTimeoutMs: 60_000,
          finishTimeoutMs: 500,
          runId: 'b'.repeat(32),
        });
        patient.logMetrics({ loss: 1 }, point);
        await sleep(1200);
        const begin = performance.now();
        await patient.finish('FINISHED');
        expect(performance.now() - begin).to.be.below(5000);
      });
      expect(warnings).to.have.length(3);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  it('says so when what answers is not MLflow', async () => {
    const web = createServer((_request, response) => response.end('<html>hello</html>'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    try {
      const uri = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
      const warnings = await warningsOf(async () => {
        await MlflowTracker.create({ uri, experimentName, runName: 'web' });
      });
      expect(warnings.map(({ msg }) => msg).join()).to.include('<html>hello');
    } finally {
      web.closeAllConnections();
      web.close();
    }
  });

  it('goes on without a server that names runs as MLflow does not', async () => {
    const answers: Record<string, object> = {
      'experiments/get-by-name': { experiment: { experiment_id: '1' } },
      'runs/create': { run: { info: { run_id: 'abc123' } } },
    };
    const odd = createServer(({ url = '' }, response) => {
      const name = Object.keys(answers).find((each) => url.includes(each));
      response.end(JSON.stringify(name === undefined ? {} : answers[name]));
    });
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
    try {
      const uri = `http://127.0.0.1:${(odd.address() as AddressInfo).port}`;
      const warnings = await warningsOf(async () => {
        const { runId } = await MlflowTracker.create({ uri, experimentName, runName: 'odd' });
        expect(runId).to.equal(null);
      });
      expect(warnings.map(({ msg }) => msg).join()).to.include("'abc123'");
    } finally {
      odd.closeAllConnections();
      odd.close();
    }
  });

  it('refuses an address that is not http', async () => {
    for (const uri of ['file:./mlruns', 'sqlite:///x.db', 'nonsense']) {
      const error: unknown = await MlflowTracker.create({ uri, experimentName, runName: 'x' }).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(AiforgeError).with.property('code', 'CONFIG_INVALID');
    }
  });
});

describe('MlflowClient', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  for (const [what, credentials, env, expected] of [
    [
      'a user and a password from the environment',
      '',
      { MLFLOW_TRACKING_USERNAME: 'u', MLFLOW_TRACKING_PASSWORD: 'p' },
      basic('u:p'),
    ],
    ['a token from the environment', '', { MLFLOW_TRACKING_TOKEN: 't' }, 'Bearer t'],
    ['the credentials in the address before those', 'a%40b:c@', { MLFLOW_TRACKING_TOKEN: 't' }, basic('a@b:c')],
    ['no credentials where there are none', '', {}, undefined],
  ] as [string, string, NodeJS.ProcessEnv, string | undefined][]) {
    it(`sends ${what}`, async () => {
      const requests: IncomingMessage[] = [];
      const server = createServer((request, response) => {
        requests.push(request);
        response.end('{}');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      try {
        const client = new MlflowClient(`http://${credentials}127.0.0.1:${port}/base/`, 5000, env);
        await client.endRun('a'.repeat(32), 'FINISHED');
        expect(requests.map(({ url, headers }) => [url, headers.authorization])).to.deep.equal([
          ['/base/api/2.0/mlflow/runs/update', expected],
        ]);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    });
  }
});
