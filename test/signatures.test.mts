import { AiforgeError, nn, ones } from 'aiforge';
import { expect } from 'chai';

import { argumentsOf, padded, publicClasses, type Declared } from './support/publicClasses.mjs';

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Options for which NaN is a value that is missing. */
const missing = /^preprocessing\.(OrdinalEncoder\.(unknownValue|encodedMissingValue)|SimpleImputer\.missingValues)$/;

describe('the constructor of every public class of nn, optim, data, amp, transforms and preprocessing', () => {
  let classes: Declared[];

  before(function () {
    this.timeout(60_000);
    classes = publicClasses().filter(({ name }) => /^(nn|optim|data|amp|transforms|preprocessing)\./.test(name));
  });

  /** What is wrong with calls that must be refused, each with what the error must say. */
  const accepted: string[] = [];
  function refused(name: string, attempt: () => unknown, message: RegExp): void {
    try {
      attempt();
      accepted.push(`${name} is accepted`);
    } catch (error) {
      const isRight = error instanceof AiforgeError && error.code === 'INVALID_ARGUMENT' && message.test(error.message);
      if (!isRight) accepted.push(`${name} says ${String(error)}`);
    }
  }
  beforeEach(() => void (accepted.length = 0));
  const noneAccepted = (): void => void expect(accepted).to.deep.equal([]);

  it('makes an instance of arguments by type, with all options undefined too', () => {
    expect(classes.length).to.be.greaterThan(200);
    for (const each of classes) {
      const [args, options] = argumentsOf(each);
      new each.make(...padded(each, args), ...(each.options === null ? [] : [options]));
      const unset = Object.fromEntries([...(each.options?.keys() ?? [])].map((option) => [option, undefined]));
      if (each.options !== null) new each.make(...padded(each, argumentsOf(each)[0]), { ...unset, ...options });
    }
  });

  it('refuses an argument too many', () => {
    for (const each of classes) {
      const [args, options] = argumentsOf(each);
      const given = [...padded(each, args), ...(each.options === null ? [] : [options]), 'extra'];
      refused(`${each.name}(…, 'extra')`, () => new each.make(...given), /extra/);
    }
    noneAccepted();
  });

  it('refuses to do without an argument that it needs, and one of a wrong kind', () => {
    for (const each of classes) {
      const [args] = argumentsOf(each);
      each.parameters.forEach(({ name, isRequired }, i) => {
        if (!isRequired) return;
        refused(`${each.name} without ${name}`, () => new each.make(...args.slice(0, i)), new RegExp(`\\b${name}\\b`));
        const wrong = args.with(i, Symbol('wrong'));
        refused(`${each.name} with ${name} of a wrong kind`, () => new each.make(...wrong), /Symbol\(wrong\)/);
      });
    }
    noneAccepted();
  });

  it('refuses an option that there is not, and says what Python’s name is here', () => {
    for (const each of classes) {
      if (each.options === null) continue;
      const [args, options] = argumentsOf(each);
      const make = (more: object): unknown => new each.make(...padded(each, args), { ...options, ...more });
      refused(`${each.name}({ noSuchThing })`, () => make({ noSuchThing: 1 }), /has no option 'noSuchThing'/);
      for (const option of each.options.keys()) {
        if (snakeCase(option) === option || option.startsWith('_')) continue;
        const message = new RegExp(`has no option '${snakeCase(option)}'\\. Did you mean '${option}'\\?`);
        refused(`${each.name}({ ${snakeCase(option)} })`, () => make({ [snakeCase(option)]: 1 }), message);
      }
    }
    noneAccepted();
  });

  it('refuses what is no object of options', () => {
    for (const each of classes) {
      if (each.options === null) continue;
      const [args] = argumentsOf(each);
      for (const wrong of [0.5, true, false, 'same', null, [1], ones([1]), new nn.Tanh(), () => 1]) {
        const name = `${each.name}(…, ${String(wrong)})`;
        refused(name, () => new each.make(...padded(each, args), wrong), /expected an options object/);
      }
    }
    noneAccepted();
  });

  it('refuses a value of a wrong kind for each option', () => {
    for (const each of classes) {
      if (each.options === null) continue;
      const [args, options] = argumentsOf(each);
      for (const [option, type] of each.options) {
        const attempt = (value: unknown) => () => new each.make(...padded(each, args), { ...options, [option]: value });
        const message = new RegExp(`\\b${option} must be `);
        refused(`${each.name}({ ${option}: Symbol() })`, attempt(Symbol('wrong')), message);
        const takesNaN = missing.test(`${each.name}.${option}`);
        if (/\bnumber\b/.test(type) && !takesNaN) refused(`${each.name}({ ${option}: NaN })`, attempt(NaN), message);
        if (/^(number|boolean)( \| null)? \| undefined$/.test(type)) {
          refused(`${each.name}({ ${option}: 'no' })`, attempt('no'), message);
        }
      }
    }
    noneAccepted();
  });

  it('works for a class of a user that passes its arguments on', () => {
    for (const each of classes) {
      const [args, options] = argumentsOf(each);
      class Own extends each.make {}
      class Passing extends each.make {
        constructor(...given: unknown[]) {
          super(...given);
        }
      }
      const given = each.options === null ? args : [...padded(each, args), options];
      for (const Class of [Own, Passing]) expect(new Class(...given), each.name).to.be.instanceOf(each.make);
    }
  });
});
