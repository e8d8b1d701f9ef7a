import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { RunResult } from 'aiforge';
import { expect } from 'chai';
import { loadModule } from '#lib/modules/loadModule.js';

import { DocumentedProject } from './project.mjs';

/** Each command of docs/training.md trains to its end, and its model and callback type-check as a user's. */
describe('docs/training.md', () => {
  const project = new DocumentedProject('docs/training.md', 'loop');
  const runsBefore = process.env.RUNS_DIR;
  before(() => {
    project.enter();
    process.env.RUNS_DIR = path.join(project.folder, 'runs');
  });
  after(() => {
    project.leave();
    if (runsBefore === undefined) delete process.env.RUNS_DIR;
    else process.env.RUNS_DIR = runsBefore;
  });

  it('type-checks', () => project.typeCheck()).timeout(120_000);

  for (const command of project.commands) {
    it(command, () => expect(project.run(command)).to.include('Held-out test')).timeout(120_000);
  }

  it('stops a run by its time, and goes on with it', async () => {
    const { trainFor } = loadModule(path.resolve('listen.ts')) as {
      trainFor: (seconds: number, resumeFrom?: string) => Promise<RunResult>;
    };
    const cut = await trainFor(0);
    expect(cut.status).to.equal('interrupted');
    const whole = await trainFor(60, cut.runDirectory);
    expect(whole).to.include({ status: 'finished', runDirectory: cut.runDirectory });
    const steps = readFileSync(path.join(whole.runDirectory, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { interval?: string; step: number; batch: number; epoch: number })
      .filter(({ interval }) => interval === 'step');
    expect(steps.map(({ step }) => step)).to.deep.equal(steps.map((_, i) => i + 1));
    expect(steps.at(-1)).to.include({ step: 20, batch: 20, epoch: 2 });
  });
});
