import { flopCounter, profile } from 'aiforge/profiler';
import { expect } from 'chai';

import { reference } from '../support/reference.mjs';
import { forward, programs, step } from './programs.mjs';

interface Recorded {
  operators: Record<string, number>;
  forward: Record<string, Record<string, number>>;
  step: Record<string, Record<string, number>>;
}

describe('the profiler beside Python’s', () => {
  let python: Record<string, Recorded>;

  before(function () {
    this.timeout(120_000);
    python = JSON.parse(reference(this, 'profiler.py')) as Record<string, Recorded>;
  });

  // Modules of attention and recurrence are written in each language, with other views of the same numbers.
  for (const name of ['mlp', 'conv', 'attention']) {
    it(`records the same operators, as often, of a step of ${name}`, () => {
      const program = programs[name]!();
      step(program);
      program.model.zeroGrad();
      const counts: Record<string, number> = {};
      for (const event of profile(() => step(program)).events) counts[event.name] = (counts[event.name] ?? 0) + 1;
      expect(counts).to.deep.equal(python[name]!.operators);
      expect(Object.keys(counts).length).to.be.greaterThan(30);
    });
  }

  for (const name of Object.keys(programs)) {
    it(`counts the same FLOPs, by operator and by module, of ${name}`, () => {
      const program = programs[name]!();
      const options = { modules: program.model };
      const own = {
        forward: flopCounter(() => forward(program), options),
        step: flopCounter(() => step(program), options),
      };
      for (const part of ['forward', 'step'] as const) {
        const { Global: all = {}, ...modules } = python[name]![part];
        // Python's hooks take a dropout that does nothing, whose output is its input, for all of what comes after it.
        const real = Object.entries(modules).filter(([module]) => !/dropout\d?$/.test(module));
        expect(own[part].byOperator, part).to.deep.equal(all);
        expect(own[part].byModule, part).to.deep.equal(Object.fromEntries(real));
        expect(own[part].total).to.equal(Object.values(all).reduce((sum, flops) => sum + flops, 0));
      }
      // The fused recurrent layer of the CPU has no formula, here and there.
      expect(own.step.total > own.forward.total).to.equal(name !== 'lstm');
    });
  }
});
