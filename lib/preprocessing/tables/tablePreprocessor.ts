import { z } from 'zod';

import { BasePreprocessor } from '../../core/basePreprocessor.js';
import { AiforgeError } from '../../errors.js';
import { anything, optional } from '../../kinds.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { noGrad } from '../../autograd/index.js';
import { scope, Tensor } from '../../tensor/index.js';
import { framesLater, framesOf, isReadOnce } from './batches.js';
import { frameOf, refusal, type Frame, type TableColumns, type TableItem } from './frame.js';
import { damaged, parsed } from './state.js';

const VERSION = 1;
const fitTakes = signature({ items: anything, args: optional(anything) });
const itemTakes = signature({ item: anything });

/** Plain data: options as they are written beside what was learnt. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

const stateSchema = z.strictObject({
  preprocessor: z.string(),
  version: z.literal(VERSION),
  options: z.unknown(),
  columns: z.array(z.string()).min(1),
  learnt: z.unknown(),
});

/**
 * A preprocessor of tables: of a batch of columns, of one row, or of a matrix. `fit` goes over the items, which may be batches or rows,
 * and keeps counts and sums, not the items.
 */
export abstract class TablePreprocessor<Learnt = unknown> extends BasePreprocessor<TableItem, TableItem> {
  #columns: readonly string[] | null = null;
  #learnt: Learnt | null = null;
  #seen: readonly string[] | null = null;

  /** The name of the class that a state is of, also where a class extends it. */
  protected abstract readonly kind: string;
  protected abstract readonly options: Plain;
  protected abstract readonly schema: z.ZodType<Learnt>;

  /** Columns that only `fit` reads, beside those that are transformed. @internal */
  get fitsOn(): readonly string[] {
    return [];
  }

  /** How often fit goes over the items. @internal */
  passes(): number {
    return 1;
  }

  /** Forgets what a fit before has gathered. */
  protected abstract begin(): void;
  /** Takes a batch of the columns; `fitting` has those of `fitsOn`. */
  protected abstract learn(frame: Frame, fitting: Frame): void;
  /** What the batches together tell of columns of these names; null where another pass is to come. */
  protected abstract conclude(names: readonly string[]): Learnt | null;
  protected abstract applied(frame: Frame, learnt: Learnt): Frame;
  protected abstract undone(frame: Frame, learnt: Learnt): Frame;
  /** The names of the columns that it gives. */
  protected abstract namesOut(names: readonly string[], learnt: Learnt): readonly string[];

  /** What is wrong with what was read as learnt, of so many columns; undefined if nothing. */
  protected problemOf(_learnt: Learnt, _names: readonly string[]): string | undefined {
    return undefined;
  }

  /** Whether it works without fit. */
  protected isFree(): boolean {
    return false;
  }

  /**
   * Learns from the items: batches of columns, rows or matrices, or one of them. Of an async iterable the result is a promise. There
   * are no `args`.
   */
  override fit(items: AsyncIterable<TableItem>, args?: Record<string, unknown>): Promise<void>;
  override fit(items: TableColumns | Tensor | Iterable<TableItem>, args?: Record<string, unknown>): void;
  override fit(
    items: TableColumns | Tensor | Iterable<TableItem> | AsyncIterable<TableItem>,
    args?: Record<string, unknown>,
  ): void | Promise<void>;
  fit(
    items: TableColumns | Tensor | Iterable<TableItem> | AsyncIterable<TableItem>,
    args?: Record<string, unknown>,
  ): void | Promise<void> {
    fitTakes.check(`${this.kind}.fit`, [items, args]);
    this.#refuseArgs(args);
    if (Tensor.isTensor(items) || isTable(items)) return this.#fitNow([items]);
    if (!isObject(items) || !(Symbol.iterator in items || Symbol.asyncIterator in items)) {
      throw refusal(
        `${this.kind}.fit`,
        `expected batches or rows to iterate over, or one table, got ${show(items)}`,
        items,
      );
    }
    if (this.passes() > 1 && isReadOnce(items)) {
      const problem = `its parts learn one after the other, so it goes ${this.passes()} times over the items, and an iterator gives them once`;
      throw refusal(`${this.kind}.fit`, `${problem}: give an array, or an object whose [Symbol.iterator] begins anew`);
    }
    return Symbol.asyncIterator in items ? this.#fitLater(items) : this.#fitNow(items);
  }

  /** The item with its columns transformed. Throws for columns that are missing, or were not there in fit. */
  override transform(item: TableItem): TableItem {
    itemTakes.check(`${this.kind}.transform`, arguments);
    return this.computed(() => this.transformFrame(frameOf(`${this.kind}.transform`, item)).item(this.kind));
  }

  /** The item that `transform` gave these columns for, as far as it can be had back. */
  override inverseTransform(sample: TableItem): TableItem {
    itemTakes.check(`${this.kind}.inverseTransform`, arguments);
    const who = `${this.kind}.inverseTransform`;
    return this.computed(() => this.inverseFrame(frameOf(who, sample)).item(this.kind));
  }

  /** The names of the columns that `transform` gives, as scikit-learn's `get_feature_names_out`. */
  featureNames(): string[] {
    return [...this.namesOut(this.columns(), this.learnt())];
  }

  override state(): unknown {
    const [columns, learnt] = [this.columns(), this.learnt()];
    return { preprocessor: this.kind, version: VERSION, options: this.options, columns: [...columns], learnt };
  }

  /** Takes what `state` gave. Throws FILE_INVALID for anything else, and for the state of one with other options. */
  override restore(state: unknown): void {
    const { preprocessor, options, columns, learnt } = parsed(this.kind, stateSchema, state);
    if (preprocessor !== this.kind) throw damaged(this.kind, `it is of a ${show(preprocessor)}`);
    const [own, other] = [JSON.stringify(this.options), JSON.stringify(options)];
    if (own !== other) throw damaged(this.kind, `it was made with the options ${other}, and here they are ${own}`);
    if (new Set(columns).size < columns.length) throw damaged(this.kind, 'columns must differ');
    const read = parsed(this.kind, this.schema, learnt, 'learnt');
    const problem = this.problemOf(read, columns);
    if (problem !== undefined) throw damaged(this.kind, problem);
    this.take(read);
    this.#keep(columns, read);
  }

  /** @internal */
  startFit(): void {
    this.#seen = null;
    this.begin();
  }

  /** @internal */
  observe(frame: Frame): void {
    const own = frame.names.filter((name) => !this.fitsOn.includes(name));
    this.#seen ??= own;
    if (own.length === 0) throw refusal(`${this.kind}.fit`, `there are no columns beside ${this.fitsOn.join(', ')}`);
    const all = frame.select(`${this.kind}.fit`, [...this.#seen, ...this.fitsOn], 'refused');
    this.learn(all.select(this.kind, this.#seen, 'allowed'), all.select(this.kind, this.fitsOn, 'allowed'));
  }

  /** Ends a pass over the items. @internal */
  endPass(): void {
    if (this.#seen === null) throw refusal(`${this.kind}.fit`, 'there is nothing to learn from: no items came');
    const names = this.#seen;
    const learnt = this.computed(() => this.conclude(names));
    if (learnt !== null) this.#keep(names, learnt);
    this.begin();
  }

  /** @internal */
  transformFrame(frame: Frame): Frame {
    if (this.#columns === null && this.isFree()) return this.applied(frame, this.learnt());
    const [columns, learnt] = [this.columns(), this.learnt()];
    return this.applied(frame.select(`${this.kind}.transform`, columns, 'refused'), learnt);
  }

  /** @internal */
  inverseFrame(frame: Frame): Frame {
    const names = this.featureNames();
    // A matrix has no names of its own, so its columns are taken in their order.
    const isMatrix = frame.form === 'matrix' || frame.form === 'vector';
    if (isMatrix && frame.columns.length !== names.length) {
      throw refusal(`${this.kind}.inverseTransform`, `expected ${names.length} columns, got ${frame.columns.length}`);
    }
    const given = isMatrix ? frame.with(names, frame.columns) : frame;
    return this.undone(given.select(`${this.kind}.inverseTransform`, names, 'refused'), this.learnt());
  }

  /** Columns as fit had them. */
  protected columns(): readonly string[] {
    if (this.#columns === null) throw unfitted(this.kind);
    return this.#columns;
  }

  protected learnt(): Learnt {
    if (this.#learnt === null) throw unfitted(this.kind);
    return this.#learnt;
  }

  /** Hands what was read on to parts. */
  protected take(_learnt: Learnt): void {
    // Most have no parts.
  }

  /** Goes back to the beginning: what parts have is changing. */
  protected forget(): void {
    this.#columns = this.#learnt = null;
  }

  /** What a function makes of an item, without graphs and without what it made on the way. */
  protected computed<T>(make: () => T): T {
    return noGrad(() => scope(make));
  }

  #keep(columns: readonly string[], learnt: Learnt): void {
    this.#columns = columns;
    this.#learnt = learnt;
  }

  #refuseArgs(args: Record<string, unknown> | undefined): void {
    const names = args === undefined ? [] : Object.keys(args);
    if (names.length > 0) {
      throw refusal(
        `${this.kind}.fit`,
        `it takes no arguments, got ${names.join(', ')}: its options are given when it is made`,
      );
    }
  }

  #fitNow(items: Iterable<unknown>): void {
    this.startFit();
    for (let pass = 0; pass < this.passes(); ++pass) {
      for (const frame of framesOf(`${this.kind}.fit`, items)) this.computed(() => this.observe(frame));
      this.endPass();
    }
  }

  async #fitLater(items: AsyncIterable<unknown>): Promise<void> {
    this.startFit();
    for (let pass = 0; pass < this.passes(); ++pass) {
      for await (const frame of framesLater(`${this.kind}.fit`, items)) this.computed(() => this.observe(frame));
      this.endPass();
    }
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isTable = (items: unknown): items is TableColumns =>
  isPlainObject(items) && !(Symbol.iterator in items || Symbol.asyncIterator in items);

const unfitted = (kind: string): AiforgeError =>
  new AiforgeError('INVALID_ARGUMENT', `${kind} has learnt nothing yet: call fit or load before.`);
