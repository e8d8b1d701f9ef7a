import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { ops } from 'aiforge';
import { expect } from 'chai';

describe('README.md', () => {
  const text = readFileSync('README.md', 'utf8');

  it('has an example that runs and does what it says', () => {
    const code = /```js\n([\s\S]*?)```/.exec(text)![1]!;
    mkdirSync('build/examples', { recursive: true });
    const file = path.resolve('build/examples/readme.mjs');
    writeFileSync(file, code);
    const printed = execFileSync(process.execPath, [file], {
      encoding: 'utf8',
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    });
    expect(printed.trim().split('\n').at(-1)).to.equal('[ 1, 0 ]');
  });

  it('counts the operators right', () => {
    const [, count] = /all ([\d,]+) `aten::` schemas/.exec(text)!;
    expect(ops.schemas()).to.have.length(Number(count!.replaceAll(',', '')));
  });

  it('links to files that exist', () => {
    for (const [, target] of text.matchAll(/\]\(((?!http)[^)#]+)\)/g))
      expect(() => readFileSync(target!), target).not.to.throw();
  });
});
