import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const { guardsPage } = (await import(pathToFileURL('scripts/fuzz/document-guards.mjs').href)) as {
  guardsPage: () => string;
};

describe('docs/guards.md', () => {
  it('says what the table of guards says', () => {
    expect(readFileSync('docs/guards.md', 'utf8')).to.equal(guardsPage());
  });
});
