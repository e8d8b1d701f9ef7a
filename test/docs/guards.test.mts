import { expect } from 'chai';
import { readFileSync } from 'node:fs';

const { guardsPage } = (await import('../../../scripts/fuzz/document-guards.mjs')) as {
  guardsPage: () => string;
};

describe('docs/guards.md', () => {
  it('says what the table of guards says', () => {
    expect(readFileSync('docs/guards.md', 'utf8')).to.equal(guardsPage());
  });
});
