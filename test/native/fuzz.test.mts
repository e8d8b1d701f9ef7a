import { expect } from 'chai';
import { spawnSync } from 'node:child_process';

interface Run {
  status: number | null;
  stdout: string;
}

function fuzz(...args: string[]): Run {
  const { status, stdout } = spawnSync(process.execPath, ['scripts/fuzz/run.mjs', ...args], { encoding: 'utf8' });
  return { status, stdout };
}

describe('npm run fuzz', () => {
  it('finds nothing in 3,000 targets', () => {
    const { status, stdout } = fuzz('--seconds', '400', '--to', '3000', '--seed', '20260101');
    expect(status, stdout).to.equal(0);
    expect(Number(/^(\d+) calls of/m.exec(stdout)?.[1])).to.be.greaterThan(33_000);
    expect(stdout).to.match(/^OK \d+|, OK \d+/m);
  }).timeout(420_000);

  it('reports a call that ends the process, and one that throws something foreign', () => {
    const ends = fuzz('--repro', '{"via":"fuzzer","name":"abort","way":"call","args":[]}');
    expect(ends.stdout).to.contain('SIGABRT');
    expect(ends.status).to.equal(1);
    const throws = fuzz('--repro', '{"via":"fuzzer","name":"throw","way":"call","args":[]}');
    expect(throws.stdout).to.contain('foreign exception');
    expect(throws.status).to.equal(1);
  });

  it('repeats a call that is refused, or taken', () => {
    const call = (name: string, args: unknown[]) => JSON.stringify({ via: 'operator', name, way: 'call', args });
    const x = { k: 'tensor', dtype: 'float32', shape: [2] };
    expect(fuzz('--repro', call('abs', [x]))).to.deep.equal({ status: 0, stdout: 'ended with OK\n' });
    expect(fuzz('--repro', call('abs', [{ k: 'str', v: 'x' }])).stdout).to.equal('ended with INVALID_ARGUMENT\n');
  });
});
