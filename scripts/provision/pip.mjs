import { run } from './command.mjs';

// PyTorch's own index of the wheels without CUDA. The general index has the CUDA build under torch's plain version, with
// gigabytes of dependencies.
const CPU_INDEX = 'https://download.pytorch.org/whl/cpu';

/**
 * Has pip install `args`, torch's wheel among them, and resolves to the outcome of `run`. It asks the index that
 * AIFORGE_TORCH_INDEX names, or those of pip's own configuration and then, for the CPU flavour, PyTorch's. `option` says
 * whether such an index stands alone (`--index-url`) or beside the configured ones (`--extra-index-url`).
 */
export async function installTorch(python, args, { flavour, option, env = process.env }) {
  let outcome;
  for (const index of indexes(flavour)) {
    if (index) console.log(`  trying ${index}`);
    const command = ['-m', 'pip', 'install', ...args, ...(index ? [option, index] : [])];
    outcome = await run(python, command, { onLine: () => {}, env });
    if (outcome.status === 0 || !outcome.tail.some((line) => line.includes('No matching distribution'))) break;
  }
  return outcome;
}

function indexes(flavour) {
  const named = process.env.AIFORGE_TORCH_INDEX;
  if (named) return [named];
  return flavour === 'cpu' ? [null, CPU_INDEX] : [null];
}
