import { AiforgeError } from './errors.js';
import type { AnyKind, Kinds, Positional } from './kinds.js';
import { didYouMean, fold, nearest } from './nearest.js';
import { show } from './show.js';
import { notAwaited } from './promised.js';
import { isPlainObject, isPromise } from './realms.js';

/** Whether a value is an object literal, as options are; a Tensor, an array or a module is none. */
export const isOptions = isPlainObject;

/** The error for an option that nobody knows. */
export function unknownOption(name: string, option: string, options: readonly string[]): AiforgeError {
  const known = options.filter((each) => !each.startsWith('_'));
  return refusal(name, `has no option '${option}'.${didYouMean(option, known)} It takes ${known.join(', ')}`);
}

function refusal(name: string, problem: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `${name}: ${problem}.`);
}

/** The same of a value: what a promise is rejected with is told, and does not end the process. */
const refusalOf = (value: unknown, name: string, problem: string): AiforgeError =>
  isPromise(value) ? notAwaited('INVALID_ARGUMENT', `${name}: ${problem}.`, value) : refusal(name, problem);

/** Throws for an option whose name is not among `known`. */
export function checkOptionNames(name: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((option) => !known.includes(option));
  if (unknown !== undefined) throw unknownOption(name, unknown, known);
}

/**
 * What a constructor or function takes: arguments by position, then an options object. Constructors hand it their
 * `arguments`, which have what types do not let pass but JavaScript does.
 */
export class Signature {
  readonly #names: readonly string[];
  readonly #kinds: readonly AnyKind[];
  readonly #required: readonly boolean[];
  readonly #options: Readonly<Record<string, AnyKind>> | null;
  readonly #requiredOptions: readonly string[];

  readonly #positional: Positional;
  readonly #instead: Readonly<Record<string, string>>;

  constructor(
    positional: Positional,
    options: Readonly<Record<string, AnyKind>> | null,
    requiredOptions: readonly string[] = [],
    instead: Readonly<Record<string, string>> = {},
  ) {
    this.#positional = positional;
    this.#instead = instead;
    this.#names = Object.keys(positional);
    const given = Object.values(positional);
    this.#kinds = given.map((each) => ('optional' in each ? each.optional : each));
    this.#required = given.map((each) => !('optional' in each));
    this.#options = options;
    this.#requiredOptions = requiredOptions;
  }

  /** The same with more options. */
  also(options: Readonly<Record<string, AnyKind>>): Signature {
    return new Signature(this.#positional, { ...this.#options, ...options }, this.#requiredOptions, this.#instead);
  }

  /** The same with what errors say of options that other libraries have and this has not, by their names in lower case. */
  insteadOf(instead: Readonly<Record<string, string>>): Signature {
    return new Signature(this.#positional, this.#options, this.#requiredOptions, { ...this.#instead, ...instead });
  }

  /**
   * Throws for arguments that are missing, too many or of a wrong kind, and for options that there are not; undefined is
   * not given.
   *
   * @param name Who takes them, as the error calls it.
   */
  check(name: string, given: ArrayLike<unknown>): void {
    const kinds = this.#kinds;
    for (let i = 0; i < kinds.length; ++i) {
      const value = given[i];
      if (value === undefined ? this.#required[i] : !kinds[i]!.accepts(value)) throw this.#misplaced(name, i, value);
    }
    const options = given[kinds.length];
    if (given.length > kinds.length + (this.#options === null ? 0 : 1)) this.#checkCount(name, given);
    if (options !== undefined && this.#options !== null) this.checkOptions(name, options, given);
    else if (this.#requiredOptions.length > 0) throw this.#missing(name, this.#requiredOptions[0]!);
  }

  /** The same for an options object alone. */
  checkOptions(name: string, options: unknown, given: ArrayLike<unknown> = [options]): void {
    if (!isOptions(options)) throw this.#noOptions(name, given);
    const kinds = this.#options!;
    for (const option of Object.keys(options)) {
      const kind = Object.hasOwn(kinds, option) ? kinds[option] : undefined;
      const value = options[option];
      if (kind === undefined) throw this.#unknown(name, option);
      if (value !== undefined && !kind.accepts(value)) {
        throw refusalOf(value, name, `${option} must be ${kind.expected}, got ${show(value)}`);
      }
    }
    for (const option of this.#requiredOptions) if (options[option] === undefined) throw this.#missing(name, option);
  }

  // Arguments of undefined are not given, whether they have a place or not.
  #checkCount(name: string, given: ArrayLike<unknown>): void {
    const [places, isClosed] = [this.#kinds.length, this.#options === null];
    const extra = Array.from(given).slice(isClosed ? places : places + 1);
    if (extra.every((value) => value === undefined)) return;
    if (!isClosed) throw this.#noOptions(name, given);
    const got = extra.map(show).join(', ');
    if (places === 0) throw refusal(name, `takes no arguments, got ${got}`);
    throw refusal(name, `takes no more than ${this.#form(name)}, got ${got} after it`);
  }

  #missing(name: string, option: string): AiforgeError {
    return refusal(name, `the option ${option} must be given: ${this.#form(name)}`);
  }

  #form(name: string): string {
    return `${name}(${[...this.#names, ...(this.#options === null ? [] : ['options'])].join(', ')})`;
  }

  // An argument by position that is missing or of a wrong kind.
  #misplaced(name: string, position: number, value: unknown): AiforgeError {
    const parameter = this.#names[position]!;
    const byPosition = `it is given by position: ${this.#form(name)}`;
    if (value === undefined) return refusal(name, `${parameter} must be given: ${this.#form(name)}`);
    const isNamed = isOptions(value) && nearest(parameter, Object.keys(value)) !== undefined;
    const problem = `${parameter} must be ${this.#kinds[position]!.expected}, got ${show(value)}`;
    return refusalOf(value, name, isNamed ? `${problem}; ${byPosition}` : problem);
  }

  #unknown(name: string, option: string): AiforgeError {
    const options = Object.keys(this.#options!);
    const folded = fold(option);
    if (Object.hasOwn(this.#instead, folded)) {
      return refusal(name, `has no option '${option}': ${this.#instead[folded]!}`);
    }
    const parameter = nearest(option, options) === undefined ? nearest(option, this.#names) : undefined;
    if (parameter === undefined) return unknownOption(name, option, options);
    return refusal(name, `${parameter} is given by position, not as the option '${option}': ${this.#form(name)}`);
  }

  // What stands where an options object belongs is often what Python takes by position: then this says what to write.
  #noOptions(name: string, given: ArrayLike<unknown>): AiforgeError {
    const values = Array.from(given).slice(this.#kinds.length);
    if (values.length > 1 && isOptions(values.at(-1))) values.pop();
    const options = Object.entries(this.#options!).filter(([option]) => !option.startsWith('_'));
    const fits = values.every((value, i) => i < options.length && options[i]![1].accepts(value));
    const written = values.map((value, i) => `${options[i]?.[0]}: ${show(value)}`).join(', ');
    const shape = fits ? `write { ${written} }` : `with any of ${options.map(([option]) => option).join(', ')}`;
    const after = this.#names.length === 0 ? '' : ` after ${this.#names.join(', ')}`;
    const got = values.map(show).join(', ');
    return refusal(name, `expected an options object${after}, got ${got}${fits ? '; ' : ': '}${shape}`);
  }
}

/** A signature of arguments by position and no options. */
export function signature(positional: Positional): Signature;
/** A signature of arguments by position, and options in the order in which Python takes them, of which some must be given. */
export function signature<Options>(
  positional: Positional,
  options: Kinds<Options>,
  requiredOptions?: readonly (keyof Options & string)[],
): Signature;
export function signature(
  positional: Positional,
  options: Readonly<Record<string, AnyKind>> | null = null,
  requiredOptions: readonly string[] = [],
): Signature {
  return new Signature(positional, options, requiredOptions);
}

/** The signature of what takes no arguments. */
export const nothing = signature({});
