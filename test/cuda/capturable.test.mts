import { amp, cuda, getNumThreads, nn, ones, optim, setNumThreads, testing, type Device, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { capturableDevices } from '#lib/optim/capturable.js';
import { reference } from '../support/reference.mjs';
import { cases, nameOf, repeat, Training, type Case } from './capturableSteps.mjs';
import { hashOf, needGpu, note, thrownBy } from './gpu.mjs';

const device = 'cuda';
const WARM_UP = 3;
const STEPS = 10;

const same = (actual: Tensor, expected: Tensor): void =>
  testing.assertClose(actual, expected, { rtol: 0, atol: 0, equalNan: true });

/** The graph of a step, after some on a side stream. */
function captured(step: () => void): cuda.CUDAGraph {
  const side = new cuda.Stream();
  side.waitStream(cuda.currentStream());
  side.run(() => repeat(WARM_UP, step));
  cuda.currentStream().waitStream(side);
  const graph = new cuda.CUDAGraph();
  graph.capture(step);
  return graph;
}

/** The names of the cases that end elsewhere than in Python. */
function differentFromPython(context: Mocha.Context, where: Device): string[] {
  const steps = 50;
  const theirs = JSON.parse(
    reference(context, '../cuda/python/capturable.py', where, String(steps), JSON.stringify(cases)),
  ) as string[];
  return cases
    .filter((example, i) => {
      const training = new Training(example, where);
      repeat(steps, training.step);
      return hashOf(training.left()) !== theirs[i];
    })
    .map(nameOf);
}

describe('capturable steps without a GPU', function () {
  let threads: number;
  before(() => {
    threads = getNumThreads();
    setNumThreads(1);
    capturableDevices.add('cpu');
  });
  after(() => {
    setNumThreads(threads);
    capturableDevices.delete('cpu');
  });

  it('50 of them: Python’s bits', function () {
    expect(differentFromPython(this, 'cpu')).to.deep.equal([]);
  });

  it('leave, with a GradScaler, what they leave without one', () => {
    for (const example of cases) {
      const [scaled, plain] = [new Training(example, 'cpu'), new Training(example, 'cpu')];
      const scaler = new amp.GradScaler({ device: 'cpu', growthInterval: 4 });
      repeat(STEPS, () => scaled.scaledStep(scaler));
      repeat(STEPS, plain.step);
      same(scaled.left(), plain.left());
    }
  });
});

describe('capturable steps on a GPU', function () {
  this.timeout(300_000);
  before(function () {
    needGpu(this);
  });

  it('50 of them: Python’s bits on the same one', function () {
    const different = differentFromPython(this, device);
    for (const name of different) note(`other bits: ${name}`);
    expect(different).to.deep.equal([]);
  });

  for (const example of cases) {
    it(`${nameOf(example)}: ${STEPS} replays leave what as many steps do`, () => {
      const [replayed, eager] = [new Training(example, device), new Training(example, device)];
      const graph = captured(replayed.step);
      repeat(STEPS, () => graph.replay());
      repeat(WARM_UP + STEPS, eager.step);
      same(replayed.left(), eager.left());
    });
  }

  it('see the rate that a schedule writes into a tensor', () => {
    const example: Case = { optimizer: 'AdamW', options: { foreach: true }, rate: 0.05 };
    const [replayed, eager] = [new Training(example, device), new Training(example, device)];
    const graph = captured(replayed.step);
    repeat(WARM_UP, eager.step);
    const schedules = [replayed, eager].map(({ optimizer }) => new optim.lrScheduler.ExponentialLR(optimizer, 0.5));
    repeat(STEPS, () => {
      graph.replay();
      eager.step();
      for (const schedule of schedules) schedule.step();
    });
    expect(replayed.lr!.item()).to.be.lessThan(1e-4);
    same(replayed.left(), eager.left());
  });

  it('go on from a loaded state', () => {
    const example: Case = { optimizer: 'NAdam', options: { foreach: true } };
    const [first, resumed] = [new Training(example, device), new Training(example, device)];
    repeat(WARM_UP, first.step);
    resumed.model.loadStateDict(first.model.stateDict());
    resumed.optimizer.loadStateDict(first.optimizer.stateDict());
    // Nothing but the capture comes before the first replay.
    const graph = new cuda.CUDAGraph();
    graph.capture(resumed.step);
    repeat(STEPS, () => graph.replay());
    repeat(STEPS, first.step);
    same(resumed.left(), first.left());
  });

  it('are captured with the scaling of their gradients, where they are fused', () => {
    const example: Case = { optimizer: 'AdamW', options: { fused: true } };
    const [replayed, eager] = [new Training(example, device), new Training(example, device)];
    const scalers = [1, 2].map(() => new amp.GradScaler({ growthInterval: 4 })) as [amp.GradScaler, amp.GradScaler];
    const graph = captured(() => replayed.scaledStep(scalers[0]));
    repeat(STEPS, () => graph.replay());
    repeat(WARM_UP + STEPS, () => eager.scaledStep(scalers[1]));
    same(replayed.left(), eager.left());
    expect(scalers[0].getScale()).to.equal(scalers[1].getScale()).and.to.be.greaterThan(65536);
  });

  it('leave, with a GradScaler, what they leave without one', () => {
    const example: Case = { optimizer: 'Adam', options: { foreach: true } };
    const [scaled, plain] = [new Training(example, device), new Training(example, device)];
    const scaler = new amp.GradScaler({ growthInterval: 4 });
    repeat(STEPS, () => scaled.scaledStep(scaler));
    repeat(STEPS, plain.step);
    same(scaled.left(), plain.left());
  });

  it('are refused while a graph is captured where they are not capturable', () => {
    const weight = new nn.Parameter(ones([4], { device }));
    const step = (optimizer: optim.Optimizer): Error & { code?: string } => {
      weight.grad = ones([4], { device });
      return thrownBy(() => new cuda.CUDAGraph().capture(() => optimizer.step()));
    };
    for (const Class of [optim.Adam, optim.NAdam, optim.Rprop]) {
      const error = step(new Class([weight]));
      expect(error.message).to.match(/captures this step, .*capturable: true/);
      expect(error.code).to.equal('INVALID_ARGUMENT');
    }
    expect(step(new optim.Adafactor([weight])).message).to.match(/Adafactor: a CUDA graph captures this step/);
    expect(weight.tolist()).to.deep.equal([1, 1, 1, 1]);
    const sgd = new optim.SGD([weight], { lr: 0.5 });
    const graph = new cuda.CUDAGraph();
    graph.capture(() => sgd.step());
    repeat(2, () => graph.replay());
    expect(weight.tolist()).to.deep.equal([0, 0, 0, 0]);
  });
});
