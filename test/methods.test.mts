import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { Report } from './support/methodCalls.mjs';

describe('every public function and method', () => {
  let report: Report;

  before(function () {
    this.timeout(180_000);
    const program = fileURLToPath(new URL('support/methodCalls.mjs', import.meta.url));
    report = JSON.parse(execFileSync(process.execPath, [program], { encoding: 'utf8' })) as Report;
    expect(report.subjects).to.be.greaterThan(1800);
    expect(report.tried).to.be.greaterThan(1000);
  });

  const kinds = [
    'an odd object',
    'a symbol',
    'a promise',
    'a proxy',
    'null',
    'NaN',
    'a string',
    'an argument too many',
  ];
  for (const what of kinds) {
    it(`takes ${what} only where it has a use for it, and else throws an AiforgeError`, () => {
      expect(report.faults[what]).to.deep.equal([]);
    });
  }
});
