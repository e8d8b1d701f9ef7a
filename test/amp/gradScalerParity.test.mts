import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect } from 'chai';

import { reference } from '../support/reference.mjs';
import { Training, type Case, type Taken } from './gradScalerTraining.mjs';

describe('training with a GradScaler is Python’s, bit by bit', function () {
  const common = { accumulate: 1, clip: null, infinite: [7], steps: 30 };
  const growing = { init_scale: 1024, growth_interval: 4 };
  // 3 has no exact inverse; 2 ** 24 overflows in float16 at first.
  const odd = { init_scale: 1000, growth_factor: 3, backoff_factor: 0.3, growth_interval: 3 };
  const overflowing = { init_scale: 2 ** 24, growth_interval: 5 };
  const fused: Omit<Case, 'optimizer' | 'options'> = { ...common, dtype: 'float16', scaler: odd, infinite: [5, 6, 20] };
  const cases: Record<string, Case> = {
    sgd: { ...common, optimizer: 'SGD', options: { lr: 0.1, momentum: 0.9 }, dtype: 'float16', scaler: growing },
    sgd_bfloat16: { ...common, optimizer: 'SGD', options: { lr: 0.1 }, dtype: 'bfloat16', scaler: odd, clip: 0.5 },
    adamw: {
      ...common,
      optimizer: 'AdamW',
      options: { lr: 0.01 },
      dtype: 'float16',
      scaler: overflowing,
      infinite: [],
    },
    adamw_bfloat16: { ...common, optimizer: 'AdamW', options: { lr: 0.01 }, dtype: 'bfloat16', scaler: growing },
    accumulation: { ...common, optimizer: 'AdamW', options: {}, dtype: 'float16', scaler: odd, accumulate: 3 },
    clipping: { ...common, optimizer: 'SGD', options: { lr: 0.1 }, dtype: 'float16', scaler: odd, clip: 0.1 },
    several: {
      ...common,
      optimizer: 'Adam',
      options: {},
      dtype: 'float16',
      scaler: overflowing,
      several: true,
      clip: 1,
    },
    sparse: { ...common, optimizer: 'SGD', options: { lr: 0.1 }, dtype: 'float16', scaler: odd, sparse: true },
    fused_sgd: { ...fused, optimizer: 'SGD', options: { lr: 0.1, momentum: 0.9, fused: true } },
    fused_adam: { ...fused, optimizer: 'Adam', options: { amsgrad: true, fused: true } },
    fused_adamw: { ...fused, optimizer: 'AdamW', options: { fused: true }, clip: 0.5 },
    fused_adagrad: { ...fused, optimizer: 'Adagrad', options: { fused: true }, several: true },
  };
  const names = Object.keys(cases);
  const given = JSON.stringify(Object.entries(cases));
  const folder = mkdtempSync(path.join(tmpdir(), 'aiforge-scaler-'));
  after(() => rmSync(folder, { recursive: true }));
  const inPython = (context: Mocha.Context, action: string): Record<string, Taken> =>
    JSON.parse(reference(context, 'grad_scaler.py', action, given, folder)) as Record<string, Taken>;

  it('over 30 steps', function () {
    const expected = inPython(this, 'run');
    for (const name of names) {
      const taken = new Training(cases[name]!).take(0, 30);
      expect(taken, name).to.deep.equal(expected[name]);
      const scales = taken.steps.map(([, , scale]) => scale);
      const [falls, rises] = [-1, 1].map((sign) => scales.some((scale, i) => i > 0 && Math.sign(scale - scales[i - 1]!) === sign)); // prettier-ignore
      expect([falls, rises], `${name}: falls and rises`).to.deep.equal([true, true]);
    }
  });

  it('handed over from Python', function () {
    const expected = inPython(this, 'begin');
    for (const name of names) {
      const training = new Training(cases[name]!);
      training.load(path.join(folder, `${name}.pt`));
      expect(training.take(15, 30), name).to.deep.equal(expected[name]);
    }
  });

  it('handed over to Python', function () {
    const expected: Record<string, Taken> = {};
    for (const name of names) {
      const training = new Training(cases[name]!);
      training.take(0, 15);
      training.save(path.join(folder, `${name}.pt`));
      expected[name] = training.take(15, 30);
    }
    expect(inPython(this, 'go_on')).to.deep.equal(expected);
  });
});
