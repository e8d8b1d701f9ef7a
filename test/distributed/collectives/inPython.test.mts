import { expect } from 'chai';

import { fixture, nodeRank, runCommands, type Command } from '../ranks.mjs';

// Python's gather does not take complex numbers, as its other collectives do, nor its all_to_all parts of several sizes, as
// its all_to_all_single does.
const isOursAlone = (key: string): boolean => /^gather complex|^allToAll uneven/.test(key);

/** Python's JSON has zeros with a sign, which ours tells as text. */
const signed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(signed);
  return Object.is(value, -0) ? '-0' : value;
};

describe('every collective, as in Python', function () {
  this.timeout(180_000);

  for (const worldSize of [2, 3, 4]) {
    it(`gives the same for every dtype, dense and strided, on ${worldSize} ranks of Python, of ours, and of both`, async function () {
      const python = process.env.AIFORGE_REFERENCE_PYTHON;
      if (python === undefined) {
        console.log('      skipped: AIFORGE_REFERENCE_PYTHON does not name a Python that has torch');
        return this.skip();
      }
      const theirs = (env: NodeJS.ProcessEnv): Command => ({
        command: python,
        args: [fixture('everyCollective.py')],
        env,
      });
      const ours = (env: NodeJS.ProcessEnv): Command => nodeRank('everyCollective.mjs', env);
      const all = (of: (env: NodeJS.ProcessEnv) => Command): Command[] =>
        Array.from({ length: worldSize }, () => of({ REFUSALS: '1' }));
      const expected = await runCommands(all(theirs));
      for (const { status, output } of expected) expect(status, output).to.equal(0);

      for (const [rank, { status, results, output }] of (await runCommands(all(ours))).entries()) {
        expect(status, output).to.equal(0);
        const given = expected[rank]!.results[0]!;
        expect(Object.keys(results[0]!)).to.deep.equal(Object.keys(given)).and.to.have.length.above(500);
        for (const [key, value] of Object.entries(results[0]!)) {
          if (!isOursAlone(key)) expect(value, `${key} on rank ${rank}`).to.deep.equal(signed(given[key]));
        }
      }

      // What is refused here is begun, and then refused, in Python, whose count of collectives goes on: that is left out.
      const mixed = Array.from({ length: worldSize }, (_, rank) => (rank % 2 === 0 ? ours({}) : theirs({})));
      for (const [rank, { status, results, output }] of (await runCommands(mixed)).entries()) {
        expect(status, output).to.equal(0);
        for (const [key, value] of Object.entries(results[0]!)) {
          expect(value, `${key} on rank ${rank}`).to.not.equal('refused');
        }
      }
    });
  }
});
