import { expect } from 'chai';

import { fixture, nodeRank, runCommands, type Command, type Rank } from './ranks.mjs';

/**
 * Describes that cases of a fixture give the same in Node.js (`name.mjs`), in Python (`name.py`) and, where it `mixes`, in a group of
 * both; `cases` are named by the number of ranks.
 */
export function describeAsInPython(
  name: string,
  cases: Readonly<Record<number, readonly string[]>>,
  { mixes = true }: { mixes?: boolean } = {},
): void {
  const python = process.env.AIFORGE_REFERENCE_PYTHON;

  before(function () {
    if (python !== undefined) return;
    console.log('      skipped: AIFORGE_REFERENCE_PYTHON does not name a Python that has torch');
    this.skip();
  });

  for (const [worldSize, names] of Object.entries(cases)) {
    describe(`on ${worldSize} ranks`, () => {
      let [theirs, ours, mixed]: Rank[][] = [];

      before(async () => {
        const env = { CASES: names.join('; ') };
        const node = nodeRank(`${name}.mjs`, env);
        const reference = { command: python!, args: [fixture(`${name}.py`)], env };
        const group = (of: (rank: number) => Command) =>
          runCommands(Array.from({ length: Number(worldSize) }, (_, rank) => of(rank)));
        theirs = await group(() => reference);
        ours = await group(() => node);
        // In one group both sides must send the same things at the same moments.
        mixed = mixes ? await group((rank) => (rank === 1 ? node : reference)) : [];
      });

      const resultsOf = (ranks: Rank[], name: string) =>
        ranks.map(({ results, output }) => {
          const found = results.find((result) => result.name === name);
          expect(found, output).not.to.equal(undefined);
          return found!.result;
        });

      for (const name of names) {
        it(`${name}: the same numbers${mixes ? ', and in a group of both' : ''}`, () => {
          const expected = resultsOf(theirs!, name);
          expect(resultsOf(ours!, name)).to.deep.equal(expected);
          if (mixes) expect(resultsOf(mixed!, name)).to.deep.equal(expected);
        });
      }

      it('and every rank ends well', () => {
        for (const { status, output } of [...ours!, ...mixed!]) expect(status, output).to.equal(0);
      });
    });
  }
}
