import { expect } from 'chai';
import { spawnSync } from 'node:child_process';

describe('scripts/soak.mjs', () => {
  const soak = (...args: string[]) =>
    spawnSync(process.execPath, ['scripts/soak.mjs', ...args], {
      encoding: 'utf8',
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    });

  it('finds no growth over operations of every kind', () => {
    const { status, stdout, stderr } = soak('--operations', '30000', '--seed', '7');
    expect(stderr).to.equal('');
    expect(stdout).to.not.match(/GREW|time limit/);
    expect(stdout.match(/^ok /gm)).to.have.length(7);
    const counts = [...stdout.matchAll(/[a-zA-Z]+ (\d+)(?=[,\n])/g)].map(([, count]) => Number(count));
    expect(counts.length).to.be.greaterThan(12);
    expect(Math.min(...counts)).to.be.greaterThan(100);
    expect(status).to.equal(0);
  });

  it('refuses a count that is none', () => {
    const { status, stderr } = soak('--operations', 'many');
    expect(stderr).to.match(/--operations: got 'many', expected a whole number above 0/);
    expect(status).to.equal(1);
  });
});
