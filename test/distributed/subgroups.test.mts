import { expect } from 'chai';

import { AiforgeError } from 'aiforge';
import {
  DeviceMesh,
  destroyProcessGroup,
  HashStore,
  initDeviceMesh,
  initProcessGroup,
  newGroup,
  newSubgroups,
  ProcessGroup,
  splitGroup,
  getProcessGroupRanks,
} from 'aiforge/distributed';

import { fixture, nodeRank, runCommands } from './ranks.mjs';

const sumOf = (ranks: readonly number[]): number => ranks.reduce((sum, rank) => sum + 10 ** rank, 0);

/** What a rank sees of a group of these ranks, null when it is none of them. */
function seen(rank: number, ranks: readonly number[]): unknown {
  return ranks.includes(rank) ? { rank: ranks.indexOf(rank), ranks, sum: sumOf(ranks) } : null;
}

describe('groups of some ranks', function () {
  this.timeout(180_000);

  it('of four ranks, and a mesh of them', async () => {
    const ranks = await runCommands(Array.from({ length: 4 }, () => nodeRank('groups.mjs')));
    for (const [rank, { status, results, output }] of ranks.entries()) {
      expect(status, output).to.equal(0);
      const [dp, tp] = [Math.floor(rank / 2), rank % 2];
      expect(results[0], output).to.deep.equal({
        rank,
        odd: seen(rank, [1, 3]),
        all: seen(rank, [0, 1, 2, 3]),
        pairs: seen(rank, rank < 2 ? [0, 1] : [2, 3]),
        some: seen(rank, rank === 2 ? [2] : [0, 3]),
        // In the order that the split names, and of a split again.
        split: seen(rank, rank === 1 ? [1] : [2, 0]),
        again: seen(rank, rank === 1 ? [1] : [0]),
        byNumber:
          rank % 2 === 1
            ? [
                3,
                rank === 3 ? 1010 : null,
                rank === 3 ? 1 : null,
                rank === 3 ? 1 : null,
                'of 3',
                'INVALID_ARGUMENT',
                [1, 3],
              ]
            : null,
        numbers: rank % 2 === 1 ? [1, 1] : null,
        mesh: {
          shape: [2, 2],
          size: [4, 2, 2],
          coordinate: [dp, tp],
          local: [dp, tp, tp],
          dp: seen(rank, [tp, tp + 2]),
          tp: seen(rank, [2 * dp, 2 * dp + 1]),
          along: [2 * dp, 2 * dp + 1],
          same: true,
        },
        refused: 'INVALID_ARGUMENT',
        ended: rank % 2 === 1 ? 'DISTRIBUTED_FAILED' : null,
      });
    }
  });

  it('have Python ranks in them', async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON does not name a Python that has torch');
      return this.skip();
    }
    const ours = nodeRank('groupsBesidePython.mjs');
    const theirs = { command: python, args: [fixture('groups.py')] };
    for (const group of [
      [theirs, ours, theirs],
      [ours, theirs, ours],
    ]) {
      for (const [rank, { status, results, output }] of (await runCommands(group)).entries()) {
        expect(status, output).to.equal(0);
        const sums = [
          [0, 1],
          [1, 2],
          [0, 1, 2],
        ].map((ranks) => (ranks.includes(rank) ? sumOf(ranks) : null));
        expect(results[0], output).to.deep.equal({ rank, sums });
      }
    }
  });

  describe('of a rank alone', () => {
    before(() => initProcessGroup({ store: new HashStore(), rank: 0, worldSize: 1 }));
    after(() => destroyProcessGroup());

    const refusal = async (call: Promise<unknown>): Promise<string> => {
      const error: unknown = await call.then(
        () => expect.fail('it should have been refused'),
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(AiforgeError);
      expect((error as AiforgeError).code).to.equal('INVALID_ARGUMENT');
      return (error as AiforgeError).message;
    };

    it('refuses ranks that there are not', async () => {
      expect(await refusal(newGroup([]))).to.include('empty list');
      expect(await refusal(newGroup([1]))).to.include('rank 1 is not in 0 … 0');
      expect(await refusal(newGroup([0, 0]))).to.include('named twice');
      expect(await refusal(newGroup([-1]))).to.include('0 or more');
      expect(await refusal(newSubgroups(2))).to.include('groups of 2');
      expect(await refusal(splitGroup([[0], [0]]))).to.include('named twice');
    });

    it('refuses meshes that the ranks do not fill, and dimensions that there are not', async () => {
      expect(await refusal(initDeviceMesh('cpu', [2, 2]))).to.include('2 × 2 has 4 ranks, but there are 1');
      expect(await refusal(initDeviceMesh('cpu', [1], { meshDimNames: ['a', 'b'] }))).to.include('2 meshDimNames');
      expect(await refusal(initDeviceMesh('cpu', [1, 1], { meshDimNames: ['a', 'a'] }))).to.include('must differ');
      expect(await refusal(initDeviceMesh('tpu' as never, [1]))).to.include("'cpu'");
      const mesh = await initDeviceMesh('cpu', [1, 1], { meshDimNames: ['data', 'model'] });
      expect(() => mesh.getGroup('dta')).to.throw(AiforgeError, "Did you mean 'data'?");
      expect(() => mesh.getGroup(2)).to.throw(AiforgeError, 'only 0 … 1');
      expect(() => mesh.getGroup()).to.throw(AiforgeError, 'needs one of them');
      expect(() => mesh.slice(['model', 'data'])).to.throw(AiforgeError, 'in their order');
      expect(() => new (DeviceMesh as unknown as new () => unknown)()).to.throw(AiforgeError, 'initDeviceMesh');
    });

    it('knows no groups that were made without it', async () => {
      const group = await ProcessGroup.create(new HashStore(), { rank: 0, worldSize: 1, name: 'mine' });
      expect(() => getProcessGroupRanks({ group })).to.throw(AiforgeError, "'mine' is none that initProcessGroup");
      await group.destroy();
    });
  });
});
