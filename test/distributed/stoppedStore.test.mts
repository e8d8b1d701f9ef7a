import { expect } from 'chai';

import { nodeRank, runCommands } from './ranks.mjs';

interface Ending {
  code: string;
  message: string;
}

describe('a store whose process is stopped', function () {
  this.timeout(60_000);

  it('has every call of a client reject at its timeout, and the process of the client end', async () => {
    const [rank] = await runCommands([nodeRank('stoppedStore.mjs', { GUARD_MS: '30000' })]);
    const { status, results, output } = rank!;
    expect(status, output).to.equal(0);
    const endings = results[0] as unknown as Record<string, Ending>;
    const silent = 'The store did not answer: its process, that of rank 0 unless a launcher serves it, may be stopped.';
    for (const [name, told] of [
      ['get', `store.get failed: timed out after 1000 ms. ${silent}`],
      ['add', `store.add failed: timed out after 1000 ms. ${silent}`],
      ['wait', `store.wait failed: timed out after 1500 ms. ${silent}`],
    ] as const) {
      expect(endings[name], output).to.deep.equal({ code: 'DISTRIBUTED_FAILED', message: told });
    }
    expect(endings.create!.message, output).to.match(
      /^The TCPStore failed: timed out after 1000 ms: no store has answered at 127\.0\.0\.1:\d+\. .*is stopped/,
    );
  });

  it('has DistributedDataParallel.create reject at the timeout', async () => {
    const ranks = await runCommands(
      Array.from({ length: 2 }, () =>
        nodeRank('making.mjs', { CASE: 'serverStopsWrap', TIMEOUT_MS: '6000', GUARD_MS: '18000' }),
      ),
    );
    const [ending] = ranks[1]!.results[0]!.results as Ending[];
    expect(ending!.code, ranks[1]!.output).to.equal('DISTRIBUTED_FAILED');
    expect(ending!.message).to.match(/timed out after 6000 ms\. The store did not answer/);
  });
});
