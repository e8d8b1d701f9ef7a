import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { loadModule } from '#lib/modules/loadModule.js';

import { DocumentedProject } from './project.mjs';

/** Every snippet of docs/predicting.md, in a project of its own: type-checked, run as written. */
describe('docs/predicting.md', function () {
  this.timeout(120_000);
  const page = path.resolve('docs/predicting.md');
  const project = new DocumentedProject(page, 'predicting');
  before(() => project.enter());
  after(() => project.leave());

  it('type-checks', () => project.typeCheck());

  /** What each of the commands prints. */
  const printed: [command: string, text: RegExp][] = [
    ['aiforge fit experiments/marks.yaml', /Held-out test/],
    ['aiforge test runs/marks/*', /^Held-out test \(weights of epoch \d+\): .*accuracy (0\.9|1)/],
    ['aiforge validate runs/marks/* --weights last.safetensors', /^Validation \(weights of epoch 10\)/],
    ['aiforge test runs/marks/* training.batchSize=64 training.limitTestBatches=1 --json', /"samples": 40,/],
    ['aiforge-launch --nproc 2 test runs/marks/*', /^\[rank 0\] Held-out test/],
    ['aiforge predict runs/marks/* --input new.jsonl --output passed.csv --classify --skip-errors', /^3 rows in passed\.csv; 1 of/], // prettier-ignore
    ['aiforge predict runs/marks/* --split test --output test.jsonl --batch-size 100', /^40 rows in test\.jsonl\n/],
    ['aiforge predict runs/marks/* --split all --output all.parquet', /^400 rows in all\.parquet\n/],
  ];

  it('has these commands', () => {
    expect(project.commands).to.deep.equal(printed.map(([command]) => `npx ${command}`));
  });
  for (const [command, text] of printed) {
    it(command, () => {
      expect(project.run(`npx ${command}`)).to.match(text);
    });
  }

  it('writes what the page says', () => {
    const [header, ...lines] = readFileSync('passed.csv', 'utf8').trimEnd().split('\n');
    expect(header).to.equal('prediction,label,probability,error');
    expect(lines[0]).to.match(/^"\[.*\]",passed,0\.\d+,$/);
    expect(lines[1]).to.match(/^"\[.*\]",failed,0\.\d+,$/);
    expect(lines[2]).to.match(/^,,,"The preprocessor cannot transform line 3: there are 1 marks and not 2\./);
    const rows = readFileSync('test.jsonl', 'utf8').trimEnd().split('\n');
    expect(Object.keys(JSON.parse(rows[0]!) as object)).to.deep.equal(['index', 'prediction']);
  });

  it('does what its code says', async () => {
    const [name] = readdirSync(path.join('runs', 'marks'));
    const run = path.join(project.folder, 'runs', 'marks', name!);
    const { accuracyOf } = loadModule(path.resolve('evaluate.ts')) as {
      accuracyOf: (run: string, epochs: readonly number[]) => Promise<number[]>;
    };
    const epochs = readdirSync(path.join(run, 'checkpoints')).map((file) => Number(/\d+/.exec(file)![0]));
    expect(epochs).to.have.length(2);
    const accuracies = await accuracyOf(run, epochs);
    expect(accuracies).to.have.length(3);
    for (const accuracy of accuracies) expect(accuracy).to.be.greaterThan(0.85);
    const { labels } = loadModule(path.resolve('predict.ts')) as {
      labels: (run: string, marks: AsyncIterable<number[]>) => Promise<string[]>;
    };
    async function* marks(): AsyncGenerator<number[]> {
      yield* await Promise.resolve([[100, 90], [0, 5], [80, 90]]); // prettier-ignore
    }
    expect(await labels(run, marks())).to.deep.equal(['passed', 'failed', 'passed']);
  });

  it('links to files that exist', () => {
    for (const [, target] of readFileSync(page, 'utf8').matchAll(/\]\(((?!http)[^)#]+)\)/g))
      expect(existsSync(path.join(path.dirname(page), target!)), target).to.equal(true);
  });
});
