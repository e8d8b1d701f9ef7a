import { z } from 'zod';

import { boolean, isListOf, kind as kindOf, oneOf, string } from '../../kinds.js';
import { didYouMean } from '../../nearest.js';
import { firstRepeated } from '../../repeated.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/index.js';
import { Frame, refusal, type Column, type TableColumns, type TableItem, type TableRow } from '../tables/frame.js';
import { TablePreprocessor, type Plain } from '../tables/tablePreprocessor.js';
import { checkPartNames } from './named.js';

/** A part of a column transformer: its name, what is done, and the names of the columns. */
export type ColumnPart = readonly [
  name: string,
  preprocessor: TablePreprocessor | 'passthrough' | 'drop',
  columns: readonly string[],
];

export interface ColumnTransformerOptions {
  /** What becomes of columns that no part names: they are left out, or given as they are; default 'drop'. */
  remainder?: 'drop' | 'passthrough';
  /** Whether names of columns begin with their part's, as in `part__column`; default true. */
  verboseFeatureNamesOut?: boolean;
}

const isPart = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length === 3 &&
  (value[1] instanceof TablePreprocessor || value[1] === 'passthrough' || value[1] === 'drop') &&
  isListOf(value[2], string) &&
  value[2].length > 0;

const partKind = kindOf<ColumnPart>('a part', isPart);

const takes = signature<ColumnTransformerOptions>(
  {
    transformers: kindOf<readonly ColumnPart[]>(
      "an array of parts, each ['name', preprocessor | 'passthrough' | 'drop', ['column', …]]",
      (value) => isListOf(value, partKind) && value.length > 0,
    ),
  },
  { remainder: oneOf('drop', 'passthrough'), verboseFeatureNamesOut: boolean },
);

const schema = z.strictObject({ parts: z.array(z.tuple([z.string(), z.unknown()])) });
type Learnt = z.infer<typeof schema>;

/**
 * Preprocessors side by side, each of some columns, whose results become one float32 matrix [rows, features]; of a row, [features].
 * `featureNames` says what its columns are. `inverseTransform` gives the columns of all parts that were not dropped. As
 * `sklearn.compose.ColumnTransformer` with dense output.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { ColumnTransformer, OneHotEncoder, StandardScaler } from 'aiforge/preprocessing';
 * const table = { age: tensor([20, 30, 40]), city: ['Oslo', 'Rome', 'Oslo'] };
 * const columns = new ColumnTransformer([
 *   ['numbers', new StandardScaler(), ['age']],
 *   ['texts', new OneHotEncoder(), ['city']],
 * ]);
 * columns.fit(table);
 * columns.featureNames(); // [ 'numbers__age', 'texts__city_Oslo', 'texts__city_Rome' ]
 * columns.transform(table).shape; // [ 3, 3 ]
 */
export class ColumnTransformer extends TablePreprocessor<Learnt> {
  protected override readonly kind = 'ColumnTransformer';
  protected override readonly options: Plain;
  protected override readonly schema = schema;
  readonly transformers: readonly ColumnPart[];
  readonly #isVerbose: boolean;
  readonly #remainder: 'drop' | 'passthrough';
  #pass = 0;

  constructor(transformers: readonly ColumnPart[], options: ColumnTransformerOptions = {}) {
    takes.check('ColumnTransformer', arguments);
    super();
    const { remainder = 'drop', verboseFeatureNamesOut = true } = options;
    checkPartNames('ColumnTransformer', [...transformers.map(([name]) => name), 'remainder']);
    const made = transformers.map(([, part]) => part).filter((part) => typeof part !== 'string');
    if (new Set(made).size < made.length)
      throw refusal('ColumnTransformer', 'two parts have the same preprocessor: make two');
    this.transformers = transformers.map(([name, part, columns]) => [name, part, [...columns]]);
    this.#isVerbose = verboseFeatureNamesOut;
    this.#remainder = remainder;
    const parts = transformers.map(([name, part, columns]) => [
      name,
      typeof part === 'string' ? part : '',
      [...columns],
    ]);
    this.options = { parts, remainder, verboseFeatureNamesOut };
  }

  /** @internal */
  override passes(): number {
    return Math.max(1, ...this.#made().map(([, part]) => part.passes()));
  }

  /** A float32 matrix [rows, features] of a batch, [features] of a row. */
  override transform(...items: [item: TableItem]): Tensor {
    return super.transform(...items) as Tensor;
  }

  /** Columns of a matrix [rows, features], a row of [features]. Throws where a part cannot be inverted. */
  override inverseTransform(...samples: [sample: TableItem]): TableColumns | TableRow {
    return super.inverseTransform(...samples) as TableColumns | TableRow;
  }

  /** @internal */
  override startFit(): void {
    this.forget();
    this.#pass = 0;
    for (const [, part] of this.#made()) part.startFit();
    super.startFit();
  }

  /** @internal */
  override transformFrame(frame: Frame): Frame {
    this.columns();
    if (this.#remainder === 'passthrough') {
      const known = new Set([...this.columns(), ...this.#targets()]);
      const extra = frame.names.find((name) => !known.has(name));
      if (extra !== undefined)
        throw refusal('ColumnTransformer.transform', `the column '${extra}' was not there in fit`);
    }
    return this.applied(frame);
  }

  protected override begin(): void {
    // Its parts gather.
  }

  protected override learn(frame: Frame): void {
    const there = new Set(frame.names);
    for (const [name, part, columns] of this.#made()) {
      if (this.#pass >= part.passes()) continue;
      const missing = columns.find((column) => !there.has(column));
      if (missing !== undefined) {
        const hint = didYouMean(missing, frame.names);
        throw refusal(
          'ColumnTransformer.fit',
          `the part '${name}' names the column '${missing}', which is not there.${hint}`,
        );
      }
      part.observe(frame.select(this.kind, [...new Set([...columns, ...part.fitsOn])], 'allowed'));
    }
    this.#passed(frame, this.#kept(frame.names));
  }

  protected override conclude(names: readonly string[]): Learnt | null {
    for (const [, part] of this.#made()) if (this.#pass < part.passes()) part.endPass();
    if (++this.#pass < this.passes()) return null;
    const all = this.#blocks(names).flatMap(({ names: own }) => own);
    const twice = firstRepeated(all);
    if (twice !== undefined)
      throw refusal(this.kind, `two columns would be called '${twice}': give verboseFeatureNamesOut: true`);
    return { parts: this.#made().map(([name, part]) => [name, part.state()]) };
  }

  protected override take({ parts }: Learnt): void {
    this.forget();
    this.#made().forEach(([, part], i) => part.restore(parts[i]![1]));
  }

  protected override problemOf({ parts }: Learnt): string | undefined {
    const [own, read] = [this.#made().map(([name]) => name), parts.map(([name]) => name)];
    return JSON.stringify(own) === JSON.stringify(read) ? undefined : `its parts are ${show(read)}`;
  }

  protected override namesOut(names: readonly string[]): readonly string[] {
    return this.#blocks(names).flatMap(({ names: own }) => own);
  }

  protected override applied(frame: Frame): Frame {
    const blocks: Column[][] = [];
    for (const [name, part, own] of this.#shown()) {
      if (typeof part === 'string') {
        blocks.push(this.#passed(frame, own));
        continue;
      }
      const made = part.transformFrame(frame.select(`ColumnTransformer.transform`, own, 'allowed'));
      const text = made.columns.findIndex(Array.isArray);
      if (text >= 0) {
        throw refusal(
          this.kind,
          `the part '${name}' gives the column '${made.names[text]!}' of strings, which no matrix holds: encode it`,
        );
      }
      blocks.push(made.columns.map((column) => (column as Tensor).to('float32')));
    }
    blocks.push(this.#passed(frame, this.#kept(this.columns())));
    const form = frame.form === 'row' || frame.form === 'vector' ? 'vector' : 'matrix';
    return new Frame(this.namesOut(this.columns()), blocks.flat(), frame.rows, form);
  }

  protected override undone(frame: Frame): Frame {
    const found = new Map<string, Column>();
    let at = 0;
    for (const { part, names, columns: own } of this.#blocks(this.columns())) {
      const block = frame.columns.slice(at, at + names.length);
      at += names.length;
      const given = (inner: readonly string[]) => new Frame(inner, block, frame.rows, 'columns');
      const back = part === null ? given(own) : part.inverseFrame(given(part.featureNames()));
      back.names.forEach((name, i) => found.set(name, found.get(name) ?? back.columns[i]!));
    }
    const names = this.columns().filter((name) => found.has(name));
    const form = frame.form === 'row' || frame.form === 'vector' ? 'row' : 'columns';
    return new Frame(names, names.map((name) => found.get(name)!), frame.rows, form); // prettier-ignore
  }

  #made(): [name: string, part: TablePreprocessor, columns: readonly string[]][] {
    return this.transformers.flatMap(([name, part, columns]) => (typeof part === 'string' ? [] : [[name, part, columns]])); // prettier-ignore
  }

  #shown(): ColumnPart[] {
    return this.transformers.filter(([, part]) => part !== 'drop');
  }

  #targets(): string[] {
    return this.#made().flatMap(([, part]) => part.fitsOn);
  }

  /** The columns that no part names, where they are given. */
  #kept(names: readonly string[]): string[] {
    if (this.#remainder === 'drop') return [];
    const named = new Set([...this.transformers.flatMap(([, , columns]) => columns), ...this.#targets()]);
    return names.filter((name) => !named.has(name));
  }

  #passed(frame: Frame, names: readonly string[]): Tensor[] {
    return frame.select(this.kind, names, 'allowed').columns.map((column, i) => {
      if (!Array.isArray(column)) return column.to('float32');
      throw refusal(
        this.kind,
        `the column '${names[i]!}' is of strings, which no matrix holds: drop it, or encode it in a part`,
      );
    });
  }

  /** Which columns of the matrix are whose. */
  #blocks(all: readonly string[]): { part: TablePreprocessor | null; names: string[]; columns: readonly string[] }[] {
    const named = (name: string, columns: readonly string[]): string[] =>
      columns.map((column) => (this.#isVerbose ? `${name}__${column}` : column));
    const shown = this.#shown().map(([name, part, columns]) => {
      const made = typeof part === 'string' ? null : part;
      return { part: made, names: named(name, made?.featureNames() ?? columns), columns };
    });
    const kept = this.#kept(all);
    return kept.length === 0 ? shown : [...shown, { part: null, names: named('remainder', kept), columns: kept }];
  }
}
