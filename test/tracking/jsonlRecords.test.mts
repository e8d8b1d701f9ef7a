import { closeSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { dropLater, readRecords } from '#lib/tracking/jsonlRecords.js';

import { temporaryFolder } from '../support/project.mjs';

describe('the records of metrics.jsonl', () => {
  const folder = temporaryFolder('jsonl-records');
  const file = path.join(folder, 'metrics.jsonl');
  const step = (at: number) => ({ kind: 'metrics', interval: 'step', epoch: 1, step: at, metrics: { train_loss_step: at } }); // prettier-ignore

  it('are read over the ends of the pieces that a file is read in, with letters of several bytes', () => {
    const texts = Array.from({ length: 40 }, (_, i) => ({ kind: 'text', text: 'ä€𝄞'.repeat(7000 + 37 * i) }));
    writeFileSync(file, `${texts.map((record) => JSON.stringify(record)).join('\n\n')}\n{"kind":"text","tex`);
    expect(readRecords(folder)).to.deep.equal(texts);
    const lasts: boolean[] = [];
    readRecords(folder, (_, isLast) => lasts.push(isLast) > 0);
    expect(lasts.map(Number)).to.deep.equal([...texts.map(() => 0), 1]);
  });

  it('are read and dropped where the file is longer than a text may be', () => {
    const descriptor = openSync(file, 'w');
    const long = `${JSON.stringify({ kind: 'params', params: { text: 'x'.repeat(2 ** 20) } })}\n`;
    const length = 2 ** 29 / 2 ** 20 + 8;
    for (let i = 1; i <= length; ++i) writeSync(descriptor, `${long}${JSON.stringify(step(i))}\n`);
    closeSync(descriptor);
    expect(statSync(file).size).to.be.greaterThan(2 ** 29);
    expect(dropLater(file, { step: 500, epoch: 1, validatedBatch: 0 })).to.equal(500);
    const left = readRecords(folder, (line) => line.includes('"interval":"step"'));
    expect(left).to.deep.equal(Array.from({ length: 500 }, (_, i) => step(i + 1)));
  });

  it('are left as they are where nothing is to be dropped', () => {
    writeFileSync(file, `${JSON.stringify(step(1))}\n\n${JSON.stringify(step(2))}\n`);
    const before = readFileSync(file, 'utf8');
    expect(dropLater(file, { step: 2, epoch: 1, validatedBatch: 0 })).to.equal(2);
    expect(readFileSync(file, 'utf8')).to.equal(before);
  });
});
