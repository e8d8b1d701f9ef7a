import { findAddon } from '#lib/locate.js';
import { cuda } from 'aiforge';
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';

const program = "require('./dist/lib/cli/doctor.js').doctor().then((status) => process.exit(status))";

function runDoctor(changes: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, NO_COLOR: '1', ...changes };
  return spawnSync(process.execPath, ['-e', program], { env, encoding: 'utf8' });
}

// The CUDA flavour is of no use without a GPU, and doctor says so.
const lacksGpu = findAddon().libtorch?.flavour === 'cuda' && !cuda.isAvailable();
const noDevice = /✗ CUDA {10}no device\n {4}install NVIDIA's driver and check that nvidia-smi lists a GPU\n/;

describe('aiforge doctor', () => {
  it('reports what this machine has', () => {
    const { status, stdout, stderr } = runDoctor();
    expect(stderr).to.equal('');
    expect(stdout).to.include(`✓ node          ${process.versions.node}`);
    expect(stdout).to.match(/^✓ LibTorch {6}2\.1[1-4]\.\d, c/m);
    expect(stdout).to.match(/^✓ addon {9}compiled here, for LibTorch 2\..* loads in \d/m);
    if (lacksGpu) expect(stdout).to.match(noDevice);
    expect(stdout.replace(noDevice, '')).not.to.include('✗');
    expect(status).to.equal(lacksGpu ? 1 : 0);
  });

  it('marks what is wrong, says what to do, and fails', () => {
    const { status, stdout } = runDoctor({ LIBTORCH: '/nonexistent/libtorch' });
    expect(stdout).to.match(
      /^✗ LibTorch {6}not usable\n {4}LIBTORCH=\/nonexistent\/libtorch is not a usable LibTorch/m,
    );
    expect(status).to.equal(1);
  });

  it('says where the addon and AIFORGE_FLAVOUR differ', () => {
    const flavour = findAddon().libtorch?.flavour === 'cuda' ? 'cpu' : 'cuda';
    const { status, stdout } = runDoctor({ AIFORGE_FLAVOUR: flavour });
    expect(stdout).to.match(/✗ addon {9}none\n {4}The addon that was compiled here is of the c\w+ flavour/);
    expect(stdout).to.include(`Run: AIFORGE_FLAVOUR=${flavour} node `);
    expect(status).to.equal(1);
  });

  it('names a wrong number of threads, and asks for no build because of it', () => {
    const { status, stdout } = runDoctor({ AIFORGE_NUM_THREADS: 'all' });
    expect(stdout).to.match(
      /^✗ addon .* does not load\n {4}AIFORGE_NUM_THREADS: got 'all', expected a whole number.*\.\n$/m,
    );
    expect(status).to.equal(1);
  });

  it('does not ask for build tools while the addon works', () => {
    const { status, stdout } = runDoctor({ PATH: '' });
    expect(stdout).to.match(/^- cmake {9}not found \(needed only/m);
    expect(status).to.equal(lacksGpu ? 1 : 0);
  });
});
