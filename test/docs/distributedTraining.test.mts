import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { runCommands } from '../distributed/ranks.mjs';

describe('docs/distributed.md, training on several ranks', function () {
  this.timeout(60_000);

  const text = readFileSync('docs/distributed.md', 'utf8');
  const examples = [
    ...text.matchAll(
      /^##+ ([^\n]+)\n(?:(?!^##)[\s\S])*?^```js ranks=(\d)\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```/gm,
    ),
  ];

  it('has an example for most of its chapters', () => {
    expect(examples).to.have.length.at.least(5);
  });

  for (const [, title, count, code, expected] of examples) {
    it(`${title}: prints what it says on the first rank`, async () => {
      mkdirSync('build/examples', { recursive: true });
      const file = path.resolve('build', 'examples', `ddp-${title!.toLowerCase().replaceAll(' ', '-')}.mjs`);
      writeFileSync(file, code!);
      const rank = { command: process.execPath, args: [file] };
      const ranks = await runCommands(Array.from({ length: Number(count) }, () => rank));
      for (const { status, output } of ranks) expect(status, output).to.equal(0);
      expect(ranks[0]!.output).to.equal(expected);
    });
  }
});
