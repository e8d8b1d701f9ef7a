import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { TrainingConfig } from 'aiforge';
import { expect } from 'chai';

import { loadModule } from '#lib/modules/loadModule.js';

import { DocumentedProject } from './project.mjs';

describe('docs/checkpoints.md', () => {
  const page = path.resolve('docs/checkpoints.md');
  const text = readFileSync(page, 'utf8');
  const project = new DocumentedProject(page, 'checkpoints');
  before(() => project.enter());
  after(() => project.leave());

  it('type-checks', () => project.typeCheck()).timeout(120_000);

  const expected: [part: string, printed: RegExp][] = [
    ['--resume auto', /Held-out test/],
    [' train ', /Held-out test/],
    [' ls ', /^last\.safetensors .* right$/m],
    [' show ', /^ {2}training\.epochs: 4$/m],
    [' diff ', /all \d+ tensors have equal bytes/],
    ['--dry-run', /Would remove checkpoints\/step-/],
    [' prune ', /Removing checkpoints\/step-/],
  ];
  for (const command of project.commands) {
    it(command, () => {
      expect(project.run(command)).to.match(expected.find(([part]) => command.includes(part))![1]);
    }).timeout(120_000);
  }

  it('begins a second run by auto, since the first was finished', () => {
    expect(readdirSync('runs/points')).to.have.length(2);
  });

  it('reads weights from code', () => {
    const { describe: described } = loadModule(path.resolve('weights.ts')) as {
      describe: (file: string) => { epoch: number; shapes: Record<string, number[]> };
    };
    const [run] = readdirSync('runs/points');
    const { epoch, shapes } = described(path.resolve('runs/points', run!, 'best.safetensors'));
    expect(epoch).to.be.within(1, 4);
    expect(Object.values(shapes)).to.deep.include([16, 10]);
  });

  it('names settings and files that there are', () => {
    const names = Object.keys(TrainingConfig.parse({}).checkpoint);
    const [, policies] = /## When they are written\n([\s\S]*?)\n\|/.exec(text)!;
    for (const [, name] of policies!.matchAll(/\(`(\w+)`/g)) expect(names).to.include(name);
    for (const [, target] of text.matchAll(/\]\(((?!http)[^)#]+)(#[^)]*)?\)/g)) {
      expect(existsSync(path.join(path.dirname(page), target!)), target).to.equal(true);
    }
    for (const [, heading] of text.matchAll(/\]\(configuration\.md#([^)]*)\)/g)) {
      const titles = [
        ...readFileSync(path.join(path.dirname(page), 'configuration.md'), 'utf8').matchAll(/^#+ (.*)$/gm),
      ];
      const slugs = titles.map(([, title]) => title!.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')); // prettier-ignore
      expect(slugs).to.include(heading);
    }
  });
});
