import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';

import { expect } from 'chai';

interface Frame {
  header: { name: string };
}

const load = async <T,>(name: string): Promise<T> =>
  import(pathToFileURL(path.resolve('scripts/parity', name)).href) as Promise<T>;

// All of them: `npm run test:parity:optim`.
const EVERY = 13;

describe("PyTorch's optimizer database", () => {
  it(`gives the same bits as in Python over 32 steps, every ${EVERY}th case`, async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON is not set; run `npm test -- --reference`');
      this.skip();
    }
    const { readFrames } = await load<{ readFrames: (stream: Readable) => AsyncIterable<Frame> }>('frames.mjs');
    const { check } = await load<{ check: (frame: Frame) => { problem: string | null; tensors: number } }>(
      'optimizerCases.mjs',
    );
    const { differentOptimizers } = await load<{ differentOptimizers: Map<string, string> }>('optimizerLists.mjs');
    const script = path.resolve('scripts/parity/optimizers.py');
    const env = { ...process.env, OMP_NUM_THREADS: '1' };
    const child = spawn(python, [script, String(EVERY)], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], env });
    const problems: string[] = [];
    let tensors = 0;
    for await (const frame of readFrames(child.stdio[3] as Readable)) {
      const { name } = frame.header;
      const result = check(frame);
      tensors += result.tensors;
      if (result.problem !== null && !differentOptimizers.has(name)) problems.push(`${name}: ${result.problem}`);
    }
    expect(problems).to.deep.equal([]);
    expect(tensors).to.be.above(1000);
  });
});
