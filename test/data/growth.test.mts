import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { data, Generator, tensor, type Tensor } from 'aiforge';
import { Pass } from '#lib/data/loading/pass.js';
import { PartStream } from '#lib/data/loading/partStream.js';
import { expect } from 'chai';

import { timesAsLong } from '../support/growth.mjs';

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `c${i}`);

describe('data of large sizes', () => {
  it('puts samples of many fields together in time that grows with them', async () => {
    const work = (count: number) => {
      const sample = Object.fromEntries(names(count).map((name) => [name, name]));
      const samples = [sample, sample, sample, sample];
      return () => data.defaultCollate(samples);
    };
    expect(await timesAsLong(work, { from: 1000, to: 32_000 })).to.be.below(150);
  });

  it('reads tables of many columns in time that grows with them', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wide-'));
    const work = (count: number) => {
      const file = path.join(folder, `${count}.csv`);
      writeFileSync(file, `${names(count).join(',')}\n${names(count).join(',')}\n`);
      const columns = Object.fromEntries(names(count).map((name) => [name, 'string' as const]));
      const missing = Object.fromEntries(names(count).map((name) => [name, '']));
      return () => new data.CsvReader(file, { columns, missing }).read();
    };
    expect(await timesAsLong(work, { from: 1000, to: 32_000 })).to.be.below(150);
  });

  it('gives the event loop turns while rows of a large batch are taken', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'rows-')), 'rows.csv');
    writeFileSync(file, `x,y\n${'1,2\n'.repeat(60_000)}`);
    let [inTurn, most, isOver] = [0, 0, false];
    const turn = (): void => {
      inTurn = 0;
      if (!isOver) setImmediate(turn);
    };
    turn();
    for await (const { x } of new data.CsvReader(file).rows()) most = Math.max(most, (inTurn += Number(x)));
    isOver = true;
    expect(most).to.be.within(1, 10_000);
  });

  it('makes no generator for samples that draw nothing', async () => {
    // What a generator of a sample is seeded with.
    const own = Object.getOwnPropertyDescriptor(Generator.prototype, 'manualSeed')!;
    const manualSeed = own.value as (this: Generator, seed: number | bigint) => Generator;
    let asked = 0;
    const all = new data.ConcatDataset([new data.Subset(['a', 'b'], [1, 0]), data.map(['c'], (text) => text)]);
    const dataset = new data.StackDataset({ all, other: data.cache(new data.TableDataset({ x: ['u', 'v', 'w'] })) });
    Generator.prototype.manualSeed = function (this: Generator, seed) {
      asked += 1;
      return manualSeed.call(this, seed);
    };
    try {
      const [now] = new data.DataLoader(dataset, { batchSize: 3 });
      for await (const later of new data.DataLoader(dataset, { batchSize: 3 })) expect(later).to.deep.equal(now);
      expect(now!.all).to.deep.equal(['b', 'a', 'c']);
    } finally {
      Object.defineProperty(Generator.prototype, 'manualSeed', own);
    }
    expect(asked).to.equal(0);
  });

  it('counts batches that come before their turn in time that grows with them', async () => {
    const work = (count: number) => () => {
      const order = Array.from({ length: count }, (_, i) => [i]);
      const pass = new Pass(order, 0);
      pass.next();
      for (let task; (task = pass.next()) !== undefined;) pass.handOut(task);
      return pass.progress.early.length;
    };
    expect(await timesAsLong(work, { from: 1000, to: 32_000 })).to.be.below(150);
  });

  it('pads a batch of many samples', () => {
    const samples = new Array<Tensor>(150_000).fill(tensor([1, 2]));
    expect(data.padCollate()(samples).shape).to.deep.equal([150_000, 2]);
  });

  it('goes on after many samples of a chunk that a worker read', () => {
    const numbers = new Set(Array.from({ length: 50_001 }, (_, i) => i));
    const rest = new PartStream(numbers, 0, { part: 0, of: null, skip: 50_000 });
    expect(rest.next()).to.deep.equal({ done: false, value: 50_000 });
    expect(rest.next()).to.deep.include({ done: true });
  });
});
