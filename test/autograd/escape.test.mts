import { execFileSync } from 'node:child_process';
import path from 'node:path';

import { expect } from 'chai';

const script = path.resolve('build/test/autograd/everyOperator.mjs');

describe('every operator on tensors of transforms', () => {
  for (const where of ['after vmap', 'after grad', 'inside vmap', 'inside vmap of grad']) {
    it(`gives a result or an error ${where}`, function () {
      this.timeout(300_000);
      const output = execFileSync(process.execPath, [script, where], { encoding: 'utf8', stdio: 'pipe' });
      const [, called, refused] = /^(\d+) calls, (\d+) refused$/m.exec(output) ?? [];
      expect(Number(called)).to.be.greaterThan(4000);
      expect(Number(refused)).to.be.lessThan(Number(called));
    });
  }
});
