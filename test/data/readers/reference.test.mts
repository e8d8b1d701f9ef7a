import { data, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { reference } from '../../support/reference.mjs';
import { itemsFrom } from './tables.mjs';

interface Told {
  dtype: string;
  shape: number[];
  bytes: string;
  strides?: number[];
}

type Columns = Record<string, Told | string[]>;

interface Reference {
  npy: Record<string, Told>;
  npz: Record<string, Told>;
  idx: Record<string, Told>;
  text_folder: { classes: string[]; samples: [string, number][] };
  csv: Record<string, Columns>;
  json_lines: Columns;
}

/** A tensor as test/reference/readers.py tells an array. */
function told(tensor: Tensor): Told {
  const elements = tensor.contiguous().toTypedArray();
  const bytes = Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength).toString('hex');
  return { dtype: tensor.dtype, shape: [...tensor.shape], bytes };
}

const toldColumns = (columns: data.TableColumns): Columns =>
  Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, Array.isArray(column) ? column : told(column)]),
  );

describe('what readers give of files of NumPy, pandas, pyarrow and torchvision', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aiforge-readers-'));
  const at = (name: string): string => path.join(folder, name);
  let expected: Reference;

  before(function () {
    this.timeout(120_000);
    expected = JSON.parse(reference(this, 'readers.py', folder)) as Reference;
  });
  after(() => rmSync(folder, { recursive: true }));

  it('.npy: every dtype, in both orders of bytes and of dimensions, whole and by rows', () => {
    expect(Object.keys(expected.npy)).to.have.length(14 * 5 * 4);
    for (const [name, { strides, ...array }] of Object.entries(expected.npy)) {
      const whole = data.readNpy(at(name));
      expect(told(whole), name).to.deep.equal(array);
      // NumPy and LibTorch say different strides where there are no elements, or one.
      if (whole.numel() > 1) expect(whole.stride(), name).to.deep.equal(strides);
      if (array.shape.length === 0) continue;
      const reader = new data.NpyReader(at(name));
      expect(reader.length).to.equal(array.shape[0]);
      for (let i = 0; i < reader.length; ++i) expect(told(reader.get(i)), name).to.deep.equal(told(whole.select(0, i)));
      reader.close();
    }
  });

  it('.npz, stored and deflated', () => {
    for (const name of ['stored.npz', 'deflated.npz']) {
      const read = Object.entries(data.readNpz(at(name))).map(([key, tensor]) => [key, told(tensor)] as const);
      expect(Object.fromEntries(read)).to.deep.equal(expected.npz);
    }
  });

  it('IDX, whole and by rows, compressed and not', async () => {
    for (const [name, array] of Object.entries(expected.idx)) {
      for (const file of [at(name), at(`${name}.gz`)]) {
        const whole = await data.readIdx(file);
        expect(told(whole), file).to.deep.equal(array);
        const rows = await itemsFrom(new data.IdxReader(file));
        expect(rows.map(told)).to.deep.equal([...whole.unbind(0)].map(told));
      }
    }
  });

  it('folders of texts, in the order of DatasetFolder', () => {
    const texts = new data.TextFolder(at('texts'));
    expect(texts.classes).to.deep.equal(expected.text_folder.classes);
    expect(Array.from({ length: texts.length }, (_, i) => texts.get(i))).to.deep.equal(expected.text_folder.samples);
  });

  it('CSV: each number to the bit, each text to the letter, also in batches, compressed, and with tabs', async () => {
    for (const [file, columns] of Object.entries(expected.csv)) {
      expect(toldColumns(await new data.CsvReader(file).read()), file).to.deep.equal(columns);
    }
    for (const name of ['table.csv.gz', 'table.tsv']) {
      const read = await new data.CsvReader(at(name), { batchRows: 7 }).read();
      expect(toldColumns(read), name).to.deep.equal(expected.csv[at('table.csv')]);
    }
  }).timeout(20_000);

  it('JSON Lines', async () => {
    expect(toldColumns(await new data.JsonLinesReader(at('table.jsonl')).read())).to.deep.equal(expected.json_lines);
  });
});
