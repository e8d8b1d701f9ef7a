import { expect } from 'chai';

import { nodeRank, runCommands } from './ranks.mjs';

async function train(env: NodeJS.ProcessEnv): Promise<Record<string, unknown>[]> {
  const rank = nodeRank('async-steps.mjs', env, ['--expose-gc']);
  const ranks = await runCommands([rank, rank]);
  for (const { status, output } of ranks) expect(status, output).to.equal(0);
  return ranks.map(({ results }) => results[0]!);
}

describe('DistributedDataParallel beside the event loop', function () {
  this.timeout(120_000);

  let late: Record<string, unknown>[];

  before(async () => {
    late = await train({ HOW: 'async', LATE_MS: '2000' });
  });

  it('gives the bits of the forms that wait', async () => {
    const waiting = await train({ HOW: 'sync' });
    const what = ({ trained, weights }: Record<string, unknown>) => ({ trained, weights });
    expect(late.map(what)).to.deep.equal(waiting.map(what));
  });

  for (const method of ['forward', 'backward', 'shareBuffers', 'averageGradients', 'agree']) {
    it(`has timers fire while ${method}Async waits for a rank that is late`, () => {
      expect(late.map((each) => each[method])).to.deep.equal([true, true]);
    });
  }

  it('tells whether ranks agree', () => {
    expect(late.map(({ agreed, disagreed }) => [agreed, disagreed])).to.deep.equal([
      [true, false],
      [true, false],
    ]);
  });

  it('refuses what would meet the pass that runs', () => {
    const meanwhile = late[1]!.meanwhile as Record<string, string>;
    for (const what of ['grad', 'zeroGrad', 'step']) {
      expect(meanwhile[what], what).to.match(/the gradient of '0\.weight' is averaged .* await its promise first/);
    }
    expect(meanwhile.forward).to.match(/cannot begin another forward pass .* await its promise first/);
    expect(meanwhile.again).to.match(/still runs beside this one; await the promise/);
    // The pass of another model meets nothing.
    expect(late[1]!.other).to.deep.equal([4]);
    expect(late[0]!.twice).to.deep.equal([
      null,
      'DistributedDataParallel.forwardAsync: forwardAsync() still waits for the other ranks; await its promise first.',
    ]);
  });

  it('refuses what would meet it in the same group', () => {
    const [backward, forward, shareBuffers, backwardAsync] = late[1]!.refused as string[];
    for (const message of [backward, forward, backwardAsync]) {
      expect(message).to.match(/still averages the gradients of 'weight' over this process group.*await its promise/);
    }
    // There is nothing to share.
    expect(shareBuffers).to.equal(null);
  });
});
