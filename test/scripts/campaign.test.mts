import { spawnSync } from 'node:child_process';
import path from 'node:path';

import { expect } from 'chai';

describe('npm run campaign', () => {
  it('finds every run that was killed to end as one that was not', () => {
    const args = ['--kills', '24', '--seed', '11', '--seconds', '75', '--parallel', '2'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.resolve('scripts/campaign/run.mjs'), ...args], { encoding: 'utf8' }); // prettier-ignore
    const skipped = /^full disks: skipped.*$/m.exec(stdout)?.[0];
    if (skipped !== undefined) console.log(`      ${skipped}`);
    expect(status, stdout + stderr).to.equal(0);
    expect(stdout)
      .to.match(/^phase +/m)
      .and.to.match(/seed 11: [1-9]\d* kills in \d+ runs, 0 failures/);
  }).timeout(300_000);

  it('refuses a number that is none', () => {
    const args = ['--kills', 'many'];
    const { status, stderr } = spawnSync(process.execPath, [path.resolve('scripts/campaign/run.mjs'), ...args], { encoding: 'utf8' }); // prettier-ignore
    expect(status).to.equal(1);
    expect(stderr).to.include("--kills: got 'many', expected a whole number above 0");
  });
});
