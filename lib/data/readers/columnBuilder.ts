import { fromTypedArray, type Tensor } from '../../tensor/index.js';
import { expectedOf, wholeRanges, type ColumnType, type WholeType } from './columnTypes.js';
import { booleanOfText, numberOfText, wholeOfText } from './numberText.js';

// How many values a column has room for at first: there may be very many columns.
const ROOM = 64;

/** A column that grows value by value, without an object for each. */
export abstract class ColumnBuilder {
  /** How many values it has. */
  length = 0;

  constructor(readonly type: ColumnType) {}

  /** Adds a value. Gives what it should have been, and adds nothing, where the column cannot hold it. */
  abstract add(value: unknown): string | undefined;

  /** The same for a text that stands for the value. */
  abstract addText(text: string): string | undefined;

  /** The value added last. */
  abstract last(): number | bigint | string | boolean;

  /** The column of all values so far; it is empty afterwards. */
  abstract take(): Tensor | string[];

  /** Leaves out the values from a place on. */
  truncate(length: number): void {
    this.length = length;
  }

  protected get expected(): string {
    return expectedOf(this.type);
  }
}

type Elements = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;
type ElementsClass<E extends Elements> = new (length: number) => E;

/** Values in a typed array that doubles as it fills. */
class Store<E extends Elements> {
  elements: E;

  constructor(readonly make: ElementsClass<E>) {
    this.elements = new make(ROOM);
  }

  requireRoom(length: number): void {
    if (length <= this.elements.length) return;
    const larger = new this.make(Math.max(2 * this.elements.length, length));
    larger.set(this.elements);
    this.elements = larger;
  }

  put(index: number, value: number): void {
    this.requireRoom(index + 1);
    this.elements[index] = value;
  }
}

class FloatColumn extends ColumnBuilder {
  readonly #store: Store<Float32Array | Float64Array>;

  constructor(type: 'float32' | 'float64') {
    super(type);
    this.#store = new Store<Float32Array | Float64Array>(type === 'float32' ? Float32Array : Float64Array);
  }

  add(value: unknown): string | undefined {
    if (typeof value === 'number') this.#store.put(this.length++, value);
    else if (typeof value === 'bigint') this.#store.put(this.length++, Number(value));
    else return this.expected;
    return undefined;
  }

  addText(text: string): string | undefined {
    const value = numberOfText(text);
    if (value === undefined) return this.expected;
    this.#store.put(this.length++, value);
    return undefined;
  }

  last(): number {
    return this.#store.elements[this.length - 1]!;
  }

  take(): Tensor {
    const values = this.#store.elements.subarray(0, this.length);
    this.length = 0;
    return fromTypedArray(values);
  }
}

const smallArrays = { uint8: Uint8Array, int8: Int8Array, int16: Int16Array, int32: Int32Array };

/** Whole numbers of up to 32 bits. */
class SmallColumn extends ColumnBuilder {
  readonly #store: Store<Elements>;
  readonly #least: number;
  readonly #most: number;

  constructor(override readonly type: Exclude<WholeType, 'int64'>) {
    super(type);
    this.#store = new Store<Elements>(smallArrays[type]);
    [this.#least, this.#most] = [Number(wholeRanges[type][0]), Number(wholeRanges[type][1])];
  }

  add(value: unknown): string | undefined {
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (!Number.isInteger(number)) return this.expected;
    if ((number as number) < this.#least || (number as number) > this.#most) return this.expected;
    this.#store.put(this.length++, number as number);
    return undefined;
  }

  addText(text: string): string | undefined {
    return this.add(wholeOfText(text));
  }

  last(): number {
    return this.#store.elements[this.length - 1]!;
  }

  take(): Tensor {
    const values = this.#store.elements.subarray(0, this.length);
    this.length = 0;
    return fromTypedArray(values);
  }
}

/** Whole numbers of 64 bits, as pairs of 32: a BigInt for each would take memory and time. */
class LongColumn extends ColumnBuilder {
  readonly #store = new Store(Int32Array);

  constructor() {
    super('int64');
  }

  add(value: unknown): string | undefined {
    if (typeof value === 'bigint') {
      if (value < wholeRanges.int64[0] || value > wholeRanges.int64[1]) return this.expected;
      this.#put(Number(BigInt.asIntN(32, value)), Number(value >> 32n));
      return undefined;
    }
    // A larger number stands for many whole numbers, of which nobody knows which was meant.
    if (!Number.isSafeInteger(value)) return this.expected;
    const high = Math.floor((value as number) / 2 ** 32);
    this.#put((value as number) - high * 2 ** 32, high);
    return undefined;
  }

  addText(text: string): string | undefined {
    return this.add(wholeOfText(text));
  }

  #put(low: number, high: number): void {
    this.#store.requireRoom(2 * this.length + 2);
    this.#store.elements[2 * this.length] = low;
    this.#store.elements[2 * this.length + 1] = high;
    this.length++;
  }

  last(): number | bigint {
    const low = this.#store.elements[2 * this.length - 2]! >>> 0;
    const high = this.#store.elements[2 * this.length - 1]!;
    const value = high * 2 ** 32 + low;
    return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) + BigInt(low);
  }

  take(): Tensor {
    const values = new BigInt64Array(this.#store.elements.buffer, 0, this.length);
    this.length = 0;
    return fromTypedArray(values);
  }
}

class BooleanColumn extends ColumnBuilder {
  readonly #store = new Store(Uint8Array);

  constructor() {
    super('bool');
  }

  add(value: unknown): string | undefined {
    if (typeof value !== 'boolean') return this.expected;
    this.#store.put(this.length++, Number(value));
    return undefined;
  }

  addText(text: string): string | undefined {
    return this.add(booleanOfText(text));
  }

  last(): boolean {
    return this.#store.elements[this.length - 1] === 1;
  }

  take(): Tensor {
    const values = this.#store.elements.subarray(0, this.length);
    this.length = 0;
    return fromTypedArray(values, { dtype: 'bool' });
  }
}

class StringColumn extends ColumnBuilder {
  #values: string[] = [];

  constructor() {
    super('string');
  }

  add(value: unknown): string | undefined {
    if (typeof value !== 'string') return this.expected;
    this.#values.push(value);
    this.length++;
    return undefined;
  }

  addText(text: string): string | undefined {
    return this.add(text);
  }

  override truncate(length: number): void {
    super.truncate(length);
    this.#values.length = length;
  }

  last(): string {
    return this.#values.at(-1)!;
  }

  take(): string[] {
    const values = this.#values;
    this.#values = [];
    this.length = 0;
    return values;
  }
}

/** A column of a type that is still empty. */
export function columnBuilder(type: ColumnType): ColumnBuilder {
  switch (type) {
    case 'string':
      return new StringColumn();
    case 'bool':
      return new BooleanColumn();
    case 'int64':
      return new LongColumn();
    case 'float32':
    case 'float64':
      return new FloatColumn(type);
    default:
      return new SmallColumn(type);
  }
}
