// Everything that the fuzzer calls, in an order that does not change.
import { readFileSync } from 'node:fs';

const corpusFile = new URL('corpus.jsonl', import.meta.url);

/** What is no call of the library's to test: it would change the fuzzer itself, or write files. */
const untouched = new Set(['call', 'takeInnerOperators', 'ops', 'saveSafetensors', 'loadSafetensors', 'addLogFile']);

/** Starting a thread takes as long as many calls. */
const WORKERS = 8;

const camelCase = (name) => name.replace(/(?<=[a-z0-9A-Z])_+([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** `add.Tensor` → `add`. */
const baseOf = (name) => name.replace(/\..*$/, '');

/** A namespace of functions such as `linalg`, where there is one, and the name in it. */
function placesOf(library, base) {
  const places = [];
  const name = camelCase(base);
  if (typeof library.tensor[name] === 'function') places.push(['function', name]);
  const method = Object.getOwnPropertyDescriptor(library.Tensor.prototype, name)?.value;
  if (typeof method === 'function') places.push(['method', name]);
  if (typeof library.nn.functional[name] === 'function') places.push(['nn', name]);
  for (const space of ['linalg', 'fft', 'special']) {
    if (!base.startsWith(`${space}_`)) continue;
    const inner = camelCase(base.slice(space.length + 1));
    if (typeof library.tensor[space]?.[inner] === 'function') places.push(['function', `${space}.${inner}`]);
  }
  return places;
}

/** The functions and accessors of an object that are no operators. */
function functionsOf(object, via, taken) {
  const isCalled = (name) => {
    const { value, get } = Object.getOwnPropertyDescriptor(object, name);
    return typeof value === 'function' || get !== undefined;
  };
  const names = Object.getOwnPropertyNames(object).filter((name) => !untouched.has(name) && !taken.has(name));
  return names.filter((name) => name !== 'constructor' && isCalled(name)).map((name) => ({ via, name }));
}

/** Targets: { via, name, schema? }; `via` is how it is reached. `inner`: also what only `ops.unsafe()` opens. */
export function listTargets(library, inner) {
  const { native } = library;
  const targets = [];
  const taken = new Set();
  const isOffered = (name) => inner || library.publicOperators.has(baseOf(name));
  for (const operator of native.operatorNames().sort().filter(isOffered)) {
    targets.push({ via: 'operator', name: operator, ways: ['call', 'ops'] });
    for (const [via, name] of placesOf(library, baseOf(operator))) {
      targets.at(-1).ways.push(`${via} ${name}`);
      taken.add(name);
    }
  }
  targets.push(...functionsOf(native, 'native', taken));
  targets.push(...functionsOf(native.distributed, 'distributed', taken));
  targets.push(...functionsOf(library.Tensor.prototype, 'member', taken));
  for (const [name, value] of Object.entries({ ...library.tensor, ...library.autograd })) {
    if (typeof value === 'function' && !taken.has(name) && !untouched.has(name)) targets.push({ via: 'free', name });
  }
  for (const name of Object.keys(library.nn.functional)) targets.push({ via: 'free', name: `nn.functional.${name}` });
  for (let i = 0; i < WORKERS; ++i) targets.push({ via: 'worker', name: `${i}` });
  return targets;
}

/** Calls that PyTorch takes, by operator; an operator without any gets its siblings' by the arguments' names. */
export function readCorpus(native) {
  const lines = readFileSync(corpusFile, 'utf8').trim().split('\n');
  const calls = Object.fromEntries(lines.map((line) => JSON.parse(line)));
  const byBase = new Map();
  const trimmed = (name) => baseOf(name).replace(/^_+|(_copy|_out|_)$/g, '');
  for (const name of Object.keys(calls)) {
    const base = trimmed(name);
    byBase.set(base, [...(byBase.get(base) ?? []), name]);
  }
  return (name, schema) => {
    if (calls[name] !== undefined) return calls[name];
    return (byBase.get(trimmed(name)) ?? []).flatMap((sibling) => {
      let other;
      try {
        other = native.schema(sibling);
      } catch {
        return [];
      }
      const position = new Map(other.arguments.map((argument, i) => [argument.name, i]));
      return calls[sibling].map((args) => schema.arguments.map(({ name }) => args[position.get(name)]));
    });
  };
}
