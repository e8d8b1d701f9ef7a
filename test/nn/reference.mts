import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

import { fromTypedArray, type DType, type Tensor } from 'aiforge';
import { native } from '#lib/native.js';
import { expect } from 'chai';

/** A tensor as the reference scripts write it: `hex` holds its bytes. */
export interface Exact {
  shape: number[];
  dtype: DType;
  hex: string;
}

export const hexOf = (tensor: Tensor): string => {
  const data = tensor.detach().contiguous().toTypedArray();
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
};

export const exact = (tensor: Tensor): Exact => ({ shape: tensor.shape, dtype: tensor.dtype, hex: hexOf(tensor) });

const arrays = { float32: Float32Array, float64: Float64Array, int64: BigInt64Array, bool: Uint8Array };

export function fromExact({ shape, dtype, hex }: Exact): Tensor {
  const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
  const data = new arrays[dtype as keyof typeof arrays](bytes.buffer);
  return fromTypedArray(data, { shape, dtype });
}

export function expectExact(tensor: Tensor | null, expected: Exact | null, what: string): void {
  expect(tensor === null ? null : exact(tensor), what).to.deep.equal(expected);
}

/** `attn_mask` as an option is called here. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Options of Python under their names here; lists of options stay as they are. */
export const camelKeys = (options: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [camelCase(name), value]));

export const python = process.env.AIFORGE_REFERENCE_PYTHON;

/** The machine of a recording: by its vector instructions, or by its processor where matrix products count. */
interface Recorded {
  torch: string;
  cpu_capability?: string;
  cpu?: string;
}

/**
 * What PyTorch computed: by the Python of AIFORGE_REFERENCE_PYTHON now, else as recorded. Kernels round differently with
 * other instructions, so a recording serves only on machines like the one that it was made on; else undefined.
 */
export function reference<T>(name: string): (T & Recorded) | undefined {
  if (python !== undefined) {
    const command = [`test/reference/${name}.py`, '--json'];
    return JSON.parse(execFileSync(python, command, { encoding: 'utf8', maxBuffer: 1 << 28 })) as T & Recorded;
  }
  const document = JSON.parse(readFileSync(`test/fixtures/${name}.json`, 'utf8')) as T & Recorded;
  const here = {
    cpu_capability: /CPU capability usage: (\w+)/.exec(native.versions().config)?.[1],
    cpu: cpus()[0]?.model,
  };
  for (const mark of ['cpu_capability', 'cpu'] as const) {
    if (document[mark] === undefined || document[mark] === here[mark]) continue;
    console.log(
      `    skipped: ${name}.json was recorded on ${document[mark]}, this machine has ${here[mark] ?? 'something unknown'}`,
    );
    return undefined;
  }
  return document;
}

/** What a Python program prints as JSON, run by the Python of AIFORGE_REFERENCE_PYTHON. */
export function runPython<T>(program: string, input = ''): T {
  return JSON.parse(execFileSync(python!, ['-c', program], { encoding: 'utf8', input, maxBuffer: 1 << 28 })) as T;
}

/** What a section of a reference script prints now; undefined, with the reason printed, where there is no Python for it. */
export function section<T>(script: string, name: string): T | undefined {
  if (python === undefined) {
    console.log('    skipped: AIFORGE_REFERENCE_PYTHON is not set');
    return undefined;
  }
  const output = execFileSync(python, [`test/reference/${script}.py`, name], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return JSON.parse(output) as T;
}
