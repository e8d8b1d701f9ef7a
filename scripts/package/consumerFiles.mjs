const usage = `
const sum = tensor([1, 2, 3]).add(1).sum().item();
if (sum !== 9) throw new Error('the sum is ' + sum + ', not 9');
`;

const typescript = `import { type Tensor, tensor } from 'aiforge';
import { Linear } from 'aiforge/nn';
const output: Tensor = new Linear(3, 2).forward(tensor([1.5, 2, 3]));
const shape: readonly number[] = output.shape;
// @ts-expect-error: a shape is no string, so types have come along and are not any
const wrong: string = output.shape;
if (shape.join() !== '2') throw new Error('the shape is ' + wrong);
`;

const worker = `import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { tensor } from 'aiforge';
${usage}
if (isMainThread) {
  const sums = [1, 2].map(() => new Promise((resolve, reject) => {
    new Worker(new URL(import.meta.url)).on('message', resolve).on('error', reject);
  }));
  if (String(await Promise.all(sums)) !== '9,9') throw new Error('the workers have other sums');
} else {
  parentPort.postMessage(sum);
}
`;

const imports = (entries) => `import { createRequire } from 'node:module';
import { tensor } from 'aiforge';
${usage}
const require = createRequire(import.meta.url);
for (const entry of ${JSON.stringify(entries)}) {
  const [imported, required] = [await import(entry), require(entry)];
  const missing = Object.keys(required).filter((name) => imported[name] !== required[name]);
  if (missing.length > 0) throw new Error(entry + ': import and require differ in ' + missing.join(', '));
}
`;

const compilerOptions = {
  module: 'nodenext',
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable'],
  strict: true,
  types: ['node'],
};

/** The files of a project that uses aiforge in every way; `entries` are the package's entry points. */
export function consumerFiles(entries) {
  return {
    'package.json': JSON.stringify({ name: 'consumer', version: '1.0.0', private: true }),
    'tsconfig.json': JSON.stringify({ compilerOptions, include: ['use-types.*ts'] }),
    'use-types.mts': typescript,
    'use-types.cts': typescript,
    'use.cjs': `const { tensor } = require('aiforge');\n${usage}`,
    'use.mjs': imports(entries),
    'worker.mjs': worker,
  };
}
