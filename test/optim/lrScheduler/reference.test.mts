import path from 'node:path';

import { load, save, scope } from 'aiforge';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

import { Counter } from '#lib/counter.js';

import { temporaryFolder } from '../../support/project.mjs';
import { recorded } from '../../support/recorded.mjs';
import { python, runPython } from '../../nn/reference.mjs';
import { build, buildOptimizer, digest, plain, rates, special, STEPS, step, title, type Case } from './cases.mjs';
import { expectRates, expectState } from './expectRates.mjs';

// A one-cycle schedule ends at its last step.
function callsOf({ scheduler: [name, , options], calls }: Case): (number | null)[] {
  const given = calls ?? Array<null>(STEPS).fill(null);
  if (name !== 'OneCycleLR') return given;
  const { total_steps: total, epochs, steps_per_epoch: perEpoch, last_epoch: last } = options as Record<string, number>;
  return given.slice(0, Math.min(given.length, (total ?? epochs! * perEpoch!) - ((last ?? -1) + 1)));
}

const half = (test: Case): number => (test.calls ?? Array(STEPS)).length >> 1;

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
  const state = special(test.half, test.optimizer.tensor) as Record<string, unknown>;
  if (scheduler instanceof optim.lrScheduler.MultiStepLR) {
    const counts = Object.entries(state.milestones as Record<string, number>);
    state.milestones = new Counter(counts.map(([milestone, count]) => [Number(milestone), count]));
  }
  scheduler.loadStateDict(state);
  return { optimizer, scheduler };
}

describe('learning-rate schedulers against PyTorch', () => {
  const { cases } = recorded<{ cases: Case[] }>('lr_scheduler');
  for (const test of cases) {
    it(`${title(test)}: rates, state, and going on from PyTorch's state`, () => {
      scope(() => {
        const calls = callsOf(test);
        expectRates(run(test, calls).rows, test);

        const first = run(test, calls.slice(0, half(test)));
        expectState(plain(first.scheduler.stateDict()), test);

        const { optimizer, scheduler } = restored(test);
        const rest = calls.slice(half(test)).map((call) => {
          step(scheduler, call);
          return rates(optimizer);
        });
        expectRates([...first.rows, ...rest], test);
      });
    });
  }

  describe('and files of torch.save', function () {
    const folder = temporaryFolder('schedulers');
    const program = (call: string) => `
import json, sys
sys.path.insert(0, 'test/reference')
import lr_scheduler
print(json.dumps(lr_scheduler.${call}))`;

    before(function () {
      if (python !== undefined) return;
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON is not set; run `npm test -- --reference`');
      this.skip();
    });

    it("PyTorch goes on from the library's states", () => {
      const file = path.join(folder, 'here.pt');
      const runs = cases.map((test) => {
        const calls = callsOf(test);
        const { optimizer, scheduler } = run(test, calls.slice(0, half(test)));
        const rows = run(test, calls).rows.slice(half(test) + 1);
        const saved = { scheduler: scheduler.stateDict(), optimizer: optimizer.stateDict() };
        return { saved, rest: calls.slice(half(test)), expected: digest(rows) };
      });
      const saved = runs.map((each) => each.saved);
      save(saved, file);
      const digests = runPython<string[]>(
        program(`go_on('${file}', json.load(sys.stdin))`),
        JSON.stringify(runs.map(({ rest }) => rest)),
      );
      digests.forEach((found, i) => expect(found, title(cases[i]!)).to.equal(runs[i]!.expected));
    });

    it("the library goes on from PyTorch's", () => {
      const file = path.join(folder, 'there.pt');
      runPython(program(`halves('${file}')`));
      const saved = load<{ scheduler: Record<string, unknown>; optimizer: optim.OptimizerStateDict }[]>(file);
      cases.forEach((test, i) => {
        const calls = callsOf(test);
        const optimizer = buildOptimizer(test.optimizer);
        const scheduler = build(test.scheduler, optimizer);
        optimizer.loadStateDict(saved[i]!.optimizer);
        scheduler.loadStateDict(saved[i]!.scheduler);
        const rest = calls.slice(half(test)).map((call) => {
          step(scheduler, call);
          return rates(optimizer);
        });
        const first = run(test, calls.slice(0, half(test))).rows;
        expect(digest([...first, ...rest]), title(test)).to.equal(test.digest);
      });
    });
  });
});
