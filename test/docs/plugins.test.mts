import path from 'node:path';

import type { RunResult } from 'aiforge';
import { expect } from 'chai';

import { loadModule } from '#lib/modules/loadModule.js';

import { DocumentedProject } from './project.mjs';

/** What a command prints. */
const expected = [
  [' new plugin ', 'plugins/shapes/model.ts'],
  [' plugins check ', 'one step of training and one of validation'],
  [' plugins ls', 'trend 1.0.0  Tells sequences that rise from those that fall'],
  [' train ', 'Held-out test'],
] as const;

/** Every snippet of docs/plugins.md, in a project of its own: type-checked, run as written. */
describe('docs/plugins.md', () => {
  const project = new DocumentedProject('docs/plugins.md', 'guide');
  before(() => project.enter());
  after(() => project.leave());

  it('has files for a whole plugin and commands', () => {
    expect(project.snippets.filter(({ file }) => file?.startsWith('plugins/trend/'))).to.have.length(5);
    expect(project.snippets.filter(({ language }) => language === 'sh').length).to.be.above(3);
  });

  it('type-checks', () => project.typeCheck()).timeout(120_000);

  for (const command of project.commands) {
    it(command, () => {
      const [, printed] = expected.find(([part]) => command.includes(part))!;
      expect(project.run(command)).to.include(printed);
    }).timeout(120_000);
  }

  it('trains from code to a model that has learnt the task, and asks it', async () => {
    const { trainTrend } = loadModule(path.resolve('train.ts')) as {
      trainTrend: (epochs: number) => Promise<RunResult>;
    };
    const result = await trainTrend(15);
    expect(result.test!.accuracy).to.be.greaterThan(0.85);
    const { ask, logits } = loadModule(path.resolve('ask.ts')) as {
      ask: (run: string, values: number[]) => string;
      logits: (run: string, sequences: number[][]) => number[][];
    };
    expect(ask(result.runDirectory, [0, 1, 2, 3, 4, 5, 6, 7])).to.equal('rises');
    expect(ask(result.runDirectory, [0, -1, -2, -3, -4, -5, -6, -7])).to.equal('falls');
    const [falls, rises] = logits(result.runDirectory, [
      [0, -1, -2, -3, -4, -5, -6, -7],
      [0, 1, 2, 3, 4, 5, 6, 7],
    ]);
    expect(falls![0]).to.be.greaterThan(falls![1]!);
    expect(rises![1]).to.be.greaterThan(rises![0]!);
  }).timeout(60_000);

  it('listens to a run from code', async () => {
    const { trainQuietly } = loadModule(path.resolve('listen.ts')) as {
      trainQuietly: (signal: AbortSignal) => Promise<number[]>;
    };
    expect(await trainQuietly(new AbortController().signal)).to.have.length(1);
  }).timeout(60_000);

  it('checks the plugin’s parts', () => {
    const { partsOf } = loadModule(path.resolve('check.ts')) as { partsOf: (name: string) => string[] };
    expect(partsOf('trend')).to.deep.equal(['Model', 'Dataset', 'Preprocessor', 'Config']);
  });
});
