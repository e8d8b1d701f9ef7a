import * as aiforge from 'aiforge';
import { AiforgeError, Container, Generator, nn, ones, optim, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { argumentsOf, padded, publicClasses, type Declared } from './support/publicClasses.mjs';

type Callable = (...args: unknown[]) => unknown;

/** A function or method that everybody may call; `bind` gives it, with a new object of its own where it is a method. */
interface Subject {
  name: string;
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
  [/\.toString$/, 'JavaScript gives it anything'],
];

/** Those that are not called here, and why. */
const notCalled: [name: RegExp, why: string][] = [
  [/^distributed\.|^cuda\.[A-Z]/, 'they need other processes, or a GPU; test/distributed and test/cuda call them'],
  [/^logger\./, 'pino takes anything'],
];

const parameter = (): Tensor => new nn.Parameter(ones([2, 2]));

/** Objects of the classes that are not made by a call of their constructors. */
const instances: Record<string, () => object> = {
  Container: () => new Container(),
  Generator: () => new Generator(),
  Tensor: () => ones([2, 2]),
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
      found.push({ name: `${declared.name}.${method}`, bind });
    }
  }
  return found;
}

function functionsOf(namespace: object, prefix = '', seen = new Set<unknown>()): Subject[] {
  return Object.entries(namespace).flatMap(([key, value]: [string, unknown]) => {
    const name = prefix + key;
    if (key === 'default' || /^[A-Z]/.test(key) || seen.has(value)) return [];
    seen.add(value);
    if (typeof value === 'function') return [{ name, bind: () => value as Callable }];
    const isNamespace = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
    return isNamespace ? functionsOf(value, `${name}.`, seen) : [];
  });
}

describe('every public function and method', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aiforge-methods-'));
  const before_ = process.cwd();
  let subjects: Subject[];

  before(function () {
    this.timeout(60_000);
    const isCalled = ({ name }: Subject): boolean => !notCalled.some(([pattern]) => pattern.test(name));
    subjects = [...methodsOf(publicClasses()), ...functionsOf(aiforge)].filter(isCalled);
    process.chdir(folder);
  });

  after(() => {
    process.chdir(before_);
    rmSync(folder, { recursive: true });
  });

  /** What is wrong with a call; undefined where it is refused as it should be, or may be taken. */
  async function fault(subject: Subject, args: readonly unknown[], mayTake: boolean): Promise<string | undefined> {
    const call = subject.bind();
    try {
      await call(...args);
      return mayTake ? undefined : 'taken';
    } catch (error) {
      return error instanceof AiforgeError ? undefined : String(error);
    }
  }

  for (const [what, make] of Object.entries({ ...unfit, ...unlikely })) {
    it(`refuses ${what} with an AiforgeError`, async function () {
      this.timeout(60_000);
      expect(subjects.length).to.be.greaterThan(2000);
      const faults: string[] = [];
      for (const subject of subjects) {
        const mayTake = Object.hasOwn(unlikely, what) || takesAnything.some(([pattern]) => pattern.test(subject.name));
        for (const count of [1, 2, 3, 9]) {
          const found = await fault(subject, Array.from({ length: count }, make), mayTake);
          if (found !== undefined) faults.push(`${subject.name} (${count}): ${found}`);
        }
      }
      (await import('node:fs')).appendFileSync('/tmp/faults.txt', faults.map((each) => what + ' ' + each + '\n').join('')); expect(faults).to.deep.equal([]);
    });
  }
});
