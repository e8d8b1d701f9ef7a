import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { JsonlTracker } from '#lib/tracking/jsonlTracker.js';
import { MultiTracker } from '#lib/tracking/multiTracker.js';
import type { Tracker } from '#lib/tracking/tracker.js';
import { warningsOf } from './logLines.mjs';

describe('MultiTracker', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'aiforge-run-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  const run = () => ({ experimentName: 'spam', runName: 'first', directory });
  const read = () =>
    readFileSync(join(directory, 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('passes every call to all, with one time', async () => {
    const times: unknown[] = [];
    const probe = (): Tracker => ({
      start: () => Promise.resolve(),
      logParams: () => undefined,
      logChanges: () => undefined,
      logMetrics: (_metrics, at) => times.push(at.time),
      finish: () => Promise.resolve(),
    });
    const tracker = new MultiTracker([probe(), probe(), new JsonlTracker()]);
    await tracker.start(run());
    tracker.logParams({ a: 1 });
    tracker.logMetrics({ loss: 1 }, { step: 1, epoch: 0 });
    await tracker.finish('FINISHED');
    expect(times).to.have.length(2);
    expect(times[0]).to.be.a('number').and.to.equal(times[1]);
    expect(read()[2]).to.have.property('time', times[0]);
  });

  it('gives texts, images and histograms to those that take them', async () => {
    const given: unknown[] = [];
    const takesNone: Tracker = {
      start: () => Promise.resolve(),
      logParams: () => undefined,
      logChanges: () => undefined,
      logMetrics: () => undefined,
      finish: () => Promise.resolve(),
    };
    const takesTexts: Tracker = { ...takesNone, logText: (name, text, at) => given.push([name, text, at.time]) };
    const tracker = new MultiTracker([takesNone, takesTexts, new JsonlTracker()]);
    await tracker.start(run());
    const at = { step: 1, epoch: 1, interval: 'epoch' } as const;
    tracker.logText('note', 'hello', at);
    tracker.logImage('in/put', { width: 1, height: 1, channels: 1, pixels: Uint8Array.of(9) }, at);
    const histogram = { count: 1, nonFinite: 0, min: 1, max: 1, sum: 1, sumOfSquares: 1, counts: [1] };
    tracker.logHistogram('weights', histogram, at);
    await tracker.finish('FINISHED');
    const [, text, image, weights] = read();
    expect(given).to.deep.equal([['note', 'hello', text!.time]]);
    expect(image).to.deep.include({ kind: 'image', name: 'in/put', file: 'media/in/put/1.png', width: 1, height: 1 });
    expect(
      readFileSync(join(directory, 'media', 'in', 'put', '1.png'))
        .subarray(1, 4)
        .toString(),
    ).to.equal('PNG');
    expect(weights).to.deep.include({ kind: 'histogram', name: 'weights', step: 1, interval: 'epoch', histogram });
  });

  it('warns of an image whose file would be elsewhere, and records on', async () => {
    const warnings = await warningsOf(async () => {
      const tracker = new JsonlTracker();
      await tracker.start(run());
      const image = { width: 1, height: 1, channels: 1, pixels: Uint8Array.of(9) } as const;
      for (const name of ['../../out', '..']) tracker.logImage(name, image, { step: 1, epoch: 1 });
      tracker.logText('note', 'hello', { step: 1, epoch: 1 });
      await tracker.finish('FINISHED');
    });
    expect(warnings.map(({ msg }) => msg)).to.have.length(1);
    expect(read().map(({ kind }) => kind)).to.deep.equal(['start', 'text', 'finish']);
  });

  it('leaves out a tracker that fails, after one warning, and keeps the others', async () => {
    class Broken implements Tracker {
      calls = 0;
      start = () => Promise.resolve();
      logParams = () => undefined;
      logChanges = () => undefined;
      finish = () => Promise.resolve();
      logMetrics = () => {
        this.calls++;
        throw new Error('broken');
      };
    }
    class BrokenAtStart extends Broken {
      override start = () => Promise.reject(new Error('no start'));
    }
    const [broken, unstarted] = [new Broken(), new BrokenAtStart()];
    const warnings = await warningsOf(async () => {
      const tracker = new MultiTracker([unstarted, broken, new JsonlTracker()]);
      await tracker.start(run());
      for (let step = 0; step < 3; step++) tracker.logMetrics({ loss: 1 }, { step, epoch: 0 });
      await tracker.finish('FINISHED');
    });
    expect(warnings.map(({ msg }) => msg.split(' ')[0])).to.deep.equal(['BrokenAtStart', 'Broken']);
    expect([unstarted.calls, broken.calls]).to.deep.equal([0, 1]);
    expect(read().map(({ kind }) => kind)).to.deep.equal(['start', 'metrics', 'metrics', 'metrics', 'finish']);
  });
});
