// The same tests for every test runner: only how a file gets at the library and at `expect` differs.

const leavesNoGrad = `
it('computes without gradients, as the last thing in this file', () => {
  noGrad(() => expect(ones([1], { requiresGrad: true }).mul(2).requiresGrad).toBe(false));
});
`;

const trains = `
it('computes gradients after a file that ended in noGrad', () => {
  const weights = ones([2], { requiresGrad: true });
  weights.mul(3).sum().backward();
  expect(weights.grad.tolist()).toEqual([3, 3]);
  expect(weights.shape).toStrictEqual([2]);
});

it('compares tensors by content', () => {
  expect(ones([2])).toEqual(ones([2]));
  expect({ list: [tensor(1.5)] }).toStrictEqual({ list: [tensor(1.5)] });
  for (const other of [zeros([2]), ones([3]), ones([2], { dtype: 'float64' }), 1]) {
    expect(ones([2])).not.toEqual(other);
    expect([ones([2])]).not.toEqual([other]);
  }
  expect(() => expect(ones([2])).toEqual(ones([3]))).toThrow();
});

it('has matchers for tensors', () => {
  expect(tensor([0.1]).add(0.2)).toBeCloseToTensor([0.3]);
  expect(tensor([1, 2])).toEqualTensor(tensor([1, 2]));
  expect(tensor([1, 2])).not.toEqualTensor(tensor([1, 3]));
  expect(() => expect(tensor([1.5])).toBeCloseToTensor([2.5])).toThrow(/Mismatched elements: 1 \\/ 1/);
});

it('throws errors of the class that this file imports', () => {
  expect(() => ones([2, 3]).matmul(ones([2, 3]))).toThrow(AiforgeError);
  expect(() => structuredClone(ones([1]))).toThrow(/share\\(\\)/);
});

it('takes what this realm makes', () => {
  expect(fromBuffer(new Float32Array([1, 2]).buffer, { dtype: 'float32' })).toEqualTensor([1, 2]);
  expect(new nn.Linear(1, 1).loadStateDict(new Map(Object.entries(new nn.Linear(1, 1).stateDict()))).missingKeys).toEqual([]);
});

it('has snapshots with elements', () => {
  expect({ output: tensor([[1, 2], [3, 4.5]]) }).toMatchSnapshot();
});
`;

const names = 'AiforgeError, fromBuffer, nn, noGrad, ones, tensor, zeros';
const required = `const { ${names} } = require('aiforge');\n`;
const imported = `import { expect, it } from 'vitest';\nimport { ${names} } from 'aiforge';\n`;

const forNode = `import assert from 'node:assert/strict';
import { it } from 'node:test';
import { noGrad, ones, tensor, zeros } from 'aiforge';
import { assertClose, assertEqual } from 'aiforge/testing';

it('compares tensors', () => {
  noGrad(() => ones([1]));
  const weights = ones([2], { requiresGrad: true });
  weights.mul(3).sum().backward();
  assertEqual(weights.grad, tensor([3, 3], { dtype: 'float32' }));
  assertClose(tensor([0.1]).add(0.2), tensor([0.3]));
  assert.deepEqual([ones([2])], [ones([2])]);
  assert.notDeepEqual(ones([2]), zeros([2]));
  assert.throws(() => assert.deepEqual(ones([2]), zeros([3])), assert.AssertionError);
  assert.throws(() => assertEqual(ones([2]), zeros([2])), /Mismatched elements/);
});
`;

const types = `import { expect } from 'vitest';
import { ones } from 'aiforge';
import { extendExpect, type TensorMatchers } from 'aiforge/testing';
declare module 'vitest' {
  interface Matchers<T = any> extends TensorMatchers<T> {}
}
extendExpect(expect);
expect(ones([1])).toBeCloseToTensor([1], { rtol: 0, atol: 1e-3 });
expect(ones([1])).not.toEqualTensor(ones([2]));
// @ts-expect-error: a string is no tensor, so the matchers are typed
expect(ones([1])).toEqualTensor('x');
`;

const compilerOptions = {
  module: 'nodenext',
  target: 'es2022',
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  types: [],
};

const forBundle = `import { nn, ones } from 'aiforge';
const weights = ones([2], { requiresGrad: true });
weights.mul(3).sum().backward();
console.log(String(weights.grad.tolist()), new nn.Linear(2, 1).forward(ones([2])).shape.join());
`;

export const POOLS = ['forks', 'threads', 'vmForks', 'vmThreads'];

/** The files of a project whose tests use aiforge in jest, vitest and node:test, and that bundles it. */
export const runnerFiles = {
  'jest.config.cjs': `module.exports = {
  testMatch: ['<rootDir>/jest/*.test.cjs'],
  testSequencer: '<rootDir>/jest/sequencer.cjs',
  setupFilesAfterEnv: ['<rootDir>/jest/setup.cjs'],
};
`,
  // By name: what the first file leaves is there for the second.
  'jest/sequencer.cjs': `const Sequencer = require('@jest/test-sequencer').default;
module.exports = class extends Sequencer {
  sort = (tests) => [...tests].sort((a, b) => (a.path < b.path ? -1 : 1));
};
`,
  'jest/setup.cjs': "require('aiforge/testing').extendExpect(expect);\n",
  'jest/a.test.cjs': required + leavesNoGrad,
  'jest/b.test.cjs': required + trains,
  'vitest.config.mjs': `import { BaseSequencer } from 'vitest/node';
const sequencer = class extends BaseSequencer {
  sort = (files) => [...files].sort((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
};
export default {
  test: { include: ['vitest/*.test.mjs'], setupFiles: ['vitest/setup.mjs'], maxWorkers: 1, sequence: { sequencer } },
};
`,
  'vitest/setup.mjs': `import { expect } from 'vitest';
import { extendExpect } from 'aiforge/testing';
extendExpect(expect);
`,
  'vitest/a.test.mjs': imported + leavesNoGrad,
  'vitest/b.test.mjs': imported + trains,
  'node/a.test.mjs': forNode,
  'types.mts': types,
  'tsconfig.json': JSON.stringify({ compilerOptions, files: ['types.mts'] }),
  'bundle/use.mjs': forBundle,
  'webpack.config.cjs': `module.exports = {
  mode: 'development',
  target: 'node',
  entry: './bundle/use.mjs',
  externals: { aiforge: 'commonjs aiforge' },
  output: { path: __dirname + '/bundle/out', filename: 'webpack.cjs' },
};
`,
};
