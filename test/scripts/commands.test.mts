import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { expect } from 'chai';

describe('the commands of package.json', () => {
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: Record<string, string> };

  for (const name of Object.keys(bin)) {
    it(`npx ${name} works in a checkout`, () => {
      const { status, stdout, stderr } = spawnSync('npx', [name, '--help'], { encoding: 'utf8' });
      expect(status, stderr).to.equal(0);
      expect(stdout).to.include(`Usage: ${name}`);
    }).timeout(30_000);
  }
});
