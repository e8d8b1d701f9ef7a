import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import * as aiforge from 'aiforge';
import { expect } from 'chai';

const script = path.resolve('scripts/operators/coverage.mjs');

describe('the summaries of operators', () => {
  it('are of functions or methods that there are', async () => {
    const { summarized } = (await import(path.resolve('scripts/operators/summaries.mjs'))) as { summarized: string[] };
    const names = new Set([...Object.keys(aiforge), ...Object.keys(aiforge.nn.functional)]);
    for (const name of Object.getOwnPropertyNames(aiforge.Tensor.prototype)) names.add(name);
    expect(summarized.length).to.be.greaterThan(100);
    expect(summarized.filter((name) => !names.has(name) && !names.has(`${name}_`))).to.deep.equal([]);
  });
});

describe('the coverage of operators', () => {
  it('is what docs/coverage.md says', () => {
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
    const text = readFileSync(path.resolve('docs/coverage.md'), 'utf8');
    expect(text).to.match(/`ops\.aten` resolves\s+\|\s+(\d+) \|\s+\1 \|/);
  });

  it('names no name as absent that is there under another spelling', () => {
    const text = readFileSync(path.resolve('docs/coverage.md'), 'utf8');
    const absent = [...text.split('## Absent from `torch.Tensor`')[1]!.matchAll(/`(\w+)`[,:]/g)].map(
      ([, name]) => name!,
    );
    expect(absent.length).to.be.greaterThan(10);
    const members = execFileSync(
      process.execPath,
      ['-p', `JSON.stringify(Object.getOwnPropertyNames(require('aiforge').Tensor.prototype))`],
      { encoding: 'utf8' },
    );

    const plain = new Set((JSON.parse(members) as string[]).map((name) => name.replaceAll('_', '').toLowerCase()));
    // `resize` is absent and `resize_` is there: a trailing underscore means another thing. `data` is there to refuse assignments.
    const inPlace = new Set(['resize', 'resize_as', 'set', 'data']);
    const doubtful = absent.filter((name) => plain.has(name.replaceAll('_', '').toLowerCase()) && !inPlace.has(name));
    expect(doubtful).to.deep.equal([]);
  });
});
