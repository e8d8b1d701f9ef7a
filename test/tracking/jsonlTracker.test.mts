import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { JsonlTracker } from '#lib/tracking/jsonlTracker.js';
import { warningsOf } from './logLines.mjs';

describe('JsonlTracker', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'aiforge-run-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  const run = () => ({ experimentName: 'spam', runName: 'first', directory });
  const read = () =>
    readFileSync(join(directory, 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('writes every call as a line that can be read at once, those of steps a little later or when they are asked for', async () => {
    const tracker = new JsonlTracker();
    await tracker.start(run());
    tracker.logParams({ training: { epochs: 2 } });
    expect(read().map(({ kind }) => kind)).to.deep.equal(['start', 'params']);
    tracker.logMetrics({ train_loss: 0.5, lr: 1e-3 }, { step: 10, epoch: 1, time: 1234 });
    for (let waited = 0; read().length < 3 && waited < 10_000; waited += 20) await sleep(20);
    expect(read()[2]).to.deep.equal({
      kind: 'metrics',
      time: 1234,
      epoch: 1,
      step: 10,
      interval: 'step',
      metrics: { train_loss: 0.5, lr: 0.001 },
    });
    for (const step of [11, 12]) tracker.logMetrics({ train_loss: 0.25 }, { step, epoch: 1 });
    tracker.flush();
    expect(read().map(({ step }) => step)).to.deep.equal([undefined, undefined, 10, 11, 12]);
    tracker.logMetrics({ train_loss: 0.125 }, { step: 13, epoch: 1 });
    tracker.logMetrics({ train_loss: 0.2 }, { step: 13, epoch: 1, interval: 'epoch' });
    expect(
      read()
        .slice(5)
        .map(({ interval }) => interval),
    ).to.deep.equal(['step', 'epoch']);
    await tracker.finish('FINISHED');
    expect(read()[0]).to.include({ experimentName: 'spam', runName: 'first' });
    expect(read()[1]).to.deep.include({ params: { training: { epochs: 2 } } });
    expect(read().at(-1)).to.include({ kind: 'finish', status: 'FINISHED' });
  });

  it('keeps NaN and infinities apart', async () => {
    const tracker = new JsonlTracker();
    await tracker.start(run());
    tracker.logMetrics({ a: NaN, b: Infinity, c: -Infinity }, { step: 0, epoch: 0 });
    await tracker.finish('FAILED');
    expect(read()[1]!.metrics).to.deep.equal({ a: 'NaN', b: 'Infinity', c: '-Infinity' });
  });

  it('appends when a run goes on, in the place of a line that a crash cut short', async () => {
    writeFileSync(join(directory, 'metrics.jsonl'), '{"kind":"start"}\n');
    appendFileSync(join(directory, 'metrics.jsonl'), '{"kind":"met');
    const tracker = new JsonlTracker();
    await tracker.start(run());
    await tracker.finish('KILLED');
    const lines = readFileSync(join(directory, 'metrics.jsonl'), 'utf8').split('\n');
    expect(lines[0]).to.equal('{"kind":"start"}');
    expect(lines.slice(1, 3).map((line) => (JSON.parse(line) as { kind: string }).kind)).to.deep.equal([
      'start',
      'finish',
    ]);
  });

  it('drops what was recorded after the point from which a run goes on, and keeps the rest', async () => {
    const first = new JsonlTracker();
    await first.start(run());
    for (const [step, epoch, interval] of [
      [1, 0, 'step'],
      [2, 0, 'step'],
      [2, 0, 'epoch'],
      [3, 1, 'step'],
      [4, 1, 'step'],
      [4, 1, 'epoch'],
      [5, 2, 'step'],
    ] as const) {
      first.logMetrics({ loss: 1 }, { step, epoch, interval });
    }
    await first.finish('KILLED');
    const kept = async (step: number, epoch: number) => {
      const tracker = new JsonlTracker();
      await tracker.start({ ...run(), goesOnFrom: { step, epoch, validatedBatch: 0, sameNumbers: true } });
      await tracker.finish('KILLED');
      return read()
        .filter(({ kind }) => kind === 'metrics')
        .map((line) => `${String(line.interval)} ${String(line.step)}`);
    };
    expect(await kept(4, 1)).to.deep.equal(['step 1', 'step 2', 'epoch 2', 'step 3', 'step 4']);
    expect(await kept(3, 1)).to.deep.equal(['step 1', 'step 2', 'epoch 2', 'step 3']);
    expect(await kept(2, 1)).to.deep.equal(['step 1', 'step 2', 'epoch 2']);
  });

  it('warns once and lets training go on when the file cannot be written', async () => {
    writeFileSync(join(directory, 'file'), '');
    const warnings = await warningsOf(async () => {
      const tracker = new JsonlTracker();
      await tracker.start({ ...run(), directory: join(directory, 'file', 'run') });
      tracker.logMetrics({ a: 1 }, { step: 0, epoch: 0 });
      await tracker.finish('FINISHED');
    });
    expect(warnings.map(({ msg }) => msg)).to.have.length(1);
    expect(warnings[0]!.msg).to.include(join(directory, 'file', 'run', 'metrics.jsonl'));
  });

  it('warns once when the disk is full', async function () {
    if (!existsSync('/dev/full')) {
      console.log('skipped: this system has no /dev/full');
      this.skip();
    }
    symlinkSync('/dev/full', join(directory, 'metrics.jsonl'));
    const warnings = await warningsOf(async () => {
      const tracker = new JsonlTracker();
      await tracker.start(run());
      for (let step = 0; step < 3; step++) tracker.logMetrics({ a: 1 }, { step, epoch: 0 });
      await tracker.finish('FINISHED');
    });
    expect(warnings).to.have.length(1);
  });

  it('leaves whole lines alone where a file cannot grow', () => {
    const library = JSON.stringify(resolve('dist/lib/tracking/jsonlTracker.js'));
    const script = `
      const { JsonlTracker } = require(${library});
      const tracker = new JsonlTracker();
      void tracker.start(${JSON.stringify(run())});
      for (let step = 1; step <= 100; ++step) tracker.logMetrics({ loss: 0.5 }, { step, epoch: 1, interval: 'epoch' });`;
    // Node ignores the signal of the limit: a write gives as much as fits, and then an error, as on a full disk.
    const { status } = spawnSync('prlimit', ['--fsize=4096', process.execPath, '-e', script], { env: { LOG_LEVEL: 'silent' } }); // prettier-ignore
    expect(status).to.equal(0);
    const text = readFileSync(join(directory, 'metrics.jsonl'), 'utf8');
    expect(text.length).to.be.within(3800, 4096);
    expect(text.endsWith('}\n')).to.equal(true);
    expect(read().slice(1).map(({ step }) => step)).to.deep.equal(Array.from({ length: read().length - 1 }, (_, i) => i + 1)); // prettier-ignore
  });
});
