import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { axisOf, shortNumber } from '#lib/sweeps/axis.js';
import { measure } from '#lib/sweeps/measure.js';
import { parallelCoordinates } from '#lib/sweeps/parallelCoordinates.js';
import { ranked } from '#lib/sweeps/ranking.js';
import { writeResults } from '#lib/sweeps/results.js';
import { loadState, newState, saveState, sweepFiles, type SweepState } from '#lib/sweeps/sweepState.js';
import { temporaryFolder } from '../support/project.mjs';
import { refusalOf } from '../support/refusal.mjs';

function stateOf(mode: 'min' | 'max', values: (number | null)[]): SweepState {
  const settings = values.map((_, index) => ({
    'training.learningRate': 10 ** -index,
    'model.name': `<a, "${index}">`,
  }));
  const identity = { sweep: { parameters: { 'training.learningRate': { scale: 'log' } } } };
  const state = newState({ file: '../x.yaml', method: 'grid', metric: 'val_loss', mode, identity }, settings);
  state.trials.forEach((trial, index) => {
    const value = values[index]!;
    if (value === null) Object.assign(trial, { status: 'failed', reason: 'said "no",\nand ended' });
    else Object.assign(trial, { status: 'finished', measured: [{ value, bestEpoch: 1, epochs: 2 }] });
  });
  return state;
}

const numbers = (state: SweepState): number[] => ranked(state).map(({ number }) => number);

describe('the results of a sweep', () => {
  const folder = temporaryFolder('sweep-results');

  it('are in the order of the metric, failed ones last', () => {
    expect(numbers(stateOf('min', [3, null, 1, 2]))).to.deep.equal([3, 4, 1, 2]);
    expect(numbers(stateOf('max', [3, null, 1, 2, 3]))).to.deep.equal([1, 5, 4, 3, 2]);
    const halved = stateOf('min', [0.1, 0.3, 0.2]);
    halved.trials[0]!.status = 'stopped';
    expect(numbers(halved), 'what went on comes before what was stopped').to.deep.equal([3, 2, 1]);
  });

  it('are a CSV file and a JSONL file that read back', () => {
    const state = stateOf('min', [3, null, 1]);
    writeResults(folder, state);
    const { csv, jsonl, picture } = sweepFiles(folder);
    expect(readFileSync(csv, 'utf8').split('\n').slice(0, 2)).to.deep.equal([
      'trial,status,val_loss,bestEpoch,epochs,seconds,training.learningRate,model.name,run,reason',
      '3,finished,1,1,2,0,0.01,"<a, ""2"">",,',
    ]);
    expect(readFileSync(csv, 'utf8')).to.include('2,failed,,,,0,0.1,"<a, ""1"">",,"said ""no"",\nand ended"\n');
    const lines = readFileSync(jsonl, 'utf8').trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { trial: number }).trial)).to.deep.equal([3, 1, 2]);
    expect(readFileSync(picture, 'utf8')).to.match(/^<svg /);
  });

  it('are drawn with an axis for each setting, in well-formed XML, the best above all', () => {
    const svg = parallelCoordinates(stateOf('min', [3, null, 1, 2]))!;
    for (const name of ['learningRate', 'name', 'val_loss'])
      expect(svg).to.match(new RegExp(`class="name"[^>]*>${name}<`));
    expect(svg).to.include('trial 3: val_loss 1; training.learningRate 0.01, model.name &lt;a, &quot;2&quot;&gt;');
    const lines = [...svg.matchAll(/<path class="(line[^"]*)" stroke="([^"]+)"/g)];
    expect(lines.map(([, kind]) => kind)).to.deep.equal(['line', 'line', 'line best']);
    expect(new Set(lines.map(([, , colour]) => colour)).size).to.equal(3);
    expect(svg).not.to.include('NaN');
    // Each element that is opened is closed.
    const open: string[] = [];
    for (const [, end, name, closed] of svg.matchAll(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g)) {
      if (end === '/') expect(open.pop()).to.equal(name);
      else if (closed === '') open.push(name!);
    }
    expect(open).to.deep.equal([]);
    expect(parallelCoordinates(stateOf('min', [1, null])), 'one line compares nothing').to.equal(undefined);
    expect(parallelCoordinates(stateOf('max', [1, 1])), 'alike')
      .to.be.a('string')
      .and.not.to.include('NaN');
  });

  it('have axes of numbers, of logarithms and of texts', () => {
    const places = (values: unknown[], isLog = false) => values.map(axisOf('x', values, isLog).placeOf);
    expect(places([0, 5, 10])).to.deep.equal([0, 0.5, 1]);
    expect(places([0.001, 0.01, 0.1], true).map((place) => place.toFixed(6))).to.deep.equal(['0.000000', '0.500000', '1.000000']); // prettier-ignore
    expect(places(['a', 'b', 'c', 'b'])).to.deep.equal([0, 0.5, 1, 0.5]);
    expect(places([null, 1])).to.deep.equal([0, 1]);
    expect(places([7, 7])).to.deep.equal([0.5, 0.5]);
    expect(axisOf('x', ['a', undefined], false).ticks.map(({ text }) => text)).to.deep.equal(['a', '–']);
    expect([0, 12300, 0.00123456, 3.14159e-7, 1e9].map(shortNumber)).to.deep.equal(['0', '12,300', '0.00123', '3.1e-7', '1e9']); // prettier-ignore
  });

  it('are the best of a run’s epochs, and the last test', () => {
    const run = path.join(folder, 'run');
    mkdirSync(run);
    const record = (epoch: number, interval: string, metrics: object) =>
      `${JSON.stringify({ kind: 'metrics', epoch, step: epoch, interval, metrics })}\n`;
    const lines = [
      record(1, 'epoch', { val_loss: 3, val_f1: 'NaN' }),
      record(2, 'step', { val_loss: 0 }),
      record(2, 'epoch', { val_loss: 1, val_f1: 'NaN' }),
      record(3, 'epoch', { val_loss: 2, val_f1: 'NaN' }),
      record(3, 'run', { test_loss: 5 }),
      record(3, 'run', { test_loss: 4.5 }),
    ];
    writeFileSync(path.join(run, 'metrics.jsonl'), lines.join(''));
    expect(measure(run, 'val_loss', 'min')).to.deep.equal({ value: 1, bestEpoch: 2, epochs: 3 });
    expect(measure(run, 'val_loss', 'max')).to.deep.equal({ value: 3, bestEpoch: 1, epochs: 3 });
    expect(measure(run, 'test_loss', 'max')).to.deep.equal({ value: 4.5, bestEpoch: 3, epochs: 3 });
    expect(refusalOf(() => measure(run, 'val_los', 'min')).message).to.include("Did you mean 'val_loss'?");
    expect(refusalOf(() => measure(run, 'val_f1', 'max')).message).to.include('was a number in no epoch');
  });

  it('have a state that is read back, and one that is none is refused', () => {
    const state = stateOf('min', [3, null]);
    saveState(folder, state);
    expect(loadState(folder)).to.deep.equal(state);
    writeFileSync(sweepFiles(folder).state, '{"format": "other"}');
    expect(refusalOf(() => loadState(folder)).code).to.equal('FILE_INVALID');
    writeFileSync(sweepFiles(folder).state, '{"for');
    expect(refusalOf(() => loadState(folder)).message).to.include('is no state of a sweep');
  });
});
