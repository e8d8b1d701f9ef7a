import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { addLogFile, memory, scope, tensor, zeros } from 'aiforge';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

import { collectGarbage } from '../../support/garbage.mjs';

const lr = optim.lrScheduler;

const sgd = (options: Partial<optim.SGDOptions> = {}, groups = 1): optim.SGD =>
  new optim.SGD(
    Array.from({ length: groups }, () => ({ params: [zeros([2])] })),
    { lr: 0.1, ...options },
  );

const invalid = (make: () => unknown, message: RegExp): void => {
  expect(make).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
};

/** The messages that a body logs. */
function logged(body: () => void): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'aiforge-'));
  const file = path.join(folder, 'log');
  const close = addLogFile(file);
  try {
    body();
  } finally {
    close();
  }
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  rmSync(folder, { recursive: true });
  return lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
}

describe('learning-rate schedulers', () => {
  it('refuse arguments as PyTorch does', () => {
    const optimizer = sgd({}, 2);
    const bare = new optim.Adam([zeros([2])]);
    invalid(() => new lr.StepLR({} as never, 3), /Optimizer/);
    invalid(() => new lr.LambdaLR(optimizer, [() => 1]), /lrLambda.*2 parameter groups, got 1/);
    invalid(() => new lr.MultiplicativeLR(optimizer, 3 as never), /lrLambda.*got 3/);
    invalid(() => new lr.ConstantLR(optimizer, { factor: 1.5 }), /factor.*1\.5/);
    invalid(() => new lr.ConstantLR(optimizer, { factor: -1 }), /factor/);
    invalid(() => new lr.LinearLR(optimizer, { startFactor: 0 }), /startFactor.*above 0/);
    invalid(() => new lr.LinearLR(optimizer, { endFactor: 1.1 }), /endFactor/);
    invalid(() => new lr.CosineAnnealingWarmRestarts(optimizer, 0), /t0.*0/);
    invalid(() => new lr.CosineAnnealingWarmRestarts(optimizer, 2.5), /t0/);
    invalid(() => new lr.CosineAnnealingWarmRestarts(optimizer, 2, { tMult: 0 }), /tMult/);
    invalid(() => new lr.CosineAnnealingWarmRestarts(optimizer, 2, { etaMin: '1' as never }), /etaMin/);
    invalid(() => new lr.CosineAnnealingWarmRestarts(optimizer, 2).step(-1), /epoch.*-1/);
    invalid(() => new lr.CyclicLR(optimizer, [0.1], 0.2), /baseLr/);
    invalid(() => new lr.CyclicLR(optimizer, 0.1, 0.2, { mode: 'sine' as never }), /mode.*sine/);
    invalid(() => new lr.OneCycleLR(optimizer, 0.1), /totalSteps/);
    invalid(() => new lr.OneCycleLR(optimizer, 0.1, { totalSteps: 0 }), /totalSteps.*0/);
    invalid(() => new lr.OneCycleLR(optimizer, 0.1, { epochs: 1.5, stepsPerEpoch: 2 }), /epochs/);
    invalid(() => new lr.OneCycleLR(optimizer, 0.1, { epochs: 1, stepsPerEpoch: -2 }), /stepsPerEpoch/);
    invalid(() => new lr.OneCycleLR(optimizer, 0.1, { totalSteps: 9, pctStart: 2 }), /pctStart/);
    invalid(() => new lr.OneCycleLR(optimizer, 0.1, { totalSteps: 9, annealStrategy: 'sin' as never }), /anneal.*sin/);
    invalid(() => new lr.ReduceLROnPlateau(optimizer, { factor: 1 }), /factor/);
    invalid(() => new lr.ReduceLROnPlateau(optimizer, { minLr: [0, 0, 0] }), /minLr.*got 3/);
    invalid(() => new lr.ReduceLROnPlateau(optimizer, { mode: 'least' as never }), /mode.*least/);
    invalid(() => new lr.ReduceLROnPlateau(optimizer, { thresholdMode: 'x' as never }), /thresholdMode/);
    invalid(() => new lr.ReduceLROnPlateau(optimizer).step(), /metric/);
    invalid(() => new lr.SequentialLR(optimizer, [], []), /at least one/);
    invalid(() => new lr.ChainedScheduler([]), /at least one/);
    const step = new lr.StepLR(optimizer, 3);
    invalid(() => new lr.SequentialLR(optimizer, [step], [1]), /milestone/);
    invalid(() => new lr.SequentialLR(bare, [step], []), /another optimizer/);
    invalid(() => new lr.ChainedScheduler([step, new lr.StepLR(bare, 3)]), /another optimizer/);
    invalid(() => new lr.ChainedScheduler([new lr.ReduceLROnPlateau(optimizer)]), /ReduceLROnPlateau/);
    invalid(() => new lr.ChainedScheduler([{} as never], { optimizer }), /each item a scheduler, got \[\{\}\]/);
    invalid(() => new optim.swaUtils.SWALR(optimizer, [0.1]), /swaLr/);
    invalid(() => new optim.swaUtils.SWALR(optimizer, 0.1, { annealEpochs: -1 }), /annealEpochs/);
    invalid(() => new optim.swaUtils.SWALR(optimizer, 0.1, { annealStrategy: 'x' as never }), /annealStrategy/);
    invalid(() => new lr.StepLR(sgd(), 3, { lastEpoch: 4 }), /group 0.*initialLr.*lastEpoch -1/);
  });

  it('refuse to divide by zero, where PyTorch raises ZeroDivisionError', () => {
    invalid(() => new lr.OneCycleLR(sgd(), 1, { totalSteps: 10, pctStart: 0.1 }), /divides by zero/);
    const constant = new lr.ConstantLR(sgd(), { factor: 0, totalIters: 1 });
    invalid(() => constant.step(), /divides by zero/);
  });

  it('refuse groups that were added later', () => {
    const optimizer = sgd();
    const scheduler = new lr.LambdaLR(optimizer, () => 0.5);
    optimizer.addParamGroup({ params: [zeros([2])] });
    invalid(() => scheduler.step(), /2 parameter groups, got 1/);
  });

  it('a one-cycle schedule ends with its last step', () => {
    const scheduler = new lr.OneCycleLR(sgd(), 1, { totalSteps: 10 });
    for (let i = 0; i < 10; ++i) scheduler.step();
    invalid(() => scheduler.step(), /10 steps; this is step 11/);
  });

  it('a schedule of rates below zero needs no momentum where there is none to cycle', () => {
    class Plain extends optim.SGD {
      constructor() {
        super([zeros([2])], { lr: 1 });
        Reflect.deleteProperty(this.defaults, 'momentum');
      }
    }
    invalid(() => new lr.CyclicLR(new Plain(), 0.1, 0.2), /cycleMomentum: Plain has neither/);
    expect(new lr.CyclicLR(new Plain(), 0.1, 0.2, { cycleMomentum: false }).getLastLr()).to.deep.equal([0.1]);
  });

  it('warn when the first step comes before that of the optimizer', () => {
    const optimizer = sgd();
    optimizer.step();
    const scheduler = new lr.StepLR(optimizer, 3);
    expect(logged(() => scheduler.step()))
      .to.have.length(1)
      .and.to.match(/before optimizer\.step/);
    expect(logged(() => scheduler.step())).to.deep.equal([]);

    const inOrder = sgd();
    const second = new lr.StepLR(inOrder, 3);
    inOrder.step();
    expect(logged(() => second.step())).to.deep.equal([]);
    expect(logged(() => new lr.ExponentialLR(inOrder, 0.9).step())).to.deep.equal([]);
  });

  it('warn once of step(epoch), and of getLr() outside a step', () => {
    const optimizer = sgd();
    const scheduler = new lr.ExponentialLR(optimizer, 0.9);
    optimizer.step();
    const steps = logged(() => [3, 4, 5].forEach((epoch) => scheduler.step(epoch)));
    expect(steps)
      .to.have.length(1)
      .and.to.match(/deprecated/);
    expect(logged(() => scheduler.getLr()))
      .to.have.length(1)
      .and.to.match(/getLastLr/);
    const plateau = new lr.ReduceLROnPlateau(optimizer);
    expect(logged(() => plateau.step(1, 3)))
      .to.have.length(1)
      .and.to.match(/deprecated/);
  });

  it('leave a rate that is a tensor in place, and give copies of it', () => {
    const optimizer = sgd();
    const [group] = optimizer.paramGroups as unknown as [{ lr: optim.lrScheduler.Rate }];
    const rate = tensor(0.5);
    group.lr = rate;
    const scheduler = scope(() => new lr.ExponentialLR(optimizer, 0.5));
    scheduler.step();
    expect(group.lr).to.equal(rate);
    expect(rate.item()).to.equal(0.25);
    const [last] = scheduler.getLastLr() as [typeof rate];
    last.fill_(7);
    expect(rate.item()).to.equal(0.25);
    expect((scheduler.baseLrs[0] as typeof rate).item()).to.equal(0.5);
  });

  it('keep no tensors', () => {
    const optimizer = sgd();
    const scheduler = new lr.CosineAnnealingLR(optimizer, 50);
    const steps = () => {
      for (let i = 0; i < 100; ++i) scheduler.step();
    };
    steps();
    collectGarbage();
    const before = memory.stats().tensors;
    steps();
    expect(memory.stats().tensors).to.equal(before);
  });

  it('watch a tensor as the metric', () => {
    const optimizer = sgd();
    const scheduler = new lr.ReduceLROnPlateau(optimizer, { patience: 0, cooldown: 1 });
    scheduler.step(tensor(1));
    scheduler.step(tensor([2]));
    expect(optimizer.paramGroups[0]!.lr).to.equal(0.1 * 0.1);
    expect(scheduler.inCooldown).to.equal(true);
  });

  it('take the least rate for groups that come later, or refuse a list for fewer', () => {
    const late = (minLr: number | number[]) => {
      const optimizer = sgd();
      const scheduler = new lr.ReduceLROnPlateau(optimizer, { patience: 0, minLr });
      optimizer.addParamGroup({ params: [zeros([2])], lr: 0.5 });
      scheduler.step(1);
      scheduler.step(1);
      return scheduler.getLastLr();
    };
    expect(late(0.02)).to.deep.equal([0.02, 0.05]);
    invalid(() => late([0.02]), /minLr/);
  });

  it('refuse to step before they were begun', () => {
    class Own extends lr.LRScheduler {
      override getLr(): number[] {
        return [0.5];
      }
    }
    invalid(() => new Own(sgd()).step(), /Own was not begun: .*this\.begin\(lastEpoch\)/);
  });

  it('refuse state dicts of another kind and change nothing', () => {
    const optimizer = sgd();
    const scheduler = new lr.StepLR(optimizer, 3);
    const refuses = (state: unknown, of: optim.lrScheduler.LRScheduler, message: RegExp) =>
      expect(() => of.loadStateDict(state as never), String(state))
        .to.throw(message)
        .with.property('code', 'STATE_DICT_MISMATCH');
    const before = scheduler.stateDict();
    expect(() => scheduler.loadStateDict(null as never)).to.throw(/stateDict must be/);
    refuses({ last_epoch: 3, step: 1 }, scheduler, /'step'/);
    refuses({ last_epoch: 3, optimizer }, scheduler, /'optimizer'/);
    expect(scheduler.stateDict()).to.deep.equal(before);
    const chain = new lr.ChainedScheduler([scheduler]);
    refuses({ _last_lr: [1] }, chain, /_schedulers no list/);
    refuses({ _last_lr: [1], _schedulers: [{}, {}] }, chain, /_schedulers 2/);
  });

  it('a schedule of your own needs getLr()', () => {
    class Empty extends lr.LRScheduler {
      constructor(optimizer: optim.Optimizer) {
        super(optimizer);
        this.begin();
      }
    }
    invalid(() => new Empty(sgd()), /Empty has no getLr/);
  });
});
