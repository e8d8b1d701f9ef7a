import { native } from '#lib/native.js';
import { writtenVersion } from '#lib/locate.js';
import { overload, dispatch } from '#lib/tensor/calls/dispatch.js';
import { ones, type AiforgeError, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

const lines = readFileSync('native/versions/schemas.txt', 'utf8').trimEnd().split('\n');
const linked = native.libtorchVersion();

/** What a thread of its own, whose operators have not been called, gives for a program. */
async function inThread(program: string): Promise<unknown> {
  const code = `
    const aiforge = require('./dist/lib/index.js');
    const { native } = require('./dist/lib/native.js');
    const refusal = (call) => {
      try { return { value: call() }; } catch ({ code, message }) { return { code, message }; }
    };
    require('node:worker_threads').parentPort.postMessage((() => { ${program} })());`;
  const worker = new Worker(code, { eval: true });
  const [message] = (await once(worker, 'message')) as [unknown];
  await worker.terminate();
  return message;
}

describe('schemas that the library was written for', () => {
  it('are recorded of every operator of the linked LibTorch, or of the one that it differs from', function () {
    if (linked !== writtenVersion) {
      console.log(`      skipped: the addon is linked with LibTorch ${linked}, and the record is of ${writtenVersion}`);
      return this.skip();
    }
    const now = native.operatorNames().map((name) => [name, native.schema(name).checksum] as const);
    const recorded = lines.map((line) => [line.slice(9), parseInt(line.slice(0, 8), 16)] as const);
    expect(new Map(recorded)).to.deep.equal(new Map(now));
  });

  it('are asked for where an operator is called as it was written, and not by its schema', async () => {
    const outcome = await inThread(`
      native.writtenFor('00000000 relu\\n00000000 max.dim\\n');
      const x = aiforge.ones(2);
      return {
        quick: refusal(() => x.relu()),
        matched: refusal(() => aiforge.max(aiforge.ones(2, 2), { dim: 0 })),
        other: x.max().item(),
        raw: aiforge.ops.aten('relu')(x).tolist(),
        again: refusal(() => x.relu()).code,
      };`);
    const { quick, matched, ...rest } = outcome as Record<string, AiforgeError>;
    expect(rest).to.deep.equal({ other: 1, raw: [1, 1], again: 'UNKNOWN_OPERATOR' });
    for (const [error, name, schema] of [
      [quick, 'relu', 'aten::relu(Tensor self) -> Tensor'],
      [matched, 'max.dim', 'aten::max.dim(Tensor self, int dim'],
    ] as const) {
      expect(error?.code).to.equal('UNKNOWN_OPERATOR');
      expect(error?.message).to.include(`LibTorch ${linked} has another form of '${name}'`);
      expect(error?.message).to.include(schema);
    }
  });

  it('may be of operators that the linked LibTorch does not have', async () => {
    const outcome = await inThread(`
      const { aten } = require('./dist/lib/tensor/calls/aten.js');
      const first = native.registerOperators(['no_such_operator']);
      const later = aten('no_such_form.Tensor');
      return [refusal(() => native.call(first, 1)), refusal(() => later(1))];`);
    for (const [i, name] of ['no_such_operator', 'no_such_form.Tensor'].entries()) {
      const error = (outcome as AiforgeError[])[i]!;
      expect(error.code).to.equal('UNKNOWN_OPERATOR');
      expect(error.message).to.include(`LibTorch ${linked} has no operator '${name}'`);
    }
  });

  it('may be of forms that it does not have: the others are called', () => {
    const first = native.registerOperators(['relu.absent', 'relu']);
    const forms = [overload(first, 'relu.absent'), overload(first + 1, 'relu')];
    expect((dispatch('relu', forms, [ones(2)]) as Tensor).tolist()).to.deep.equal([1, 1]);
    expect(() => dispatch('relu', forms, ['x'])).to.throw(`LibTorch ${linked} has no operator 'relu.absent'`);
  });
});
