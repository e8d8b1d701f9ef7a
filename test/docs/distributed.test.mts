import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { DocumentedProject } from './project.mjs';

/** Every snippet of docs/distributed.md, in a project of its own: run as written. */
describe('docs/distributed.md', () => {
  const page = path.resolve('docs/distributed.md');
  const project = new DocumentedProject(page, 'distributed');
  before(() => {
    project.enter();
    // Scripts import the library by its name, as a user's do.
    mkdirSync('node_modules');
    symlinkSync(project.root, path.join('node_modules', 'aiforge'), 'dir');
  });
  after(() => project.leave());

  /** What each of the commands prints, of both ranks. */
  const printed: [command: string, texts: RegExp[]][] = [
    [
      'aiforge-launch --nproc 2 collectives.mjs',
      [
        /\{"rank":0,"lists":\[\[3,20\],\[7\],\[1\],\[0,10\]\],"all":2,"onLast":null\}/,
        /\{"rank":1,"lists":\[\[3,20\],\[7\],\[2\],\[1,11\]\],"all":2,"onLast":2\}/,
      ],
    ],
    [
      'aiforge-launch --nproc 2 objects.mjs',
      [
        /\{"rank":0,"seed":7,"ranks":\[0,1\]\}/,
        /\{"rank":1,"seed":7,"ranks":\[0,1\]\}/,
        /\{"rank":0,"code":"INVALID_ARGUMENT"\}/,
        /\{"rank":1,"code":"DISTRIBUTED_FAILED"\}/,
      ],
    ],
    [
      'aiforge-launch --nproc 2 disagree.mjs',
      [
        /DISTRIBUTED_FAILED allReduce allReduce failed: the ranks do not do the same in collective 1 of the group\. rank 0: allReduce\(sum\) of float32\[3\] at disagree\.mjs:6:25; rank 1: broadcast of float32\[3\] from rank 0 at disagree\.mjs:7:14\./,
        /DISTRIBUTED_FAILED broadcast broadcast failed: /,
      ],
    ],
  ];

  it('has these commands', () => {
    expect(project.commands).to.include.members(printed.map(([command]) => `npx ${command}`));
  });
  for (const [command, texts] of printed) {
    it(command, () => {
      const output = project.run(`npx ${command}`);
      for (const text of texts) expect(output).to.match(text);
    }).timeout(60_000);
  }

  it('links to files that exist', () => {
    for (const [, target] of readFileSync(page, 'utf8').matchAll(/\]\(((?!http)[^)#]+)[)#]/g))
      expect(existsSync(path.join(path.dirname(page), target!)), target).to.equal(true);
  });
});
