import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { JsonlTracker } from '#lib/tracking/jsonlTracker.js';
import { MlflowTracker } from '#lib/tracking/mlflowTracker.js';
import { encodePng } from '#lib/tracking/png.js';

import { freePort, MlflowServer, mlflowMissing } from './mlflowServer.mjs';

const experimentName = 'spam / artifacts';

describe('texts and images on a real MLflow server', function () {
  this.timeout(180_000);
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

  const create = (runName: string) => MlflowTracker.create({ uri: server.uri, experimentName, runName });
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'aiforge-artifacts-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  const image = { width: 2, height: 1, channels: 1, pixels: Uint8Array.from([0, 255]) } as const;
  const at = (step: number) => ({ step, epoch: 1 });
  const filesIn = async (runId: string, folder: string) =>
    (((await server.get('artifacts/list', { run_id: runId, path: folder })) as { files?: { path: string }[] }).files ?? []).map(({ path }) => path); // prettier-ignore

  async function contentOf(runId: string, file: string): Promise<Buffer> {
    const { run } = (await server.get('runs/get', { run_id: runId })) as { run: { info: { artifact_uri: string } } };
    const root = run.info.artifact_uri.replace(/^mlflow-artifacts:\/+/, '');
    const response = await fetch(`${server.uri}/api/2.0/mlflow-artifacts/artifacts/${root}/${file}`);
    if (!response.ok) throw new Error(`${response.url}: ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  it('are artifacts, as they are logged', async () => {
    const tracker = await create('artifacts');
    await tracker.start({ experimentName, runName: 'artifacts', directory });
    tracker.logText('val_note', 'ä text', at(3));
    tracker.logImage('val_in/put', image, at(3));
    await tracker.finish('FINISHED');
    expect((await contentOf(tracker.runId!, 'texts/val_note/3.txt')).toString()).to.equal('ä text');
    expect(await contentOf(tracker.runId!, 'media/val_in/put/3.png')).to.deep.equal(encodePng(image));
    expect(existsSync(join(directory, 'mlflow.json'))).to.equal(false);
  });

  it('are sent, those that the server has not, where a run goes on, from its folder', async () => {
    const run = { experimentName, runName: 'missed', directory };
    const [jsonl, first] = [new JsonlTracker(), await create('missed')];
    for (const each of [jsonl, first]) await each.start(run);
    jsonl.logText('note', 'missed', at(1));
    jsonl.logImage('input', image, at(1));
    for (const each of [jsonl, first]) {
      each.logText('note', 'seen', at(2));
      await each.finish('KILLED');
    }
    expect(await filesIn(first.runId!, 'texts/note')).to.deep.equal(['texts/note/2.txt']);
    const again = MlflowTracker.attach({ uri: server.uri, runId: first.runId, closesRun: true });
    await again.start({ ...run, goesOnFrom: { step: 2, epoch: 1, validatedBatch: 0, sameNumbers: true } });
    await again.finish('FINISHED');
    expect(await filesIn(first.runId!, 'texts/note')).to.have.members(['texts/note/1.txt', 'texts/note/2.txt']);
    expect((await contentOf(first.runId!, 'texts/note/1.txt')).toString()).to.equal('missed');
    expect(await contentOf(first.runId!, 'media/input/1.png')).to.deep.equal(encodePng(image));
  });
});
