import { nn } from 'aiforge';
import { DistributedDataParallel } from 'aiforge/distributed';
import { expect } from 'chai';

import { refusalOf } from '../support/refusal.mjs';
import { nodeRank, runCommands, type Rank } from './ranks.mjs';

interface Trained {
  losses: number[];
  gradients: number[][];
  frozen: number[];
  calls: number;
  weights: string;
}

function trained({ status, results, output }: Rank): Trained {
  expect(status, output).to.equal(0);
  return results[0] as unknown as Trained;
}

async function train(worldSize: number, variant: string): Promise<Trained[]> {
  const rank = nodeRank('train.mjs', { VARIANT: variant });
  return (await runCommands(Array.from({ length: worldSize }, () => rank))).map(trained);
}

function expectClose(actual: number[], expected: number[], what: string): void {
  expect(actual).to.have.lengthOf(expected.length);
  actual.forEach((value, i) => {
    const scale = Math.max(1, Math.abs(expected[i]!));
    expect(Math.abs(value - expected[i]!) / scale, `${what}[${i}]`).to.be.lessThan(1e-6);
  });
}

describe('DistributedDataParallel', function () {
  this.timeout(120_000);

  it('says how it is made where it is called as Python’s is', () => {
    const layer = new nn.Linear(2, 2);
    for (const args of [[layer], [layer, {}], [layer, undefined, {}], [layer, {}, {}, {}]]) {
      const error = refusalOf(() => Reflect.construct(DistributedDataParallel as never, args));
      expect(error.message).to.include('write await DistributedDataParallel.create(module, options)');
    }
  });

  for (const variant of ['plain', 'views', 'unused', 'accumulates', 'static', 'hook', 'beside']) {
    it(`trains on two half batches as on the whole one: ${variant}`, async () => {
      const [alone] = await train(1, variant);
      const [first, second] = await train(2, variant);
      expectClose(first!.losses, alone!.losses, 'losses');
      first!.gradients.forEach((gradient, step) =>
        expectClose(gradient, alone!.gradients[step]!, `gradients of step ${step}`),
      );
      expect(first!.losses.at(-1)).to.be.lessThan(first!.losses[0]!);
      // Bit by bit, and not only nearly: the ranks must never drift apart.
      expect(second!.weights).to.equal(first!.weights);
      expect(second!.gradients).to.deep.equal(first!.gradients);
    });
  }

  it("gives every rank rank 0's frozen parameters and buffers", async () => {
    const [first, second] = await train(2, 'plain');
    expect(second!.frozen).to.deep.equal(first!.frozen);
    // Seed 7 and one more after each of six steps; rank 1 has what was sent before its last step.
    expect(first!.calls).to.equal(13);
    expect(second!.calls).to.equal(12);
  });

  it('asks the module for what is the module’s', async () => {
    const [{ status, results, output }] = (await runCommands([nodeRank('wrapper.mjs')])) as [Rank];
    expect(status, output).to.equal(0);
    expect(results[0]).to.deep.equal({
      keys: ['0.weight', '0.bias', '1.weight', '1.bias', '1.running_mean', '1.running_var', '1.num_batches_tracked'],
      parameters: 4,
      names: ['0.weight', '0.bias', '1.weight', '1.bias'],
      isLoaded: true,
      modes: [false, true],
      isChained: true,
      gradients: [null, null, null, null],
      missing: 'DistributedDataParallel.stateDict: the module Bare has no method stateDict(); nn.Module has.',
    });
  });

  it('computes the same under TORCH_DISTRIBUTED_DEBUG=DETAIL, and tells what it knows there', async () => {
    const CASES = 'plain; uneven inputs with unused parameters; a static graph with checkpoints; logging data';
    const run = async (env: NodeJS.ProcessEnv) => {
      const rank = nodeRank('ways.mjs', { CASES, ...env });
      const ranks = await runCommands([rank, rank]);
      for (const { status, output } of ranks) expect(status, output).to.equal(0);
      return ranks.map(({ results }) => results);
    };
    const [plain, detailed] = [await run({}), await run({ TORCH_DISTRIBUTED_DEBUG: 'DETAIL' })];
    const knows = (results: Record<string, unknown>[]) => Object.fromEntries(results[3]!.result as [string, unknown][]);
    for (const rank of [0, 1]) {
      expect(detailed[rank]!.slice(0, 3)).to.deep.equal(plain[rank]!.slice(0, 3));
      expect(knows(detailed[rank]!)).to.deep.equal({ ...knows(plain[rank]!), torchDistributedDebug: 'DETAIL' });
    }
  });
});
