import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

const tours = {
  tensors: 5,
  nn: 5,
  testing: 2,
  metrics: 3,
  data: 6,
  'data/shards': 1,
  'data/transforms': 4,
  'data/readers': 6,
  'data/columnar': 3,
  'data/media': 3,
};

for (const [tour, least] of Object.entries(tours))
  describe(`docs/${tour}.md`, () => {
    const text = readFileSync(`docs/${tour}.md`, 'utf8');
    const examples = [
      ...text.matchAll(/## ([^\n]+)\n(?:(?!\n## )[\s\S])*?```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g),
    ];

    // Modules that examples import.
    before(() => {
      mkdirSync('build/examples', { recursive: true });
      for (const [, name, code] of text.matchAll(/```js (\S+)\n([\s\S]*?)```/g))
        writeFileSync(path.join('build/examples', name!), code!);
    });

    it('has an example for most of its chapters', () => {
      expect(examples).to.have.length.at.least(least);
    });

    for (const [, title, code, expected] of examples) {
      it(`${title}: prints what it says`, () => {
        mkdirSync('build/examples', { recursive: true });
        const file = path.resolve(
          'build',
          'examples',
          `${tour.replace('/', '-')}-${title!.toLowerCase().replaceAll(' ', '-')}.mjs`,
        );
        writeFileSync(file, code!);
        const env = { ...process.env, OMP_NUM_THREADS: '1', NO_COLOR: '1' };
        expect(execFileSync(process.execPath, [file], { encoding: 'utf8', env })).to.equal(expected);
      });
    }

    it('links to files that exist', () => {
      for (const [, target] of text.matchAll(/\]\(((?!http)[^)#]+)\)/g))
        expect(() => readFileSync(path.join('docs', path.dirname(tour), target!)), target).not.to.throw();
    });
  });
