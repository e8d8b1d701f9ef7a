import { expect } from 'chai';
import { readFileSync } from 'node:fs';

// By its address, since a script has no types.
const file = new URL('../../../scripts/fuzz/document-guards.mjs', import.meta.url).href;
const { guardsPage } = (await import(file)) as {
  guardsPage: () => string;
};

describe('docs/guards.md', () => {
  it('says what the table of guards says', () => {
    expect(readFileSync('docs/guards.md', 'utf8')).to.equal(guardsPage());
  });
});
