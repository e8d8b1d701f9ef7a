// Runs entries of op_db here and compares them with what opdb.py gives. Requests come on standard input as lines of JSON,
// results go to standard output likewise. A process of its own: what aborts LibTorch ends only this one.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AiforgeError, amp, grad, manualSeed, scope, setNumThreads, Tensor } from '../../dist/lib/index.js';
import { camelCase } from '../../dist/lib/tensor/calls/schema.js';
import { callOf } from './calls.mjs';
import { difference, Tally } from './compare.mjs';
import { undefinedValues } from './undefinedValues.mjs';
import { Arguments, tensorsIn } from './values.mjs';
import { framesOf, messageOf } from './workers.mjs';

const SEED = 42;
const FAILURES_KEPT = 3;
const here = path.dirname(fileURLToPath(import.meta.url));

/** The method of the name; for a function of nn.functional, the function with `inplace`. */
function inPlaceOf(call, name) {
  if (name !== 'inplace') return Tensor.prototype[name] ? (x, ...rest) => x[name](...rest) : null;
  return (x, ...rest) => {
    const options = isOptions(rest.at(-1)) ? rest.pop() : {};
    return call(x, ...rest, { ...options, inplace: true });
  };
}

const isOptions = (value) =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

const isTensor = (frame, value) => value?.$ === 'tensor';

class Entry {
  constructor(name) {
    this.name = name;
    this.target = callOf(name);
    this.tally = new Tally();
    this.result = {
      name,
      how: this.target?.how ?? null,
      isSpecial: this.target?.isSpecial ?? false,
      dtypes: {},
      samples: 0,
      gradients: 0,
      methods: 0,
      inPlace: 0,
      refusals: 0,
      sameMessage: 0,
      accepted: 0,
      acceptedInputs: [],
      failed: 0,
      failures: [],
    };
  }

  add(frame) {
    const { header } = frame;
    const { result } = this;
    if (header.errors) return this.#addRefusals(frame);
    if (header.failure !== undefined) this.#fail(header.dtype, 'samples', `op_db: ${header.failure}`);
    result.dtypes[header.dtype] = header.samples.length;
    header.samples.forEach((sample, i) => {
      result.samples += 1;
      for (const check of [this.#function, this.#method, this.#inPlace]) {
        const found =
          this.target === null ? 'aiforge has no function of this name' : this.#attempt(check, frame, sample);
        if (found !== null) this.#fail(header.dtype, i, found);
        if (found !== null) break;
      }
    });
  }

  #addRefusals(frame) {
    if (this.target === null) return;
    frame.header.samples.forEach((sample, i) => {
      this.result.refusals += 1;
      const found = this.#attempt(this.#function, frame, sample);
      if (found === null) return;
      this.result.accepted += 1;
      this.result.acceptedInputs.push({ sample: i, message: found });
    });
  }

  finish() {
    const { tensors, identical } = this.tally;
    return { ...this.result, tensors, identical };
  }

  #fail(dtype, sample, message) {
    this.result.failed += 1;
    if (this.result.failures.length < FAILURES_KEPT) this.result.failures.push({ dtype, sample, message });
  }

  #attempt(check, frame, sample) {
    try {
      return scope(() => check.call(this, frame, sample));
    } catch (error) {
      return messageOf(error);
    }
  }

  #call(frame, sample, method) {
    const args = new Arguments(frame);
    const positional = [args.value(sample.input), ...args.value(sample.args)];
    const options = args.options(sample.kwargs);
    if (Object.keys(options).length > 0) positional.push(options);
    const run = () => (manualSeed(SEED), method(positional));
    const { autocast } = frame.header;
    return { args, run: autocast ? () => amp.autocast({ deviceType: 'cpu', dtype: autocast }, run) : run };
  }

  #function(frame, sample) {
    const { args, run } = this.#call(frame, sample, (positional) => this.target.call(...positional));
    if (sample.error !== undefined) return this.#expectError(run, sample.error);
    const output = run();
    const ignoreValues = undefinedValues.has(this.name);
    const found = difference(frame, sample.output, output, this.tally, { ignoreValues });
    if (found !== null || sample.gradients === undefined) return found;
    return this.#gradients(frame, sample.gradients, output, args.differentiable);
  }

  #expectError(run, message) {
    try {
      run();
    } catch (error) {
      if (!(error instanceof AiforgeError)) return messageOf(error);
      const reason = message.slice(message.indexOf(': ') + 2).split('\n')[0];
      this.result.sameMessage += Number(error.message.includes(reason));
      return null;
    }
    return `Python throws ${message}; aiforge does not`;
  }

  #gradients(frame, expected, output, inputs) {
    const flat = tensorsIn(output);
    const outputs = expected.outputs.map((i) => flat[i]);
    const without = outputs.findIndex((tensor) => !tensor?.requiresGrad);
    if (without >= 0) return `output ${expected.outputs[without]} has no gradient; Python's has`;
    this.result.gradients += 1;
    const run = () => {
      const cotangents = expected.cotangents?.map((tensor) => new Arguments(frame).value(tensor));
      return grad(outputs, inputs, { gradOutputs: cotangents ?? outputs.map((t) => t.detach()), allowUnused: true });
    };
    if (expected.error !== undefined) return this.#expectError(run, expected.error);
    return difference(frame, expected.values, run(), this.tally, { where: 'gradients' });
  }

  #method(frame, sample) {
    const name = camelCase(frame.header.method ?? '');
    // Python's reflected operators (__radd__) have no counterpart as methods.
    if (name === '' || name.startsWith('__') || sample.error !== undefined || !isTensor(frame, sample.input))
      return null;
    if (!(name in Tensor.prototype)) return `aiforge has no method ${name}`;
    const { run } = this.#call(frame, sample, ([x, ...rest]) => x[name](...rest));
    this.result.methods += 1;
    const ignoreValues = undefinedValues.has(this.name);
    return difference(frame, sample.output, run(), this.tally, { ignoreValues, where: `method ${name}` });
  }

  #inPlace(frame, sample) {
    if (sample.inPlaceOutput === undefined) return null;
    const name = frame.header.inPlace === null ? 'inplace' : camelCase(frame.header.inPlace);
    const inPlace = inPlaceOf(this.target.call, name);
    if (inPlace === null) return `aiforge has no method ${name}`;
    const { run } = this.#call(frame, sample, ([x, ...rest]) => inPlace(x.detach().clone(), ...rest));
    this.result.inPlace += 1;
    return difference(frame, sample.inPlaceOutput, run(), this.tally, { where: name });
  }
}

setNumThreads(1);
let entry;
for await (const frame of framesOf(process.argv[2], path.join(here, 'opdb.py'))) {
  const { header } = frame;
  if (header.done) {
    process.stdout.write(`${JSON.stringify({ entry: header.entry, ...entry?.finish() })}\n`);
    entry = undefined;
    continue;
  }
  entry ??= new Entry(header.name);
  entry.add(frame);
}
