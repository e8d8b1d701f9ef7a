import { isWholeType, wholeRanges, type ColumnType } from './columnTypes.js';
import { numberOfText, wholeOfText } from './numberText.js';

/** What the values of a column have been so far. */
type Seen = 'nothing' | 'bool' | 'whole' | 'number' | 'string';

const [least, most] = wholeRanges.int64;

/**
 * Finds the type that all values of a column fit. Whole numbers are int64, with missing ones among them float64 as in pandas, unless
 * float64 could not hold them exactly; other numbers are float64.
 */
export class TypeInference {
  #seen: Seen = 'nothing';
  #hasMissing = false;
  #isLarge = false;

  seeMissing(): void {
    this.#hasMissing = true;
  }

  /** Gives what the values before it were where this one does not go with them. */
  see(value: unknown): string | undefined {
    if (value === null || value === undefined) this.#hasMissing = true;
    else if (typeof value === 'string') return this.#alike('string');
    else if (typeof value === 'boolean') return this.#alike('bool');
    else if (typeof value === 'bigint') return this.#seeWhole(value);
    else if (typeof value === 'number') {
      if (Number.isSafeInteger(value)) return this.#seeWhole(value);
      return this.#alike('number');
    } else return 'numbers, texts, true or false';
    return undefined;
  }

  /** The same for a text, which may stand for anything. */
  seeText(text: string): void {
    if (this.#seen === 'string') return;
    const whole = wholeOfText(text);
    if (whole !== undefined && whole >= least && whole <= most) this.#widen(this.#seeWhole(whole));
    else if (numberOfText(text) !== undefined) this.#widen(this.#alike('number'));
    else if (/^\s*(true|false)\s*$/i.test(text)) this.#widen(this.#alike('bool'));
    else this.#seen = 'string';
  }

  get type(): ColumnType {
    switch (this.#seen) {
      case 'bool':
      case 'string':
        return this.#seen;
      case 'whole':
        return this.#hasMissing && !this.#isLarge ? 'float64' : 'int64';
      default:
        return 'float64';
    }
  }

  #widen(problem: string | undefined): void {
    if (problem !== undefined) this.#seen = 'string';
  }

  #seeWhole(value: number | bigint): string | undefined {
    if (!Number.isSafeInteger(Number(value))) this.#isLarge = true;
    return this.#alike('whole');
  }

  #alike(now: Exclude<Seen, 'nothing'>): string | undefined {
    const numbers: readonly Seen[] = ['whole', 'number'];
    if (this.#seen === 'nothing' || this.#seen === now) this.#seen = now;
    else if (numbers.includes(now) && numbers.includes(this.#seen)) this.#seen = 'number';
    else return { bool: 'true or false', whole: 'numbers', number: 'numbers', string: 'texts' }[this.#seen];
    return undefined;
  }
}

/** What a missing value of a column of this type is by itself; undefined where the type has none. */
export const missingOf = (type: ColumnType): number | undefined =>
  type === 'string' || type === 'bool' || isWholeType(type) ? undefined : NaN;
