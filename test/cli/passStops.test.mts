import { readFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { run, temporaryFolder } from '../support/project.mjs';

interface Said {
  runDirectory: string;
  status: string;
  interruptedBy?: string;
  sanity: number;
  statistics: number;
}

const script = path.resolve('test/cli/fixtures/passStops.mjs');

describe('two ranks, one of which is asked to stop', function () {
  this.timeout(60_000);
  const folder = temporaryFolder('pass-stops');

  async function launch(name: string, env: NodeJS.ProcessEnv = {}): Promise<Said[]> {
    const { status, stdout, stderr } = await run('aiforge-launch', ['--nproc', '2', '--no-prefix', script], path.join(folder, name), env); // prettier-ignore
    expect(status, stderr).to.equal(0);
    const said = stdout.split('\n').filter((line) => line.startsWith('{"runDirectory"'));
    expect(said).to.have.length(2);
    return said.map((line) => JSON.parse(line) as Said);
  }

  const filesOf = ([first]: Said[]) =>
    ['last.safetensors', 'best.safetensors'].map((name) =>
      readFileSync(path.join(first!.runDirectory, name)).toString('base64'),
    );

  let whole: Said[];
  before(async () => {
    whole = await launch('whole');
    for (const rank of whole) expect(rank.sanity, JSON.stringify(whole)).to.be.above(3);
    for (const rank of whole) expect(rank.statistics).to.be.above(5);
  });

  for (const [pass, at] of [
    ['sanity', 2],
    ['statistics', 3],
  ] as const) {
    it(`both end in the batch of the pass that is under way: ${pass}; and go on to the same bytes`, async () => {
      const cut = await launch(pass, { STOP_IN: pass, STOP_AT: String(at) });
      for (const rank of cut) {
        expect(rank).to.include({ status: 'interrupted', interruptedBy: 'SIGTERM' });
        // At the next batch that is asked for, which a busy machine may put off.
        expect(rank[pass]).to.be.within(at, at + 2);
      }
      const resumed = await launch(pass, { RESUME: cut[0]!.runDirectory });
      expect(resumed.map(({ status }) => status)).to.deep.equal(['finished', 'finished']);
      expect(filesOf(resumed)).to.deep.equal(filesOf(whole));
    });
  }
});
