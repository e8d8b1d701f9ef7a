import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { loadModule } from '#lib/modules/loadModule.js';

import { DocumentedProject } from './project.mjs';

/** Every snippet of docs/tracking.md, in a project of its own: type-checked, run as written. */
describe('docs/tracking.md', () => {
  const page = path.resolve('docs/tracking.md');
  const project = new DocumentedProject(page, 'tracked');
  before(() => project.enter());
  after(() => project.leave());

  it('type-checks', () => project.typeCheck()).timeout(120_000);

  /** What each of the commands prints. */
  const printed: [command: string, text: RegExp][] = [
    ['train experiments/stripes.yaml', /Held-out test/],
    ['train experiments/stripes.yaml training.learningRate=0.01', /Held-out test/],
    ['runs ls', /^run \(start, UTC\).*\nstripes\/\S+ +finished +4\/4 +val_loss [\d.]+ .*\nstripes\/\S+ +finished/],
    ['runs ls --experiment stripes --status finished --json', /"experiment": "stripes"/],
    ['runs compare runs/stripes/*', /training\.learningRate +0\.001 +0\.01\n[\s\S]*val_loss over epochs/],
    ['runs compare runs/stripes/* --metric accuracy', /accuracy over epochs\n.*\[1\] train_accuracy/],
  ];

  it('has these commands', () => {
    expect(project.commands).to.deep.equal(printed.map(([command]) => `npx aiforge ${command}`));
  });
  for (const [command, text] of printed) {
    it(command, () => {
      expect(project.run(`npx aiforge ${command}`)).to.match(text);
    }).timeout(120_000);
  }

  it('records what the page says', () => {
    const runs = path.join(project.folder, 'runs', 'stripes');
    const [run] = readdirSync(runs).map((name) => path.join(runs, name));
    const { validationLosses } = loadModule(path.resolve('losses.ts')) as {
      validationLosses: (run: string) => number[];
    };
    expect(validationLosses(run!)).to.have.length(4);
    expect(existsSync(path.join(run!, 'media', 'val_first', '8.png'))).to.equal(true);
    const lines = readFileSync(path.join(run!, 'metrics.jsonl'), 'utf8').trim().split('\n');
    const kinds = new Set(lines.map((line) => (JSON.parse(line) as { kind: string }).kind));
    expect([...kinds]).to.have.members(['start', 'params', 'metrics', 'text', 'image', 'histogram', 'finish']);
    expect(readdirSync(path.join(run!, 'tensorboard'))).to.have.length(1);
  });

  it('links to files that exist', () => {
    for (const [, target] of readFileSync(page, 'utf8').matchAll(/\]\(((?!http)[^)#]+)\)/g))
      expect(existsSync(path.join(path.dirname(page), target!)), target).to.equal(true);
  });
});
