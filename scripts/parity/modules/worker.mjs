// Builds modules here as moduledb.py does there, from the same seed, and compares everything bit by bit. Requests come on
// standard input as lines of JSON, results go to standard output likewise.
import path from 'node:path';
import { AiforgeError, grad, manualSeed, nn, rand, scope, setNumThreads } from '../../../dist/lib/index.js';
import { difference, Tally } from '../compare.mjs';
import { framesOf, messageOf } from '../workers.mjs';
import { cloned, MissingClass, ModuleArguments, tensorsOfOutput } from './construct.mjs';

const SEED = 42;
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);

class Sample {
  constructor(frame, sample, tally) {
    this.frame = frame;
    this.sample = sample;
    this.tally = tally;
  }

  /** The first difference, or null. */
  check() {
    const { error, call } = this.sample;
    const constructed = this.#attempt('construction', () => this.#construct());
    if (constructed !== null || error?.stage === 'construction' || call === undefined) return constructed;
    return this.#attempt('forward', () => this.#run());
  }

  #attempt(stage, body) {
    const { error } = this.sample;
    if (error?.stage !== stage) return body();
    try {
      body();
    } catch (thrown) {
      if (thrown instanceof MissingClass || !(thrown instanceof AiforgeError)) throw thrown;
      return null;
    }
    return `Python throws ${error.message}; aiforge does not`;
  }

  #difference(expected, actual, where) {
    return difference(this.frame, expected, actual, this.tally, { exact: true, where });
  }

  #construct() {
    const { construction, training, repr, state } = this.sample;
    const args = new ModuleArguments(this.frame);
    manualSeed(SEED);
    this.module = args.construct(construction);
    this.module.train(training);
    return repr === undefined ? null : this.#states({ repr, state }, 'constructed');
  }

  #states({ repr, state }, when) {
    const ours = this.module.stateDict();
    const keys = this.#difference(
      state.keys.join(', '),
      Object.keys(ours).join(', '),
      `${when}: keys of the state dict`,
    );
    if (keys !== null) return keys;
    for (const [i, key] of state.keys.entries()) {
      if (state.values[i].$ === 'uninitialized') continue;
      const found = this.#difference(state.values[i], ours[key], `${when}: ${key}`);
      if (found !== null) return found;
    }
    return this.#difference(repr, String(this.module), `${when}: printed`);
  }

  #run() {
    const { call, clones, output, gradients, after, random } = this.sample;
    const args = new ModuleArguments(this.frame);
    const given = args.all(call);
    const inputs = [...new Set(args.differentiable)];
    manualSeed(SEED);
    const made = this.module.forward(...(clones ? given.map(cloned) : given));
    return (
      this.#difference(output, made, 'output') ??
      (gradients ? this.#gradients(gradients, made, inputs) : null) ??
      this.#states(after, 'after') ??
      this.#difference(random, rand([4]), 'the next random numbers')
    );
  }

  #gradients({ outputs, cotangents, inputs: ofInputs, names, parameters }, made, inputs) {
    const flat = tensorsOfOutput(made);
    const chosen = outputs.map((i) => flat[i]);
    const without = chosen.findIndex((tensor) => !tensor?.requiresGrad);
    if (without >= 0) return `output ${outputs[without]} has no gradient; Python's has`;
    const own = [...this.module.namedParameters()].filter(([, parameter]) => parameter.requiresGrad);
    const different = this.#difference(names.join(', '), own.map(([name]) => name).join(', '), 'names of parameters');
    if (different !== null) return different;
    const gradOutputs = cotangents.map((tensor) => new ModuleArguments(this.frame).value(tensor));
    const learning = [...inputs, ...own.map(([, parameter]) => parameter)];
    const found = grad(chosen, learning, { gradOutputs, allowUnused: true });
    const labels = [...inputs.map((_, i) => `gradient of input ${i}`), ...names.map((name) => `gradient of ${name}`)];
    for (const [i, expected] of [...ofInputs, ...parameters].entries()) {
      const wrong = this.#difference(expected, found[i], labels[i]);
      if (wrong !== null) return wrong;
    }
    return null;
  }
}

function runEntry(frame) {
  const { name, samples, failure } = frame.header;
  const tally = new Tally();
  const failures = [];
  if (failure !== undefined) failures.push({ sample: 'samples', message: `module_db: ${failure}` });
  samples.forEach((sample, i) => {
    const found = attempt(() => new Sample(frame, sample, tally).check());
    const label = `${i} (${[sample.desc, sample.training ? 'training' : 'evaluation'].filter(Boolean).join(', ')})`;
    if (found !== null) failures.push({ sample: label, message: found });
  });
  return {
    name,
    isMissing: nn[name] === undefined,
    samples: samples.length,
    gradients: samples.filter(({ gradients }) => gradients).length,
    refused: samples.filter(({ error }) => error).length,
    tensors: tally.tensors,
    failed: failures.length,
    failures,
  };
}

function attempt(check) {
  try {
    return scope(check);
  } catch (error) {
    return messageOf(error);
  }
}

setNumThreads(1);
let result = null;
for await (const frame of framesOf(process.argv[2], path.join(here, 'moduledb.py'))) {
  if (!frame.header.done) {
    result = runEntry(frame);
    continue;
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
