import { scope } from 'aiforge';
import type { Optimizer } from 'aiforge/optim';
import { expect } from 'chai';

import { python, reference, runPython } from '../../nn/reference.mjs';
import * as cases from './cases.mjs';
import { build, buildOptimizer, digest, plain, rates, special, STEPS, step, title, type Case } from './cases.mjs';

// A one-cycle schedule ends at its last step.
function callsOf({ scheduler: [name, , options], calls }: Case): (number | null)[] {
  const given = calls ?? Array<null>(STEPS).fill(null);
  if (name !== 'OneCycleLR') return given;
  const { total_steps: total, epochs, steps_per_epoch: perEpoch, last_epoch: last } = options as Record<string, number>;
  return given.slice(0, Math.min(given.length, (total ?? epochs! * perEpoch!) - ((last ?? -1) + 1)));
}

const half = (test: Case): number => (test.calls ?? Array(STEPS)).length >> 1;

const groupsOf = (optimizer: Optimizer): unknown =>
  (optimizer.stateDict().param_groups as Record<string, unknown>[]).map(({ params: _, ...options }) => plain(options));

function run(test: Case, calls: (number | null)[]) {
  const optimizer = buildOptimizer(test.optimizer);
  const scheduler = build(test.scheduler, optimizer);
  const rows = [rates(optimizer)];
  for (const call of calls) {
    step(scheduler, call);
    rows.push(rates(optimizer));
  }
  return { optimizer, scheduler, rows };
}

/** The state that a state dict brings into a new optimizer and scheduler. */
function restored(test: Case) {
  const optimizer = buildOptimizer(test.optimizer);
  const scheduler = build(test.scheduler, optimizer);
  const groups = test.half_optimizer.map((group, i) => ({
    ...(special(group, test.optimizer.tensor) as object),
    params: [i],
  }));
  optimizer.loadStateDict({ state: {}, param_groups: groups });
  scheduler.loadStateDict(special(test.half, test.optimizer.tensor) as Record<string, unknown>);
  return { optimizer, scheduler };
}

describe('learning-rate schedulers against PyTorch', () => {
  const recording = reference<{ cases: Case[] }>('lr_scheduler');
  for (const test of recording?.cases ?? []) {
    it(`${title(test)}: rates, state, and going on from PyTorch's state`, () => {
      scope(() => {
        const calls = callsOf(test);
        const { rows } = run(test, calls);
        expect(rows.filter((_, i) => i % 40 === 0)).to.deep.equal(test.samples);
        expect(digest(rows)).to.equal(test.digest);

        const first = run(test, calls.slice(0, half(test)));
        expect(plain(first.scheduler.stateDict())).to.deep.equal(test.half);

        const { optimizer, scheduler } = restored(test);
        const rest = calls.slice(half(test)).map((call) => {
          step(scheduler, call);
          return rates(optimizer);
        });
        expect(digest([...first.rows, ...rest])).to.equal(test.digest);
      });
    });
  }

  it("PyTorch goes on from the library's states", function () {
    if (python === undefined || recording === undefined) {
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON is not set; run `npm test -- --reference`');
      return this.skip();
    }
    const tests = recording.cases.filter(({ optimizer }) => optimizer.tensor === undefined);
    const states = tests.map((test) => {
      const calls = callsOf(test);
      const first = run(test, calls.slice(0, half(test)));
      const state = { half: plain(first.scheduler.stateDict()), half_optimizer: groupsOf(first.optimizer) };
      const rest = calls.slice(half(test));
      const rows = run(test, calls).rows.slice(half(test) + 1);
      return { sent: { ...test, ...state, rest }, expected: cases.digest(rows) };
    });
    const program = `
import json, sys
sys.path.insert(0, 'test/reference')
import lr_scheduler
print(json.dumps(lr_scheduler.go_on(json.load(sys.stdin))))`;
    const digests = runPython<string[]>(program, JSON.stringify(states.map(({ sent }) => sent)));
    digests.forEach((found, i) => expect(found, title(tests[i]!)).to.equal(states[i]!.expected));
  });
});
