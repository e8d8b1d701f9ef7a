import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { runInThisContext } from 'node:vm';
import * as aiforge from '#lib/tensor/index.js';
import { collectGarbage } from '../support/garbage.mjs';

const { cases } = JSON.parse(readFileSync('test/fixtures/printing.json', 'utf8')) as {
  cases: Record<string, { code: string; text: string }>;
};

describe('printing', () => {
  const { tensor, zeros, arange } = aiforge;
  for (const [name, { code, text }] of Object.entries(cases)) {
    it(`prints as PyTorch: ${name}`, () => {
      const make = runInThisContext(`(tensor, zeros, arange) => ${code}`) as (...f: unknown[]) => aiforge.Tensor;
      const made = make(tensor, zeros, arange);
      expect(made.toString()).to.equal(text);
      expect(inspect(made)).to.equal(text);
    });
  }

  it('prints a disposed tensor instead of throwing', () => {
    const gone = zeros([2]);
    gone.dispose();
    expect(String(gone)).to.equal('tensor(<disposed>)');
  });

  it('leaves no tensor behind', () => {
    const big = arange(5000).view(10, 500);
    collectGarbage();
    const before = aiforge.memory.stats().tensors;
    void String(big);
    expect(aiforge.memory.stats().tensors).to.be.at.most(before);
  });
});
