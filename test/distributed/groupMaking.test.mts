import { expect } from 'chai';

import { nodeRank, runCommands, type Rank } from './ranks.mjs';

interface Ending {
  made?: number | null;
  code?: string;
  op?: string;
  message?: string;
}

async function run(worldSize: number, cases: string, env: NodeJS.ProcessEnv = {}): Promise<Rank[]> {
  return runCommands(Array.from({ length: worldSize }, () => nodeRank('making.mjs', { CASE: cases, ...env })));
}

const endingsOf = ({ results, output }: Rank): Ending[] => {
  expect(results, output).to.have.length(1);
  return results[0]!.results as Ending[];
};

describe('making groups of some ranks', function () {
  this.timeout(120_000);

  for (const [name, made] of [
    ['lateNew', [null, 1]],
    ['lateSubgroups', [1, 1]],
    ['lateEnumeration', [null, 1]],
    ['lateSplit', [null, 1]],
    ['lateMesh', [1, 1]],
  ] as const) {
    it(`${name}: the rank that serves the store does not end while another still connects`, async () => {
      const ranks = await run(2, name);
      for (const [rank, { status, output }] of ranks.entries()) {
        expect(status, output).to.equal(0);
        expect(endingsOf(ranks[rank]!), output).to.deep.equal([{ made: made[rank] }]);
      }
    });
  }

  it('rejects on every rank with what each asks for, and the group goes on', async () => {
    const ranks = await run(3, 'others othersInSplit newAndSplit');
    for (const rank of ranks) {
      expect(rank.status, rank.output).to.equal(0);
      const [others, split, both] = endingsOf(rank);
      const at = String.raw` at \S+making\.mjs:\d+:\d+`;
      expect(others).to.include({ code: 'DISTRIBUTED_FAILED', op: 'newGroup' });
      expect(others!.message).to.match(
        new RegExp(
          String.raw`^newGroup failed: the ranks do not do the same\. rank 0: newGroup\(\[0\]\)${at}; ` +
            String.raw`ranks 1 and 2: newGroup\(\[0, 1\]\)${at}\. All ranks`,
        ),
      );
      expect(split).to.include({ code: 'DISTRIBUTED_FAILED', op: 'splitGroup' });
      expect(split!.message).to.match(
        /rank 0: splitGroup\(\[\[0\], \[1\]\]\) at .*ranks 1 and 2: splitGroup\(\[\[0, 1\]\]\)/,
      );
      expect(both!.message).to.match(/rank 0: newSubgroups: newGroup\(\[0\]\) at .*ranks 1 and 2: splitGroup\(/);
    }
  });

  it('names at the timeout the ranks that have not come', async () => {
    const [first, last] = (await run(2, 'never')) as [Rank, Rank];
    const [ending] = endingsOf(first);
    expect(ending).to.include({ code: 'DISTRIBUTED_FAILED', op: 'newGroup' });
    expect(ending!.message).to.match(
      /timed out after 1000 ms\. rank 0: newGroup\(\[0\]\) at .*; rank 1 has not come to it\./,
    );
    expect(last.status, last.output).to.equal(0);
  });

  it('rejects when the process that serves the store has ended', async () => {
    const [, last] = (await run(2, 'serverEnds', { TIMEOUT_MS: '600000' })) as [Rank, Rank];
    const [ending] = endingsOf(last);
    expect(ending).to.include({ code: 'DISTRIBUTED_FAILED', op: 'newGroup' });
    expect(ending!.message).to.match(/connection to the store was lost[^]*Another rank has ended/);
  });

  it('rejects at the timeout where the process that serves the store is stopped', async () => {
    const [, last] = (await run(2, 'serverStops', { TIMEOUT_MS: '5000', GUARD_MS: '15000' })) as [Rank, Rank];
    const [ending] = endingsOf(last);
    expect(ending, last.output).to.include({ code: 'DISTRIBUTED_FAILED', op: 'newGroup' });
    expect(ending!.message).to.match(
      /timed out after 1500 ms\. rank 1: newGroup\(\[0, 1\]\) at .*The store did not answer: its process/,
    );
  });
});
