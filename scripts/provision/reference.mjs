import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { withLock } from './lock.mjs';
import { ProvisionError } from './main.mjs';
import { cacheFolder, readJson, writeJson } from './paths.mjs';
import { installTorch } from './pip.mjs';

// What the tests compare with: PyTorch, with what its operator database needs, and torchmetrics; a real MLflow server; TensorBoard's
// reader; transforms of images, sound and tables; readers of columns.
const PACKAGES = [
  ...['torch==2.13.0', 'numpy', 'expecttest', 'mlflow', 'torchmetrics==1.9.0', 'tensorboard==2.21.0'],
  ...['scikit-learn', 'pyarrow', 'pillow'],
];
// Beside the others, in a folder that only the scripts about transforms look into: where torchvision cannot load its own operators,
// which are for CUDA in some wheels, torchmetrics could not be imported.
const BESIDE = ['torchvision==0.28.0', 'torchaudio==2.11.1'];
const ALL = [...PACKAGES, ...BESIDE];

const folder = () => join(cacheFolder(), 'reference-2.13.0');
const stamp = () => join(folder(), 'stamp.json');

/** The Python of the reference environment, or null when it is not (completely) installed. */
export function referencePython() {
  const installed = readJson(stamp())?.packages;
  return String(installed) === String(ALL) ? join(folder(), 'bin', 'python') : null;
}

/** Installs the reference environment unless it is there; throws ProvisionError. */
export async function installReference() {
  if (referencePython()) return;
  await withLock(`${folder()}.lock`, async () => {
    if (referencePython()) return;
    console.log(`  installing the Python reference (${ALL.join(', ')}) into ${folder()}`);
    // A virtual environment holds its own path, so it is made in place and stamped last.
    rmSync(folder(), { recursive: true, force: true });
    mkdirSync(cacheFolder(), { recursive: true });
    const made = await run('python3', ['-m', 'venv', folder()], { onLine: () => {} });
    requireSuccess(made, 'Install python3-venv (on Debian: apt-get install python3-venv)');
    const packages = PACKAGES.map((name) => (name.startsWith('torch==') ? `${name}+cpu` : name));
    const options = { flavour: 'cpu', option: '--extra-index-url' };
    const outcome = await installTorch(join(folder(), 'bin', 'python'), ['--quiet', ...packages], options);
    requireSuccess(outcome, 'Check the network and the free space');
    const beside = ['--quiet', '--no-deps', '--target', join(folder(), 'transforms'), ...BESIDE];
    requireSuccess(
      await installTorch(join(folder(), 'bin', 'python'), beside, options),
      'Check the network and the free space',
    );
    writeJson(stamp(), { packages: ALL });
  });
}

function requireSuccess({ status, tail }, remedy) {
  if (status === 0) return;
  const reason = tail.slice(-8).map((line) => `    ${line}`);
  throw new ProvisionError(
    `the Python reference could not be installed:\n${reason.join('\n')}\n${remedy}, then run again.`,
  );
}
