import { pathToFileURL } from 'node:url';

import { expect } from 'chai';
import { native } from '#lib/native.js';
import { guardedCalls, guardedInVmap } from './fixtures/guardedCalls.mjs';

interface Outcome {
  failure?: string;
  codes: string[];
  details: string[];
}

const { repeat } = (await import(pathToFileURL('scripts/fuzz/supervise.mjs').href)) as {
  repeat: (calls: unknown[]) => Promise<Outcome>;
};

/** Whether a row of the table speaks of an operator. */
function covers(operators: string, name: string): boolean {
  const base = name.replace(/\..*$/, '');
  return operators
    .split(' ')
    .some((pattern) =>
      pattern.endsWith('*') ? base.startsWith(pattern.slice(0, -1)) : [base, name].includes(pattern),
    );
}

const names = Object.keys(guardedCalls);

describe('guards', () => {
  it('are each tested by a call that LibTorch does not survive', () => {
    const untested = native.guards().filter(({ operators }) => !names.some((name) => covers(operators, name)));
    expect(untested).to.deep.equal([]);
  });

  it('name operators that exist', () => {
    const existing = native.operatorNames();
    for (const { operators } of native.guards()) {
      for (const pattern of operators.split(' ')) {
        const found = existing.some((name) => covers(pattern, name));
        expect(found, pattern).to.equal(true);
      }
    }
  });

  it('turn such calls into errors', async () => {
    const calls = names.map((name) => ({
      ...{ via: 'operator', way: 'call', name, args: guardedCalls[name] },
      ...(guardedInVmap.includes(name) && { inside: 'vmap', insideSeed: 1 }),
    }));
    const { failure, codes, details } = await repeat(calls);
    expect(failure, details.join('\n')).to.equal(undefined);
    const inner = /nnpack|_slow_conv|^mkldnn_rnn|^quantized_|_dyn_quant|^_stack/;
    const bySparse = /sparse_coo_tensor/;
    names.forEach((name, i) => {
      const own = inner.test(name) || bySparse.test(name) ? 'OPERATOR_FAILED' : 'INVALID_ARGUMENT';
      expect(`${name}: ${codes[i]}`).to.equal(`${name}: ${own}`);
    });
  });
});
