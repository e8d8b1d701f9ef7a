// Has pip unpack torch's wheel, which is LibTorch.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIBTORCH_VERSION } from '../locate/libtorch.cjs';
import { platform } from '../locate/platform.cjs';
import { outputOf } from './command.mjs';
import { ProvisionError } from './main.mjs';
import { installTorch } from './pip.mjs';

// Nothing of Python is used, so one wheel does for every Python, and its checksum is known.
const wheels = JSON.parse(readFileSync(new URL('wheels.json', import.meta.url), 'utf8'));

/** Throws ProvisionError where there is no pip. */
export function requirePip() {
  if (outputOf('python3', ['-m', 'pip', '--version'])) return;
  const missing = outputOf('python3', ['--version']) ? 'python3 has no pip' : 'there is no python3';
  throw new ProvisionError(
    `LibTorch ${LIBTORCH_VERSION} is not installed, and ${missing} to install it with. Either install python3 with pip ` +
      '(on Debian: apt-get install python3 python3-pip), or set LIBTORCH to an unpacked LibTorch or a site-packages/torch.',
    'LIBTORCH_NOT_FOUND',
  );
}

/** Unpacks torch's wheel of the flavour into a folder; throws ProvisionError. */
export async function unpackWheel(target, flavour) {
  // pip unpacks into the temporary folder first: keep that on the disk whose space was checked, and easy to clear.
  const scratch = join(target, '.scratch');
  mkdirSync(scratch, { recursive: true });
  const options = ['--no-compile', '--only-binary=:all:', '--target', target, ...wanted(flavour, scratch)];
  // What a user's configuration of pip says of installing for the user or into environments is not meant for this.
  const env = { ...process.env, TMPDIR: scratch, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' };
  const { status, tail } = await installTorch('python3', options, { flavour, option: '--index-url', env });
  rmSync(scratch, { recursive: true, force: true });
  if (status !== 0) throw failure(flavour, tail);
}

// The CPU wheel needs no other package. The CUDA one loads the nvidia-* wheels that its dependencies bring, from the
// folder next to torch/, and lack two folders of CUDA's headers that torch's own need, which have wheels of their own. `===`
// leaves out versions such as 2.13.0+cpu.
const CUDA_HEADERS = ['nvidia-cuda-crt==13.0.*', 'nvidia-cuda-cccl==13.0.*'];

function wanted(flavour, scratch) {
  if (flavour === 'cuda') return [`torch===${LIBTORCH_VERSION}`, ...CUDA_HEADERS];
  const { python, abi, platform: tag, sha256 } = cpuWheel();
  const requirements = join(scratch, 'requirements.txt');
  writeFileSync(requirements, `torch==${LIBTORCH_VERSION}+cpu --hash=sha256:${sha256}\n`);
  const wheel = ['--implementation', 'cp', '--python-version', python, '--abi', abi, '--platform', tag];
  return ['--no-deps', '--require-hashes', '--ignore-requires-python', ...wheel, '-r', requirements];
}

function cpuWheel() {
  const wheel = wheels[platform];
  if (wheel) return wheel;
  throw new ProvisionError(
    `no wheel of torch ${LIBTORCH_VERSION} is known for ${platform}. Set LIBTORCH to an unpacked LibTorch or a site-packages/torch.`,
    'LIBTORCH_NOT_FOUND',
  );
}

function failure(flavour, tail) {
  const wheel = `torch ${LIBTORCH_VERSION} (${flavour}) for ${platform}`;
  const mismatch = tail.some((line) => line.includes('DO NOT MATCH THE HASHES'));
  const remedy = mismatch
    ? 'It is not the wheel that PyTorch published. Find out where it comes from'
    : 'Check the network; AIFORGE_TORCH_INDEX names another index of wheels, and the configuration of pip holds as well. ' +
      'Then run the command again';
  const reason = tail.slice(-8).map((line) => `    ${line}`);
  return new ProvisionError(
    `pip could not install ${wheel}:\n${reason.join('\n')}\n${remedy}; ` +
      'or set LIBTORCH to an unpacked LibTorch or a site-packages/torch.',
    'LIBTORCH_NOT_FOUND',
  );
}
