import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ones, tensor } from 'aiforge';
import { expect } from 'chai';

import { histogramOf } from '#lib/tracking/histogram.js';
import { imageOf } from '#lib/tracking/image.js';
import { JsonlTracker } from '#lib/tracking/jsonlTracker.js';
import { crc32c, maskedCrc32c } from '#lib/tracking/tensorboard/crc32c.js';
import { recordOf } from '#lib/tracking/tensorboard/eventFile.js';
import { Message } from '#lib/tracking/tensorboard/protobuf.js';
import { TensorboardTracker } from '#lib/tracking/tensorboard/tensorboardTracker.js';
import type { TrackedRun } from '#lib/tracking/tracker.js';

import { run } from '../support/project.mjs';
import { eventsIn, readEvents, tensorboardMissing, type Events } from './events.mjs';
import { warningsOf } from './logLines.mjs';

const bytesOf = (text: string): Uint8Array => Buffer.from(text);

describe('crc32c', () => {
  // RFC 3720, appendix B.4, and the check value of the polynomial.
  for (const [what, bytes, expected] of [
    ['nothing', new Uint8Array(0), 0],
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 times 0xff', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['the digits', bytesOf('123456789'), 0xe3069283],
  ] as const) {
    it(`of ${what}`, () => expect(crc32c(bytes)).to.equal(expected));
  }
});

describe('a record of an event file', () => {
  it('has the length, its checksum, the event and its checksum', () => {
    const record = recordOf(bytesOf('abc'));
    expect(record).to.have.length(8 + 4 + 3 + 4);
    expect(eventsIn(record, maskedCrc32c).map(String)).to.deep.equal(['abc']);
    // The first bytes of the event files of brain.Event:2 that TensorFlow writes, of 24 bytes each.
    expect(recordOf(new Uint8Array(24)).subarray(0, 12).toString('hex')).to.equal('1800000000000000a37f4b22');
  });
});

describe('Message', () => {
  it('writes whole numbers wider than 32 bits, and fields of each kind', () => {
    expect(new Message().varint(2, 300).encode().toString('hex')).to.equal('10ac02');
    expect(
      new Message()
        .varint(2, 2 ** 40)
        .encode()
        .toString('hex'),
    ).to.equal('10808080808020');
    expect(new Message().float(2, 1).double(1, 1).bytes(3, 'a').encode().toString('hex')).to.equal(
      '150000803f' + '09000000000000f03f' + '1a0161',
    );
    expect(new Message().doubles(7, [1]).message(1, new Message().varint(1, 0)).encode().toString('hex')).to.equal(
      '3a08000000000000f03f' + '0a020800',
    );
  });
});

describe('TensorboardTracker', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'aiforge-events-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  const runOf = (more: Partial<TrackedRun> = {}) => ({ experimentName: 'spam', runName: 'first', directory, ...more });
  const folder = () => path.join(directory, 'tensorboard');

  it('writes each call as a whole record at once', async () => {
    const tracker = new TensorboardTracker();
    await tracker.start(runOf());
    const [name] = readdirSync(folder());
    expect(name).to.match(/^events\.out\.tfevents\.\d{10}\./);
    const events = () => eventsIn(readFileSync(path.join(folder(), name!)), maskedCrc32c);
    expect(events()).to.have.length(2);
    expect(events()[0]!.toString('latin1')).to.include('brain.Event:2');
    tracker.logMetrics({ loss: 0.5 }, { step: 1, epoch: 1 });
    tracker.logText('note', 'hello', { step: 1, epoch: 1 });
    expect(events()).to.have.length(4);
    expect(events()[3]!.toString('latin1')).to.include('hello');
    await tracker.finish();
    tracker.logMetrics({ loss: 0.5 }, { step: 2, epoch: 1 });
    expect(events()).to.have.length(4);
  });

  it('warns once and lets training go on where the folder cannot be made', async () => {
    writeFileSync(folder(), '');
    const warnings = await warningsOf(async () => {
      const tracker = new TensorboardTracker();
      await tracker.start(runOf());
      tracker.logMetrics({ loss: 0.5 }, { step: 1, epoch: 1 });
      await tracker.finish();
    });
    expect(warnings.map(({ msg }) => msg)).to.have.length(1);
    expect(warnings[0]!.msg).to.include(folder());
  });

  it('empties its own files of before alone, and removes those that are empty', async () => {
    mkdirSync(folder());
    writeFileSync(path.join(folder(), 'notes.txt'), 'mine');
    for (let i = 0; i < 4; ++i) {
      const tracker = new TensorboardTracker();
      await tracker.start(
        i === 0 ? runOf() : runOf({ goesOnFrom: { step: 1, epoch: 1, validatedBatch: 0, sameNumbers: true } }),
      );
      await tracker.finish();
    }
    const files = readdirSync(folder()).filter((name) => name.includes('tfevents'));
    expect(files.sort().map((name) => statSync(path.join(folder(), name)).size > 0)).to.deep.equal([false, true]);
    expect(readFileSync(path.join(folder(), 'notes.txt'), 'utf8')).to.equal('mine');
  });
});

describe('event files, by the reader of TensorBoard', function () {
  this.timeout(180_000);
  let directory: string;

  before(function () {
    const reason = tensorboardMissing();
    if (reason === undefined) return;
    console.log(`    skipped: ${reason}`);
    this.skip();
  });
  beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'aiforge-events-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it('hold scalars, histograms, images and texts, NaN and infinities too', async () => {
    const [jsonl, tracker] = [new JsonlTracker(), new TensorboardTracker()];
    const run = { experimentName: 'spam', runName: 'first', directory };
    const histogram = histogramOf(tensor([0, 1, 1, 64, NaN]));
    const image = imageOf('a', ones([3, 2, 5]));
    for (const each of [jsonl, tracker]) {
      await each.start(run);
      each.logParams({ model: { hiddenDims: [64, 64] }, pipe: 'a|b' });
      const at = (step: number) => ({ step, epoch: 1, time: 1_700_000_000_000 + step });
      each.logMetrics({ loss: 0.5, rate: NaN }, at(1));
      each.logMetrics({ loss: Infinity, rate: -Infinity }, at(2 ** 33));
      each.logText('note', 'ä "quoted"\ntext', at(3));
      each.logHistogram('weights', histogram, at(3));
      each.logImage('input', image, at(3));
      await each.finish('FINISHED');
    }
    const check = (events: Events) => {
      expect(events.scalars.loss!.map(([step, value]) => [step, value])).to.deep.equal([[1, 0.5], [2 ** 33, 'inf']]); // prettier-ignore
      expect(events.scalars.rate!.map(([, value]) => value)).to.deep.equal(['nan', '-inf']);
      expect(events.scalars.loss![0]![2]).to.equal(1_700_000_000.001);
      expect(events.texts.note).to.deep.equal([[3, 'ä "quoted"\ntext']]);
      expect(events.texts.settings![0]![1]).to.include('| model.hiddenDims | [64,64] |').and.to.include('a\\|b');
      const [step, read] = events.histograms.weights![0]!;
      expect(step).to.equal(3);
      expect(read).to.deep.include({ min: 0, max: 64, num: 4, sum: 66, sum_squares: 4098 });
      expect(read.bucket.reduce((a, b) => a + b)).to.equal(4);
      expect(read.bucket_limit).to.have.length(read.bucket.length);
      const [[at, png]] = events.images.input as [[number, { width: number; height: number; bytes: string }]];
      expect([at, png.width, png.height]).to.deep.equal([3, 5, 2]);
      expect(png.bytes).to.match(/^89504e47/);
    };
    check(readEvents(path.join(directory, 'tensorboard')));
    // Written anew from what the run's folder has.
    const again = new TensorboardTracker();
    await again.start({ ...run, goesOnFrom: { step: 2 ** 34, epoch: 2, validatedBatch: 0, sameNumbers: true } });
    await again.finish();
    check(readEvents(path.join(directory, 'tensorboard')));
  });

  it('have each step once, ascending, after SIGKILL and a resume, as metrics.jsonl has', async () => {
    const fixture = path.resolve('test/tracking/fixtures/recording.yaml');
    const args = ['train', fixture, 'training.checkpoint.everySteps=3'];
    const killed = await run('aiforge', args, directory, { FAULT: 'SIGKILL@21' });
    expect(killed.status).to.equal(null);
    const experiment = path.join(directory, 'runs', 'recording');
    const runDirectory = path.join(experiment, readdirSync(experiment)[0]!);
    const events = path.join(runDirectory, 'tensorboard');
    expect(readEvents(events).scalars.train_loss_step!.map(([step]) => step)).to.have.length(20);
    // In the middle of a record, as a machine may die.
    const [file] = readdirSync(events);
    writeFileSync(path.join(events, file!), readFileSync(path.join(events, file!)).subarray(0, -7));
    // One reader is open all the while, as TensorBoard is; the other one comes new.
    const cli = path.resolve('dist/lib/cli/aiforge.js');
    const live = readEvents(events, [process.execPath, cli, 'train', '--resume', runDirectory]);
    const { scalars, histograms, images, texts } = readEvents(events);
    expect(live).to.deep.equal({ scalars, histograms, images, texts });
    const steps = Array.from({ length: 33 }, (_, i) => i + 1);
    const stepsOf = (entries: [number, ...unknown[]][]) => entries.map(([step]) => step);
    for (const name of ['train_loss_step', 'train_least_step', 'train_most_step'])
      expect(stepsOf(scalars[name]!), name).to.deep.equal(steps);
    expect(stepsOf(histograms['train_head.weight']!)).to.deep.equal(steps);
    expect(stepsOf(images.train_input!)).to.deep.equal(steps);
    expect(stepsOf(texts.train_note!)).to.deep.equal(steps);
    for (const name of ['train_loss', 'val_loss']) expect(stepsOf(scalars[name]!), name).to.deep.equal([11, 22, 33]);
    expect(stepsOf(images.val_input!)).to.deep.equal([11, 22, 33]);
    expect(stepsOf(scalars.test_loss!)).to.deep.equal([33]);

    const lines = readFileSync(path.join(runDirectory, 'metrics.jsonl'), 'utf8').trim().split('\n');
    const recorded = lines.map((line) => JSON.parse(line) as { step?: number; interval?: string; kind: string });
    for (const kind of ['metrics', 'text', 'image', 'histogram'])
      expect(recorded.filter((line) => line.kind === kind && line.interval === 'step').map(({ step }) => step), kind) // prettier-ignore
        .to.deep.equal(steps);
  });
});
