import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import type { RunResult } from 'aiforge';
import { expect } from 'chai';

import { loadModule } from '#lib/config/loadModule.js';

interface Snippet {
  language: string;
  file: string | undefined;
  code: string;
}

/** The fenced blocks of a page; those with `file=` are files of a project, those with `run` are commands. */
function snippets(page: string): Snippet[] {
  const text = readFileSync(page, 'utf8');
  return Array.from(text.matchAll(/^```(\w+)(?: file=(\S+)| run)?\n([\s\S]*?)^```$/gm), ([, language, file, code]) => ({
    language: language!,
    file,
    code: code!,
  }));
}

/** Every snippet of docs/plugins.md, in a project of its own: type-checked, run as written. */
describe('docs/plugins.md', () => {
  // Inside the repository, so that the packages that a user would install are found.
  const project = path.resolve('build/guide');
  const found = snippets('docs/plugins.md');
  const cwd = process.cwd();

  before(() => {
    rmSync(project, { recursive: true, force: true });
    mkdirSync(project, { recursive: true });
    writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'guide', private: true }));
    for (const { file, code } of found) {
      if (file === undefined) continue;
      const target = path.join(project, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, code);
    }
    process.chdir(project);
  });
  after(() => process.chdir(cwd));

  it('has files for a whole plugin and commands', () => {
    expect(found.filter(({ file }) => file?.startsWith('plugins/trend/'))).to.have.length(5);
    expect(found.filter(({ language }) => language === 'sh')).to.have.length(3);
  });

  it('type-checks', () => {
    const config = {
      extends: '../../tsconfig.base.json',
      compilerOptions: {
        noEmit: true,
        incremental: false,
        declaration: false,
        typeRoots: ['../../node_modules/@types'],
        paths: { aiforge: ['../../dist/lib/index.d.ts'] },
      },
      include: ['**/*.ts'],
    };
    writeFileSync('tsconfig.json', JSON.stringify(config));
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.json'], { encoding: 'utf8' });
  }).timeout(120_000);

  for (const command of found.flatMap(({ language, code }) => (language === 'sh' ? code.trim().split('\n') : []))) {
    it(command, () => {
      const [npx, bin, ...args] = command.split(' ');
      expect(npx).to.equal('npx');
      const cli = path.join(cwd, 'dist/lib/cli', `${bin}.js`);
      const env = { ...process.env, OMP_NUM_THREADS: '1', RUNS_DIR: path.join(project, 'runs') };
      const printed = execFileSync(process.execPath, [cli, ...args], { encoding: 'utf8', env });
      expect(printed).to.include('Held-out test');
    }).timeout(120_000);
  }

  it('trains from code to a model that has learnt the task, and asks it', async () => {
    const { trainTrend } = loadModule(path.resolve('train.ts')) as {
      trainTrend: (epochs: number) => Promise<RunResult>;
    };
    const result = await trainTrend(15);
    expect(result.test!.accuracy).to.be.greaterThan(0.85);
    const { ask } = loadModule(path.resolve('ask.ts')) as { ask: (run: string, values: number[]) => string };
    expect(ask(result.runDirectory, [0, 1, 2, 3, 4, 5, 6, 7])).to.equal('rises');
    expect(ask(result.runDirectory, [0, -1, -2, -3, -4, -5, -6, -7])).to.equal('falls');
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
