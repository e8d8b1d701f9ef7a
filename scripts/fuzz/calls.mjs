// Makes one described call.
import { inspect } from 'node:util';
import { takeSteps } from './aftermath.mjs';
import { HostileError, hostileMakers } from './hostile.mjs';
import { callInside } from './surroundings.mjs';
import { callOperator, makeTensor } from './tensors.mjs';
import { endWorker } from './workers.mjs';

const camelCase = (name) => name.replace(/(?<=[a-z0-9A-Z])_+([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** Values out of their descriptions. `raw` values are those that the addon takes: handles and generators' numbers. */
class Values {
  handles = [];

  constructor(library, raw) {
    this.library = library;
    this.raw = raw;
  }

  #tensor(description) {
    const handle =
      description.k === 'same'
        ? (this.handles[description.of % Math.max(1, this.handles.length)] ?? -1)
        : makeTensor(this.library, description);
    if (description.k === 'tensor') this.handles.push(handle);
    return this.raw ? handle : this.library.wrapHandle(handle);
  }

  #dispose = () => {
    for (const handle of this.handles) this.library.native.dispose(handle);
  };

  #hostile({ v: name }) {
    const { Tensor, tensor } = this.library;
    return hostileMakers[name](this.#dispose, { Tensor, anyTensor: () => tensor.ones([2]) });
  }

  of(description) {
    switch (description?.k) {
      case 'tensor':
      case 'same':
        return this.#tensor(description);
      case 'tensors': {
        const items = description.v.map((item) => (item.k === 'null' ? null : this.of(item)));
        return this.raw ? Float64Array.from(items, (item) => (typeof item === 'number' ? item : -1)) : items;
      }
      case 'list':
        return description.v.map((item) => this.of(item));
      case 'num':
        return Number(description.v);
      case 'big':
        return BigInt(description.v);
      case 'complex':
        return { re: Number(description.re), im: Number(description.im) };
      case 'str':
        return description.v.repeat(description.times ?? 1);
      case 'bool':
        return description.v;
      case 'null':
        return null;
      case 'gen': {
        const { native, tensor } = this.library;
        return this.raw ? native.createGenerator() : new tensor.Generator();
      }
      case 'hostile':
        return this.#hostile(description);
      default:
        return undefined;
    }
  }
}

/** Positional arguments first, then the keyword-only ones by name. */
function publicArguments(schema, values) {
  const positional = values.filter((_, i) => !schema.arguments[i]?.kwargOnly);
  const options = {};
  schema.arguments.forEach(({ kwargOnly, name }, i) => {
    if (kwargOnly && values[i] !== undefined) options[camelCase(name)] = values[i];
  });
  while (positional.length > 0 && positional.at(-1) === undefined) positional.pop();
  return Object.keys(options).length > 0 ? [...positional, options] : positional;
}

/** Tensors first, and what has a default by its name, as functions of `nn` take them. */
function layerArguments(schema, values) {
  const isOption = (i) => schema.arguments[i]?.hasDefault;
  const options = {};
  schema.arguments.forEach(({ name }, i) => {
    if (isOption(i) && values[i] !== undefined) options[camelCase(name)] = values[i];
  });
  return [...values.filter((_, i) => !isOption(i)), ...(Object.keys(options).length > 0 ? [options] : [])];
}

function callPublic(library, way, schema, values) {
  const args = publicArguments(schema, values);
  const [kind, path] = way.split(' ');
  if (kind === 'nn') return library.nn.functional[path](...layerArguments(schema, values));
  if (kind === 'ops' || kind === 'call') return library.tensor.ops.aten(schema.name.replace(/^aten::/, ''))(...args);
  if (kind === 'method') return library.Tensor.prototype[path].apply(args[0], args.slice(1));
  return path.split('.').reduce((object, name) => object[name], library.tensor)(...args);
}

function callMember({ Tensor }, name, values) {
  const { get, set, value } = Object.getOwnPropertyDescriptor(Tensor.prototype, name);
  if (value !== undefined) return value.apply(values[0], values.slice(1));
  return values.length > 1 && set !== undefined ? set.call(values[0], values[1]) : get?.call(values[0]);
}

// What the fuzzer must find, to test it by.
const ownFailures = {
  abort: () => process.abort(),
  throw: () => {
    throw new TypeError('as a defect of the library would');
  },
};

function callOther(library, { via, name }, values) {
  const { native } = library;
  if (via === 'native') return native[name](...values);
  if (via === 'fuzzer') return ownFailures[name]();
  if (via === 'distributed') return native.distributed[name](...values);
  if (via === 'member') return callMember(library, name, values);
  const called =
    library.tensor[name] ?? library.autograd[name] ?? library.nn.functional[name.replace('nn.functional.', '')];
  return /^class\b/.test(Function.prototype.toString.call(called)) ? new called(...values) : called(...values);
}

const MOST_RESULTS = 64;

/** The tensors of a result, as handles. */
function handlesIn({ Tensor }, result, raw) {
  const items = (Array.isArray(result) ? result : [result]).flat(2);
  const handles = raw ? items.filter((item) => typeof item === 'number') : items.filter(Tensor.isTensor);
  return (raw ? handles : handles.map(Tensor.handleOf)).slice(0, MOST_RESULTS);
}

const MOST_ELEMENTS = 100_000;

/** Uses what an operator made: reads it, prints it, and runs its gradients. */
function useResult(library, handle, phase) {
  const { native, wrapHandle } = library;
  if (!native.isLive(handle) || native.numel(handle) > MOST_ELEMENTS) return;
  attempt(() => native.copyBytes(handle));
  attempt(() => inspect(wrapHandle(handle)));
  if (!native.requiresGrad(handle)) return;
  phase('backward');
  attempt(() => {
    const gradient = callOperator(native, 'ones_like', handle);
    native.backward(Float64Array.of(handle), Float64Array.of(gradient), false, native.numel(handle) % 2 === 0, null);
  });
}

/** Uses what a call that failed had been given: it must be as sound as before. */
function useArguments(library, handles) {
  const { native } = library;
  for (const handle of handles) {
    useResult(library, handle, () => undefined);
    if (!native.isLive(handle) || native.numel(handle) > MOST_ELEMENTS) continue;
    attempt(() => callOperator(native, 'sum', handle));
    attempt(() => callOperator(native, 'clone', handle));
  }
}

/** Changes what a call took and made, and uses what that leaves. */
function useAfterwards(library, call, handles, phase) {
  if (call.after === undefined) return;
  phase('aftermath');
  attempt(() => takeSteps(library, call, handles));
  attempt(() => useArguments(library, handles));
}

/** Runs a step whose refusal is no failure; anything but the library's own errors passes on. */
function attempt(step) {
  try {
    step();
  } catch (error) {
    // The fuzzer's own, where it has given the addon a factory of errors.
    if (error instanceof HostileError) return;
    if (error?.name !== 'AiforgeError' && error?.name !== 'TensorDisposedError') throw error;
  }
}

/** What JavaScript itself throws when a revoked proxy is looked at. */
const isOfProxy = (error) => error instanceof TypeError && error.message.includes('proxy that has been revoked');

/**
 * What a thrown value says: the code of an AiforgeError, 'HOSTILE' for the fuzzer's own, 'FOREIGN_THIS' for a method that
 * was called on something else, as JavaScript's own classes refuse it, 'TYPE_ERROR' for JavaScript's own refusal of a kind
 * of value that the types forbid in a function that is written in TypeScript, or 'FOREIGN'.
 */
function codeOf(error, foreignThis, isTyped = false) {
  if (error instanceof HostileError || isOfProxy(error)) return 'HOSTILE';
  if (foreignThis && error instanceof TypeError) return 'FOREIGN_THIS';
  if (['AiforgeError', 'TensorDisposedError'].includes(error?.name)) return error.code;
  // A RangeError: an array of arrays without end, taken for a number.
  return isTyped && (error instanceof TypeError || error instanceof RangeError) ? 'TYPE_ERROR' : 'FOREIGN';
}

/**
 * Makes a call: { via, name, way, args, raw? }. Returns the code it ended with ('OK' or an error's) and what was thrown, if
 * anything. `phase` is told what goes on.
 */
export async function makeCall(library, call, phase) {
  const { native, scope, enterContext, tensor } = library;
  if (call.via === 'worker') return endWorker(library, call);
  const isBare = call.via === 'operator' && call.way === 'call' && call.inside === undefined;
  const raw = isBare || ['native', 'distributed'].includes(call.via);
  tensor.manualSeed(1);
  let pending;
  let foreignThis = false;
  const isTyped = (['free', 'member'].includes(call.via) || /^nn /.test(call.way)) && !call.strict;
  const outcome = scope(() => {
    enterContext();
    const maker = new Values(library, raw);
    let values;
    try {
      values = call.args.map((description) => maker.of(description));
      foreignThis = (call.via === 'member' || /^method/.test(call.way)) && !library.Tensor.isTensor(values[0]);
      phase('call');
      const result = callInside(library, call, values, (given) => invoke(library, call, given));
      if (typeof result?.then === 'function') pending = result;
      if (call.via === 'operator') {
        phase('use');
        const results = handlesIn(library, result ?? values[0], raw);
        for (const handle of results) useResult(library, handle, phase);
        useAfterwards(library, call, [...maker.handles, ...results], phase);
      }
      return { code: 'OK' };
    } catch (error) {
      phase('use after failure');
      useArguments(library, maker.handles);
      useAfterwards(library, call, maker.handles, phase);
      return { code: codeOf(error, foreignThis, isTyped), error };
    }
  });
  if (call.via !== 'operator') {
    native.setNumThreads(1);
    native.excludeTransforms(false);
    while (native.transformDepth() > 0) native.exitTransform();
  }
  return pending === undefined ? outcome : settled(pending, outcome);
}

function invoke(library, call, values) {
  if (call.via !== 'operator') return callOther(library, call, values);
  if (call.way === 'call' && call.inside === undefined) return callOperator(library.native, call.name, ...values);
  return callPublic(library, call.way, library.native.schema(call.name), values);
}

async function settled(pending, outcome) {
  const late = new Promise((resolve) => setTimeout(resolve, 100, outcome).unref());
  const seen = Promise.resolve(pending).then(
    () => outcome,
    (error) => ({ code: codeOf(error, false), error }),
  );
  return Promise.race([seen, late]);
}
