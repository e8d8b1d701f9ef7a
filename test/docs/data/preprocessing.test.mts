import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { DocumentedProject } from '../project.mjs';

const pages = { preprocessing: 4, text: 3 };

for (const [page, least] of Object.entries(pages))
  describe(`docs/data/${page}.md`, () => {
    const text = readFileSync(`docs/data/${page}.md`, 'utf8');
    const examples = [
      ...text.matchAll(/## ([^\n]+)\n(?:(?!\n## )[\s\S])*?```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g),
    ];

    it('has an example for most of its chapters', () => {
      expect(examples).to.have.length.at.least(least);
    });

    for (const [, title, code, expected] of examples) {
      it(`${title}: prints what it says`, () => {
        mkdirSync('build/examples', { recursive: true });
        const file = path.resolve('build', 'examples', `${page}-${title!.toLowerCase().replaceAll(' ', '-')}.mjs`);
        writeFileSync(file, code!);
        const env = { ...process.env, OMP_NUM_THREADS: '1', NO_COLOR: '1' };
        expect(execFileSync(process.execPath, [file], { encoding: 'utf8', env })).to.equal(expected);
      });
    }

    it('links to files that exist', () => {
      for (const [, target] of text.matchAll(/\]\(((?!http)[^)#]+)\)/g))
        expect(() => readFileSync(path.join('docs/data', target!)), target).not.to.throw();
    });
  });

describe('the plugin of docs/data/preprocessing.md', () => {
  const project = new DocumentedProject('docs/data/preprocessing.md', 'preprocessing');
  before(() => project.enter());
  after(() => project.leave());

  it('type-checks', () => project.typeCheck()).timeout(120_000);

  it('trains, and learns from the training split alone', () => {
    for (const command of project.commands) project.run(command);
    const [run] = readdirSync('runs', { recursive: true, encoding: 'utf8' }).filter((file) => /preprocessor\.json$/.test(file)); // prettier-ignore
    const state = JSON.parse(readFileSync(path.join('runs', run!), 'utf8')) as {
      columns: { learnt: { parts: [string, { learnt: { offset: number[] } }][] } };
    };
    // The areas of the training split are 30 … 109, those of all items 30 … 129.
    expect(state.columns.learnt.parts[0]![1].learnt.offset).to.deep.equal([69.5]);
  }).timeout(60_000);
});
