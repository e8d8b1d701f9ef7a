// Calls every public function and method with what none takes, and writes what was wrong as JSON. A program of its own:
// the calls that are taken change settings, and hooks that they register stay.

import * as aiforge from 'aiforge';
import { AiforgeError, amp, Container, Generator, nn, ones, optim, type Tensor } from 'aiforge';
import { AssertionError } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { argumentsOf, padded, publicClasses, type Declared } from './publicClasses.mjs';

type Callable = (...args: unknown[]) => unknown;

/** A function or method that everybody may call; `bind` gives it, with a new object of its own where it is a method. */
interface Subject {
  name: string;
  /** As it was written or generated. */
  source: string;
  bind: () => Callable;
}

class Odd {}

/** What no parameter takes, but for those that take anything. */
const unfit: Record<string, () => unknown> = {
  'an odd object': () => new Odd(),
  'a symbol': () => Symbol('wrong'),
  'a promise': () => Promise.resolve(1),
  'a proxy': () => new Proxy(new Odd(), {}),
};

/** What some parameters take. */
const unlikely: Record<string, () => unknown> = {
  null: () => null,
  NaN: () => NaN,
  'a string': () => 'such a thing',
};

/** Those that may take anything, and why. */
const takesAnything: [name: RegExp, why: string][] = [
  [/\.toString$|^(logger|settings)\./, 'JavaScript or pino says what they take'],
  [/\.toJSON$/, 'JSON.stringify calls it with a key'],
  [
    /\.(extraRepr|saveToStateDict|loadFromStateDict|initializeParameters)$/,
    'the library calls it, and modules override it',
  ],
  [/^nn\.(Identity|Sequential)\.forward$/, 'it gives back what it is given, as a sequence without layers does'],
  [/^(isTensor|isSharedTensor|keep)$/, 'arrays call it with an index too: list.every(isTensor), list.map(keep)'],
  [/^autograd\.checkpoint$/, 'it hands them to its function'],
  [/^singleProcess\./, 'one process alone has nobody to send anything to'],
];

/** Those that arrays call with an index and the array too: `list.map(share)`. */
const arraysCall = /^(share|transfer|fromShared|releaseShared)$/;

/** Those that are not called here, and why. */
const notCalled: [name: RegExp, why: string][] = [
  [/^nn\.Uninitialized/, 'without a shape they refuse whatever they are given'],
  [/^distributed\.|^cuda\.[A-Z]/, 'they need other processes, or a GPU; test/distributed and test/cuda call them'],
];

const parameter = (): Tensor => new nn.Parameter(ones([2, 2]));

/** Objects of the classes that are not made by a call of their constructors. */
const instances: Record<string, () => object> = {
  Container: () => new Container(),
  Generator: () => new Generator(),
  Tensor: () => ones([2, 2]),
  'amp.GradScaler': () => new amp.GradScaler({ device: 'cpu' }),
  'nn.ModuleHookHandle': () => new nn.Linear(2, 2).registerForwardHook(() => undefined),
  'optim.OptimizerHookHandle': () => new optim.SGD([parameter()], { lr: 0.1 }).registerStepPreHook(() => undefined),
};

function instanceOf(declared: Declared): (() => object) | undefined {
  const { name, make, options } = declared;
  if (Object.hasOwn(instances, name)) return instances[name];
  if (!/^(nn|optim|data)\./.test(name)) return undefined;
  return () => {
    const [args, given] = argumentsOf(declared);
    return new make(...padded(declared, args), ...(options === null ? [] : [given]));
  };
}

function methodsOf(classes: readonly Declared[]): Subject[] {
  const seen = new Set<unknown>();
  const found: Subject[] = [];
  for (const declared of classes) {
    const make = instanceOf(declared);
    if (make === undefined) continue;
    for (const method of declared.methods) {
      const value: unknown = Reflect.get(declared.make.prototype as object, method);
      if (typeof value !== 'function' || seen.has(value)) continue;
      seen.add(value);
      const bind = (): Callable => {
        const object = make();
        return (...args) => (Reflect.get(object, method) as Callable).apply(object, args);
      };
      found.push({ name: `${declared.name}.${method}`, source: String(value), bind });
    }
  }
  return found;
}

function functionsOf(namespace: object, prefix = '', seen = new Set<unknown>()): Subject[] {
  return Object.entries(namespace).flatMap(([key, value]: [string, unknown]) => {
    const name = prefix + key;
    if (key === 'default' || /^[A-Z]/.test(key) || seen.has(value)) return [];
    seen.add(value);
    if (typeof value === 'function') return [{ name, source: String(value), bind: () => value as Callable }];
    const isNamespace =
      typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
    return isNamespace ? functionsOf(value, `${name}.`, seen) : [];
  });
}

/** Arguments one of which most functions that need some take. */
const likely: (() => unknown[])[] = [
  () => [],
  () => [x()],
  () => [x(), x()],
  () => [1],
  () => ['weight'],
  () => ['0'],
  () => ['float64'],
  () => [[2, 2]],
  () => [() => x()],
  () => [new nn.Linear(2, 2)],
  () => [new nn.Linear(2, 2), 'weight'],
  () => [{}],
  () => [x(), 1],
  () => [x(), [1, 1]],
  () => [true],
  () => [() => x(), x()],
  () => [(v: Tensor) => v.sum(), x()],
  () => [[x(), x()]],
  () => [[x()], 1],
];

const x = (): Tensor => ones([2, 2], { requiresGrad: false });

/** Arguments of those that take others. */
const taken: [name: RegExp, args: () => unknown[]][] = [
  [/\.registerBuffer$/, () => ['extra', x()]],
  [/\.registerParameter$/, () => ['extra', parameter()]],
  [/\.(registerModule|addModule)$/, () => ['extra', new nn.Linear(2, 2)]],
  [/\.toEmpty$/, () => [{ device: 'meta' }]],
  [/ModuleDict\.set$/, () => ['extra', new nn.Linear(2, 2)]],
  [/ParameterDict\.(set|setdefault)$/, () => ['extra', x()]],
  [/^optim\..*\.addParamGroup$/, () => [{ params: [parameter()] }]],
  [/\.apply_$/, () => [() => 1]],
  [/\.map_$/, () => [x(), () => 1]],
  [/\.map2_$/, () => [x(), x(), () => 1]],
  [/\.(registerHook|registerPostAccumulateGradHook)$/, () => [() => undefined]],
  [/^(Generator\.setState|setRngState)$/, () => [new Generator().getState()]],
  [/^amp\.autocast$/, () => [{ deviceType: 'cpu' }, () => 1]],
  [/^autograd\.setGradEnabled$/, () => [true, () => 1]],
  [
    /^data\.randomSplit$/,
    () => [
      [1, 2],
      [1, 1],
    ],
  ],
  [/^from(Buffer|TypedArray)$/, () => [new Float32Array(2)]],
  [/^iinfo$/, () => ['int8']],
  [/^nn\.init\.calculateGain$/, () => ['relu']],
  [/^nn\.init\.dirac_?$/, () => [ones([2, 2, 3])]],
  [/^nn\.utils\.clipGradsWithNorm_$/, () => [[parameter()], 1, ones([])]],
  [/^nn\.utils\.rnn\.invertPermutation$/, () => [null]],
  [/^nn\.utils\.prune\.(l1|random)Unstructured$/, () => [new nn.Linear(2, 2), 'weight', 1]],
  [/^nn\.utils\.vectorToParameters$/, () => [ones([4]), [parameter()]]],
  [/^nn\.utils\.convertConv.dWeightMemoryFormat$/, () => [new nn.Linear(2, 2), 'contiguous_format']],
  [/^ops\.aten$/, () => ['add.Tensor']],
  [/^saveWeights$/, () => ['weights.safetensors', new nn.Linear(2, 2), 1]],
];

/** Arguments that a function takes; undefined where none of the likely ones are. */
async function fittingArguments({ name, bind }: Subject): Promise<(() => unknown[]) | undefined> {
  const known = taken.filter(([pattern]) => pattern.test(name)).map(([, args]) => args);
  for (const args of [...known, ...likely]) {
    try {
      await bind()(...args());
      return args;
    } catch {
      // Others then.
    }
  }
  return undefined;
}

/** What is wrong with a call; undefined where it is refused as it should be, or may be taken. */
async function fault(subject: Subject, args: readonly unknown[], mayTake: boolean): Promise<string | undefined> {
  const call = subject.bind();
  try {
    await call(...args);
    return mayTake ? undefined : 'taken';
  } catch (error) {
    // An assertion that fails is what assertClose is for.
    return error instanceof AiforgeError || error instanceof AssertionError ? undefined : String(error);
  }
}

/** Calls with one to nine values of a kind. */
async function withValues(subjects: readonly Subject[], make: () => unknown, mayTake: boolean): Promise<string[]> {
  const faults: string[] = [];
  for (const subject of subjects) {
    for (const count of [1, 2, 3, 9]) {
      const found = await fault(subject, Array.from({ length: count }, make), mayTake);
      if (found !== undefined) faults.push(`${subject.name} with ${count}: ${found}`);
    }
  }
  return faults;
}

/** Calls with an argument after those that a function takes, at once and after some that are not given. */
async function withSurplus(subjects: readonly Subject[]): Promise<{ tried: number; faults: string[] }> {
  const faults: string[] = [];
  let tried = 0;
  for (const subject of subjects) {
    const args = await fittingArguments(subject);
    if (args === undefined) continue;
    ++tried;
    // Generated functions look at one argument after those that they take.
    const gaps = /^(function \w+\$|\w+)\([ab]0/.test(subject.source) ? [0] : [0, 1, 2, 3, 9];
    for (const gap of gaps) {
      const missing = Array.from({ length: gap }, () => undefined);
      const found = await fault(subject, [...args(), ...missing, new Odd()], false);
      if (found !== undefined) faults.push(`${subject.name} after ${args().length + gap}: ${found}`);
    }
  }
  return { tried, faults };
}

/** What the program writes. */
export interface Report {
  subjects: number;
  /** What was wrong, by the values that the functions were called with. */
  faults: Record<string, string[]>;
  /** How many functions an argument too many was tried with. */
  tried: number;
}

async function report(): Promise<Report> {
  const all = [...methodsOf(publicClasses()), ...functionsOf(aiforge)];
  const subjects = all.filter(({ name }) => ![...notCalled, ...takesAnything].some(([pattern]) => pattern.test(name)));
  // Some write files.
  process.chdir(mkdtempSync(path.join(tmpdir(), 'aiforge-methods-')));
  const faults: Report['faults'] = {};
  for (const [what, make] of Object.entries(unfit)) faults[what] = await withValues(subjects, make, false);
  for (const [what, make] of Object.entries(unlikely)) faults[what] = await withValues(subjects, make, true);
  const surplus = await withSurplus(subjects.filter(({ name }) => !arraysCall.test(name)));
  faults['an argument too many'] = surplus.faults;
  rmSync(process.cwd(), { recursive: true });
  return { subjects: subjects.length, faults, tried: surplus.tried };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = await report();
  process.stdout.write(JSON.stringify(found), () => process.exit());
}
