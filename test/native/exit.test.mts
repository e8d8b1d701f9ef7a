import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { temporaryFolder } from '../support/project.mjs';

const end = (source: string, env: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, ['-e', `const { ones } = require('aiforge'); ones([1]); ${source}`], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 26,
  });

describe('the end of a process', () => {
  it('does not take LibTorch apart', () => {
    const { status, stderr } = end('', { LD_DEBUG: 'files' });
    expect(status).to.equal(0);
    expect(stderr).to.match(/calling init: .*libtorch_cpu\.so/);
    expect(stderr).not.to.match(/calling fini: .*libtorch_cpu\.so/);
  });

  it('keeps its status', () => {
    expect(end('process.exitCode = 3').status).to.equal(3);
    expect(end('process.exit(4)').status).to.equal(4);
    expect(end('process.on("exit", () => process.exit(5))').status).to.equal(5);
    expect(end('throw new Error("x")').status).to.equal(1);
    expect(end('process.kill(process.pid, "SIGTERM")').signal).to.equal('SIGTERM');
  });

  it('loses nothing that was written', () => {
    const { stdout } = end('console.log("x".repeat(1e6)); console.log("the end")');
    expect(stdout.length).to.equal(1e6 + 9);
    const folder = temporaryFolder('coverage');
    expect(end('', { NODE_V8_COVERAGE: folder }).status).to.equal(0);
    expect(readdirSync(folder)).to.have.length(1);
  });

  it('comes as well when only a worker had loaded the library', () => {
    const source = `const { Worker } = require('node:worker_threads');
      new Worker("require('aiforge').ones([1])", { eval: true }).on('exit', (code) => (process.exitCode = code + 6));`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', source], { encoding: 'utf8' });
    expect(stderr).to.equal('');
    expect(status).to.equal(6);
  });
});
