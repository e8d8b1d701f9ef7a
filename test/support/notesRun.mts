import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { run, temporaryFolder, writeFiles, type Finished } from './project.mjs';
import { runFolders } from './runFolder.mjs';

/** A run whose predictions are asked for; what its model answers depends on ANSWERS. */
const plugin = {
  'plugins/notes/model.mjs': `
    import { BaseModel, nn } from 'aiforge';
    const pause = (ms) => ms > 0 && Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    export class Model extends BaseModel {
      line = new nn.Linear(2, 2);
      forward(x) { return this.line.forward(x); }
      trainingStep({ x, labels }) {
        const predictions = this.forward(x);
        return { loss: this.lossFn.forward(predictions, labels), predictions };
      }
      validationStep(batch) { return this.trainingStep(batch); }
      predictStep({ x, text }) {
        pause(Number(process.env.PREDICT_MS ?? 0));
        if (process.env.ANSWERS === 'fussy' && text.includes('note 3')) throw new RangeError('note 3 is too long');
        if (process.env.ANSWERS === 'parts') {
          return { logits: this.forward(x), grid: this.forward(x).reshape([-1, 1, 2]), classes: x.argmax(1), flags: text.map((each) => each.length > 6), text, some: text.map((each) => ({ each })) };
        }
        if (process.env.ANSWERS === 'changing') return { value: x.select(1, 0).to(x.select(0, 0).select(0, 0).item() < 8 ? 'float32' : 'float64') };
        if (process.env.ANSWERS === 'kinds') return { value: x.select(0, 0).select(0, 0).item() < 8 ? x.select(1, 0) : text.map(() => 0.1) };
        if (process.env.ANSWERS === 'squeezed') return this.forward(x).sum(1, true).squeeze();
        if (process.env.ANSWERS === 'blank') return text.map((each, i) => (i % 2 === 0 ? each : i % 4 === 1 ? '' : null));
        if (process.env.ANSWERS === 'zeros') return { value: text.map((_, i) => (i % 2 === 0 ? 0 : -0)) };
        if (process.env.ANSWERS === 'proto') return JSON.parse('{"__proto__": ' + JSON.stringify(text) + ', "list": ' + JSON.stringify(text) + '}');
        if (process.env.ANSWERS === 'label') return { logits: this.forward(x), label: text };
        if (process.env.ANSWERS !== 'columns') return this.forward(x);
        return { logits: this.forward(x), text, length: text.map((each) => each.length), first: x.select(1, 0) };
      }
    }`,
  'plugins/notes/dataset.mjs': `
    import { BaseDataset } from 'aiforge';
    export class Dataset extends BaseDataset {
      classNames = ['short, or not', 'long'];
      get length() { return 60; }
      get(index) { return { x: [index % 7, index % 3], text: 'item ' + index, label: index % 2 }; }
      loadData() {}
    }`,
  'plugins/notes/preprocessor.mjs': `
    import { BasePreprocessor, tensor } from 'aiforge';
    export class Preprocessor extends BasePreprocessor {
      fit() {}
      transform({ x, text, label }) {
        if (!Array.isArray(x)) throw new TypeError('x is no array');
        const sample = { x: tensor(x, { dtype: 'float32' }), text };
        return label === undefined ? sample : { ...sample, labels: tensor(label) };
      }
      inverseTransform(sample) { return sample; }
      state() { return null; }
      restore() {}
    }`,
  'notes.yaml': `
experimentName: notes
modelPlugin: notes
datasetPlugin: notes
dataPath: none
training: { epochs: 1, batchSize: 8, numThreads: 1 }
`,
};

/** As RFC 4180 says: cells in quotes may have commas, line ends, and quotes twice. */
export function csvRows(text: string): Record<string, string>[] {
  const cells = Array.from(text.matchAll(/("(?:[^"]|"")*"|[^",\n]*)([,\n])/g), ([, cell, end]) => ({
    value: cell!.startsWith('"') ? cell!.slice(1, -1).replaceAll('""', '"') : cell!,
    isLast: end === '\n',
  }));
  const lines: string[][] = [[]];
  for (const { value, isLast } of cells) {
    lines.at(-1)!.push(value);
    if (isLast) lines.push([]);
  }
  const [header, ...rows] = lines.slice(0, -1);
  return rows.map((row) => Object.fromEntries(header!.map((name, i) => [name, row[i]!])));
}

export const rowsOf = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

export const items = Array.from({ length: 21 }, (_, i) => ({ x: [i, -i / 2], text: `note ${i}` }));

export interface NotesRun {
  folder: string;
  /** That of the run, once there is one. */
  directory: () => string;
  inside: (name: string) => string;
  /** Writes a file of lines; gives its path. */
  write: (name: string, lines: readonly unknown[]) => string;
  predict: (args: string[], env?: NodeJS.ProcessEnv) => Promise<Finished>;
}

/** Trains such a run before the tests of a suite. */
export function notesRun(name: string): NotesRun {
  const folder = temporaryFolder(name);
  const inside = (file: string) => path.join(folder, file);
  let directory = '';
  before(async () => {
    writeFiles(folder, plugin);
    const { status, stderr } = await run('aiforge', ['train', inside('notes.yaml')], folder);
    expect(status, stderr).to.equal(0);
    directory = runFolders(folder, 'notes')[0]!;
  });
  const write = (file: string, lines: readonly unknown[]): string => {
    writeFileSync(inside(file), lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')); // prettier-ignore
    return inside(file);
  };
  const predict = (args: string[], env: NodeJS.ProcessEnv = {}) => run('aiforge', ['predict', directory, ...args], folder, env); // prettier-ignore
  return { folder, directory: () => directory, inside, write, predict };
}
