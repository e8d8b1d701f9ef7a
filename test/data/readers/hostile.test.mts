import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

interface Found {
  outcomes: Record<string, Record<string, number>>;
  uncoded: string[];
  goneAstray: string[];
  maxRss: number;
}

describe('damaged files', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aiforge-hostile-'));
  after(() => rmSync(folder, { recursive: true }));

  it('of every kind give codes and take no memory, and what is read of them is the same from each position', () => {
    const script = fileURLToPath(new URL('fixtures/mutations.mjs', import.meta.url));
    const archives = ['stored', 'arrays'].map((name) => readFileSync(`test/fixtures/${name}.npz`).toString('base64'));
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder, '200', '7', ...archives], {
      encoding: 'utf8',
    });
    expect([status, stderr]).to.deep.equal([0, '']);
    const found = JSON.parse(stdout) as Found;
    expect(found.uncoded).to.deep.equal([]);
    expect(found.goneAstray).to.deep.equal([]);
    for (const [name, counts] of Object.entries(found.outcomes)) {
      const { FILE_INVALID = 0, INVALID_ARGUMENT = 0, read = 0 } = counts;
      expect(FILE_INVALID + INVALID_ARGUMENT + read, name).to.equal(200);
      // Of a typed table of JSON Lines each row that is bad is left out.
      if (name !== 'typed.jsonl') expect(FILE_INVALID, name).to.be.greaterThan(10);
      expect(read, name).to.be.greaterThan(0);
    }
    expect(found.maxRss).to.be.lessThan(1_000_000);
  }).timeout(60_000);
});
