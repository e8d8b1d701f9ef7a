import { spawnSync } from 'node:child_process';

import { autograd, func, grad, ones, type Tensor } from 'aiforge';
import { expect } from 'chai';

const refusal = async (run: () => unknown): Promise<[unknown, string]> => {
  try {
    await run();
  } catch (error) {
    const { code, message } = error as { code: unknown; message: string };
    return [code, message];
  }
  return [null, ''];
};

describe('what a backward pass is given', () => {
  const x = ones([3], { requiresGrad: true });
  const passes: Record<string, (gradient: Tensor) => unknown> = {
    backward: (gradient) => x.mul(2).backward({ gradient }),
    backwardAsync: (gradient) => x.mul(2).backwardAsync({ gradient }),
    'autograd.backward': (gradient) => autograd.backward(x.mul(2), gradient),
    'autograd.backwardAsync': (gradient) => autograd.backwardAsync([x.mul(2)], [gradient]),
    grad: (gradient) => grad(x.mul(2), x, { gradOutputs: [gradient] }),
    'grad of one': (gradient) => grad(x.mul(2), x, { gradOutputs: gradient }),
    'func.vjp': (gradient) => func.vjp((input: Tensor) => input.mul(2), [x])[1](gradient),
  };

  for (const [name, pass] of Object.entries(passes)) {
    it(`${name} takes a gradient of the output's shape only, complex or real as the output is`, async () => {
      for (const shape of [[2, 3], [1, 3], [1]]) {
        const [code, message] = await refusal(() => pass(ones(shape)));
        expect(code).to.equal('INVALID_ARGUMENT');
        expect(message).to.contain(`shape of that output, [3], got [${shape.join(', ')}]`);
      }
      const [code, message] = await refusal(() => pass(ones([3], { dtype: 'complex64' })));
      expect([code, message.includes('float32, got complex64')]).to.deep.equal(['INVALID_ARGUMENT', true]);
      expect(await refusal(() => pass(ones([3])))).to.deep.equal([null, '']);
    });
  }

  it('has a gradient or null for each output', async () => {
    const [code, message] = await refusal(() => grad(x.sum(), x, { gradOutputs: [] }));
    expect([code, message.includes('got 0 for 1')]).to.deep.equal(['INVALID_ARGUMENT', true]);
  });

  it('has at least one input', async () => {
    for (const pass of [
      () => x.sum().backward({ inputs: [] }),
      () => x.sum().backwardAsync({ inputs: [] }),
      () => autograd.backward(x.sum(), null, { inputs: [] }),
      () => grad(x.sum(), []),
      () => autograd.functional.jacobian(() => x.sum(), []),
    ]) {
      const [code, message] = await refusal(pass);
      expect([code, message.includes('at least one input')]).to.deep.equal(['INVALID_ARGUMENT', true]);
    }
  });

  it('is told once that createGraph leaves cycles', () => {
    const program = `const { ones } = require('aiforge');
      const x = ones([1], { requiresGrad: true });
      for (let i = 0; i < 2; ++i) x.mul(x).backward({ createGraph: true });`;
    const env = { ...process.env, LOG_LEVEL: 'warn' };
    const { stderr, status } = spawnSync(process.execPath, ['-e', program], { env, encoding: 'utf8' });
    expect([status, stderr.match(/createGraph ties each parameter to its gradient/g)?.length]).to.deep.equal([0, 1]);
  });
});
