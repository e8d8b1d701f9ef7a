import { expect } from 'chai';

import { freePort, nodeRank, runCommands } from './ranks.mjs';

interface Outcome {
  code: string | null;
  message?: string;
}

describe('abort', function () {
  this.timeout(120_000);

  for (const worldSize of [2, 3]) {
    for (const debug of ['OFF', 'DETAIL']) {
      it(`ends what ${worldSize} ranks wait for, and all join again, TORCH_DISTRIBUTED_DEBUG=${debug}`, async () => {
        const env = { AGAIN_PORT: String(await freePort()), TORCH_DISTRIBUTED_DEBUG: debug };
        const ranks = await runCommands(Array.from({ length: worldSize }, () => nodeRank('abort.mjs', env)));
        for (const [rank, { status, results, output }] of ranks.entries()) {
          expect(status, output).to.equal(0);
          const result = results[0] as { failures: Outcome[]; tookMs: number; after: Outcome };
          expect(result, output).to.deep.include({
            first: [(worldSize * (worldSize + 1)) / 2],
            between: false,
            sum: [worldSize === 2 ? 11 : 111],
          });
          expect(result.tookMs, output).to.be.lessThan(10_000);
          for (const { code, message } of result.failures) {
            expect(code, output).to.equal('DISTRIBUTED_FAILED');
            expect(message).to.match(rank === 0 ? /aborted on this rank/ : /Another rank has ended, or aborted/);
          }
          expect(result.after).to.include({ code: 'DISTRIBUTED_FAILED' });
          expect(result.after.message).to.include('was aborted; call initProcessGroup()');
        }
      });
    }
  }
});
