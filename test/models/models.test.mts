import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { getNumThreads, load, loadSafetensors, manualSeed, noGrad, save, scope, setNumThreads } from 'aiforge';
import type { nn, optim } from 'aiforge';
import { expect } from 'chai';

import { reference } from '../support/reference.mjs';
import * as gpt from './gpt.mjs';
import * as lenet from './lenet.mjs';
import { length } from './length.mjs';
import * as mlp from './mlp.mjs';
import * as resnet from './resnet.mjs';
import * as tagger from './tagger.mjs';
import { trainStep, type Task } from './task.mjs';
import * as translator from './translator.mjs';
import * as vae from './vae.mjs';

const models: Record<string, { build(): Task }> = { gpt, lenet, mlp, resnet, tagger, translator, vae };
const names = Object.keys(models);

// As in python/run.py.
const STEPS = 100;
const BEFORE = 10;
const AFTER = 10;

interface Training {
  losses: number[];
  weights: Record<string, string>;
}

interface FromPython extends Training {
  evaluation: number;
  /** How Python goes on with what it saved, and with what aiforge saved. */
  python: Training;
  aiforge: Training;
}

interface Saved {
  model: nn.StateDict;
  optimizer: optim.OptimizerStateDict;
}

function build(name: string): Task {
  manualSeed(0);
  return models[name]!.build();
}

const train = (task: Task, steps: number): number[] =>
  Array.from({ length: steps }, () => scope(() => trainStep(task, task.batch()).item()));

const weightsOf = ({ model }: Task): Record<string, string> =>
  Object.fromEntries(
    Object.entries(model.stateDict()).map(([name, tensor]) => {
      const { buffer, byteOffset, byteLength } = tensor.contiguous().toTypedArray();
      return [
        name,
        createHash('sha256')
          .update(new Uint8Array(buffer, byteOffset, byteLength))
          .digest('hex'),
      ];
    }),
  );

function evaluate(task: Task): number {
  task.model.eval();
  return scope(() => noGrad(() => task.loss(...task.batch()).item()));
}

/** A Task that has trained for a while, and what is saved of it. */
function begin(name: string, folder: string): Task {
  const task = build(name);
  train(task, BEFORE);
  save(
    { model: task.model.stateDict(), optimizer: task.optimizer.stateDict() },
    path.join(folder, `${name}.aiforge.pt`),
  );
  return task;
}

function goOn(task: Task): Training {
  manualSeed(1);
  return { losses: train(task, AFTER), weights: weightsOf(task) };
}

describe('whole models against Python, bit by bit', function () {
  this.timeout(600_000);
  let folder: string;
  let threads: number;
  let theirs: Record<string, FromPython>;

  before(function () {
    threads = getNumThreads();
    setNumThreads(1);
    folder = mkdtempSync(path.join(tmpdir(), 'aiforge-test-'));
    if (process.env.AIFORGE_REFERENCE_PYTHON !== undefined) for (const name of names) begin(name, folder);
    theirs = JSON.parse(reference(this, '../models/python/run.py', folder, ...names)) as typeof theirs;
  });
  after(() => {
    setNumThreads(threads);
    rmSync(folder, { recursive: true });
  });

  for (const name of names) {
    it(`${name} trains to the same losses and weights`, () => {
      const task = build(name);
      const losses = train(task, STEPS);
      const expected = theirs[name]!;
      expect(losses).to.deep.equal(expected.losses);
      expect(weightsOf(task)).to.deep.equal(expected.weights);
      expect(evaluate(task)).to.equal(expected.evaluation);
      const mean = (part: number[]): number => part.reduce((sum, loss) => sum + loss) / part.length;
      expect(mean(losses.slice(-10))).to.be.lessThan(mean(losses.slice(0, 10)));
    });

    it(`${name} goes on with what Python saved`, () => {
      const saved = load<Saved>(path.join(folder, `${name}.python.pt`));
      const task = build(name);
      task.model.loadStateDict(saved.model);
      task.optimizer.loadStateDict(saved.optimizer);
      expect(goOn(task)).to.deep.equal(theirs[name]!.python);
      const weights = loadSafetensors(path.join(folder, `${name}.python.safetensors`)).tensors;
      const other = build(name);
      other.model.loadStateDict(weights);
      const given = build(name);
      given.model.loadStateDict(saved.model);
      expect(weightsOf(other)).to.deep.equal(weightsOf(given));
    });

    it(`${name} goes on in Python with what was saved here`, () => {
      expect(goOn(begin(name, folder))).to.deep.equal(theirs[name]!.aiforge);
    });
  }
});

describe('whole models beside their Python', () => {
  for (const name of names) {
    it(`${name} is at most a fifth longer`, () => {
      const ours = length(readFileSync(path.resolve(`test/models/${name}.mts`), 'utf8'));
      const theirs = length(readFileSync(path.resolve(`test/models/python/${name}.py`), 'utf8'));
      const text = ({ lines, characters }: typeof ours): string => `${lines} lines, ${characters} characters`;
      console.log(`      ${name}: ${text(ours)}; in Python ${text(theirs)}`);
      expect(ours.lines).to.be.at.most(1.2 * theirs.lines);
      expect(ours.characters).to.be.at.most(1.2 * theirs.characters);
    });
  }
});
