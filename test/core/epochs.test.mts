import path from 'node:path';
import { PassThrough } from 'node:stream';

import { loadSafetensors, type EpochEnd, type BatchEnd } from 'aiforge';
import { expect } from 'chai';

import { Progress } from '#lib/cli/progress.js';
import { report } from '#lib/cli/report.js';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, experiment, linesOf, runIn } from './lab.mjs';

describe('epochs are counted from 1', () => {
  const folder = temporaryFolder('epochs');

  it('alike on the terminal, in files, in callbacks and in the result', async () => {
    const [steps, ends]: [BatchEnd[], EpochEnd[]] = [[], []];
    const terminal = new PassThrough();
    const result = await runIn(folder, experiment(), {
      callbacks: [
        new Progress(terminal as unknown as NodeJS.WriteStream),
        {
          onBatchEnd: (step) => void (step.stage === 'train' && steps.push(step)),
          onEpochEnd: (end) => void ends.push(end),
        },
      ],
    });
    const lines = linesOf(result.runDirectory).filter(({ kind }) => kind === 'metrics');
    const of = (interval: string) => lines.filter((line) => line.interval === interval).map(({ epoch }) => epoch);
    expect(steps.map(({ epoch }) => epoch)).to.deep.equal(of('step'));
    expect(new Set(of('step'))).to.deep.equal(new Set([1, 2, 3]));
    expect(of('epoch')).to.deep.equal([1, 2, 3]);
    expect(of('run'), 'the test').to.deep.equal([3]);
    expect(ends.map(({ epoch }) => epoch)).to.deep.equal([1, 2, 3]);
    expect(result.history.map(({ epoch }) => epoch)).to.deep.equal([1, 2, 3]);

    const printed = String(terminal.read());
    expect(printed.match(/epoch \d\/\d/g)).to.deep.equal(['epoch 1/3', 'epoch 2/3', 'epoch 3/3']);
    const best = ends.findLast(({ isBest }) => isBest)!.epoch;
    expect(result.bestEpoch).to.equal(best);
    expect(result.history.find(({ epoch }) => epoch === best)!.val_loss).to.equal(
      Math.min(...result.history.map((metrics) => metrics.val_loss!)),
    );
    expect(loadSafetensors(path.join(result.runDirectory, 'best.safetensors')).metadata.epoch).to.equal(String(best));
    expect(report(result, 'rest')).to.include(`weights of epoch ${best}`);
  });

  it('in a run that goes on, too, and its test is recorded once', async () => {
    const { runDirectory } = await runIn(folder, experiment(), abortAt(2, 4));
    const resumed = await runIn(folder, experiment({ resumeFrom: runDirectory }));
    expect(linesOf(runDirectory).find((line) => line.kind === 'start' && line.epoch > 0)).to.include({
      epoch: 2,
      step: 15,
    });
    expect(resumed.history.map(({ epoch }) => epoch)).to.deep.equal([2, 3]);
    await runIn(folder, experiment({ epochs: 4, resumeFrom: runDirectory }));
    const lines = linesOf(runDirectory);
    expect(lines.find(({ kind }) => kind === 'changes')).to.include({ epoch: 4, step: 33 });
    expect(lines.filter(({ interval }) => interval === 'run').map(({ epoch }) => epoch)).to.deep.equal([4]);
    expect(lines.filter(({ interval }) => interval === 'epoch').map(({ epoch }) => epoch)).to.deep.equal([1, 2, 3, 4]);
  });
});
