// Runs one case of optimizers.py here and compares it with what Python's steps left.
import * as aiforge from '../../dist/lib/index.js';
import { capturableDevices } from '../../dist/lib/optim/capturable.js';
import { difference, Tally } from './compare.mjs';
import { Arguments } from './values.mjs';

const { AiforgeError, manualSeed, noGrad, optim, randint, randn, scope, setNumThreads, sparseCooTensor, viewAsReal } =
  aiforge;

setNumThreads(1);

const STEPS = 32;
const RESUMED = 10;
const SEED = 42;
const SHAPES = {
  dense: [[4, 3], [3], [], [2, 1, 5]],
  complex: [[4, 3], [3]],
  matrices: [
    [4, 3],
    [3, 4],
    [5, 5],
  ],
  sparse: [[6, 3]],
};
const ROWS = 4;

/** What is wrong with a case, or null, and how many tensors were compared. */
export function check(frame) {
  const tally = new Tally();
  let problem;
  // What a GPU would take; the arithmetic is the same.
  if (frame.header.capturable_on_cpu) capturableDevices.add('cpu');
  try {
    problem = scope(() => compare(frame, tally));
  } catch (error) {
    problem = error instanceof Error ? `${error.name}: ${error.message}`.split('\n')[0] : String(error);
  } finally {
    capturableDevices.delete('cpu');
  }
  if (problem === null && tally.identical !== tally.tensors) problem = 'some tensors are close only';
  return { problem, tensors: tally.identical };
}

function compare(frame, tally) {
  const { header } = frame;
  const run = new Run(frame);
  if (header.refused === 'when it is made') return refusal(() => run.make(), header);
  run.make();
  const isDefault = Object.keys(header.options.items).length === 0;
  const text = isDefault ? (repr) => repr : withoutPoints;
  if (text(String(run.optimizer)) !== text(header.repr)) return differentText(header.repr, String(run.optimizer));
  for (let step = 0; step < header.steps.length; ++step) {
    run.step(step);
    const problem = run.difference(header.steps[step], tally, `step ${step + 1}`);
    if (problem !== null) return problem;
  }
  if (header.refused !== null) return refusal(() => run.step(header.steps.length), header);
  return run.differentGroups(tally) ?? resume(frame, tally);
}

/** A new optimizer goes on from the parameters and the state dict that Python had in the middle. */
function resume(frame, tally) {
  const { header } = frame;
  const run = new Run(frame);
  run.make();
  const { parameters, state } = decode(new Arguments(frame), header.steps[RESUMED - 1]);
  noGrad(() => run.parameters.forEach((parameter, i) => parameter.copy_(parameters[i])));
  const groups = decode(new Arguments(frame), header.groups);
  run.optimizer.loadStateDict({ state: Object.fromEntries(state), param_groups: groups });
  for (let step = RESUMED; step < STEPS; ++step) run.step(step);
  return run.difference(header.resumed, tally, 'resumed');
}

/** A value with Python's own keys, where `Arguments` would make options of them. */
function decode(values, encoded) {
  if (Array.isArray(encoded)) return encoded.map((item) => decode(values, item));
  if (encoded?.$ !== 'dict') return values.value(encoded);
  return Object.fromEntries(Object.entries(encoded.items).map(([key, item]) => [key, decode(values, item)]));
}

function refusal(make, { error }) {
  try {
    make();
  } catch (refused) {
    return refused instanceof AiforgeError ? null : `was refused by ${refused.stack}`;
  }
  return `was taken, where Python says ${error}`;
}

// What is given as 2.0 in Python is 2 in JavaScript.
const withoutPoints = (repr) => repr.replace(/(\d)\.0(?=[,)\n])/g, '$1');

const differentText = (expected, actual) => `prints\n${actual}\n  instead of\n${expected}`;

class Run {
  constructor(frame) {
    this.frame = frame;
    const { problem, dtype } = frame.header;
    manualSeed(SEED);
    const shapes = SHAPES[problem];
    const random = (shape) => randn(shape, { dtype });
    this.parameters = shapes.map(random);
    this.noise = Array.from({ length: STEPS }, () => {
      if (problem !== 'sparse') return shapes.map(random);
      const indices = randint(0, 6, [1, ROWS]);
      return [sparseCooTensor(indices, random([ROWS, 3]), [6, 3])];
    });
  }

  make() {
    const { header } = this.frame;
    const values = new Arguments(this.frame);
    const { differentiable, ...others } = values.options(header.options.items);
    const options = differentiable === undefined ? others : { ...others, differentiable };
    for (const parameter of this.parameters) parameter.requiresGrad_(differentiable !== true);
    const [first, ...rest] = this.parameters;
    const groups =
      header.second === null
        ? this.parameters
        : [{ params: [first] }, { params: rest, ...values.options(header.second.items) }];
    this.optimizer = new optim[header.optimizer](groups, options);
  }

  step(step) {
    const { optimizer, missing, problem } = this.frame.header;
    scope(() => {
      if (optimizer === 'LBFGS') {
        this.optimizer.step(() => this.#loss());
        return;
      }
      this.parameters.forEach((parameter, i) => {
        const noise = this.noise[step][i];
        if (missing && i === 1 && (step % 4 === 0 || step % 4 === 2)) parameter.grad = null;
        else parameter.grad = problem === 'sparse' ? noise.clone() : noise.add(parameter.detach().mul(0.1));
      });
      this.optimizer.step();
    });
  }

  #loss() {
    this.optimizer.zeroGrad();
    const losses = this.parameters.map((parameter, i) => {
      const distance = parameter.sub(this.noise[0][i]);
      const square = (parameter.dtype.startsWith('complex') ? viewAsReal(distance) : distance).square();
      return square.add(square.mul(square).mul(0.1)).sum();
    });
    const loss = losses.reduce((sum, item) => sum.add(item), losses[0].detach().mul(0));
    loss.backward();
    return loss;
  }

  difference(left, tally, where) {
    const { parameters, state } = left.items;
    const own = this.optimizer.stateDict().state;
    return (
      difference(this.frame, parameters, this.parameters, tally, { where: `${where}, parameters` }) ??
      this.#differentState(state, own, tally, where)
    );
  }

  #differentState(expected, own, tally, where) {
    const indices = Object.keys(own).join();
    if (expected.map(([index]) => index).join() !== indices) return `${where}: has state of parameters ${indices}`;
    for (const [index, { items }] of expected) {
      const problem = differentDict(this.frame, items, own[index], tally, `${where}, state ${index}`);
      if (problem !== null) return problem;
    }
    return null;
  }

  differentGroups(tally) {
    const own = this.optimizer.stateDict().param_groups;
    for (const [i, { items }] of this.frame.header.groups.entries()) {
      const problem = differentDict(this.frame, items, own[i], tally, `group ${i}`);
      if (problem !== null) return problem;
    }
    return null;
  }
}

function differentDict(frame, expected, own, tally, where) {
  const [theirs, ours] = [expected, own].map((entry) => Object.keys(entry).sort().join());
  if (theirs !== ours) return `${where}: expected the keys ${theirs}, got ${ours}`;
  for (const [key, value] of Object.entries(expected)) {
    const problem = difference(frame, value, own[key], tally, { where: `${where}, ${key}` });
    if (problem !== null) return problem;
  }
  return null;
}
