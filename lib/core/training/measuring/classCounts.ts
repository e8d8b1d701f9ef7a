import { keep, type Device, type Tensor, tensor, zeros } from '../../../tensor/index.js';

/** How often class `row` was predicted as class `column`. */
export type ConfusionTable = number[][];

export interface ClassificationScores {
  /** The share of right predictions, 0 to 1. */
  accuracy: number;
  /** With two classes the F1 score of class 1, else the mean over the classes. */
  f1: number;
  /** With at most 100 classes. */
  confusion?: ConfusionTable;
}

/** A table has a cell for each pair of classes: beyond so many, only what the scores need is counted. */
const largestTable = 100;

/** @internal Scores of how often each class was predicted rightly, predicted at all, and right. */
export function scores(hits: readonly number[], predicted: readonly number[], actual: readonly number[]) {
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const totalOf = (c: number): number => (predicted[c] ?? 0) + (actual[c] ?? 0);
  const perClass = hits.map((hit, c) => (totalOf(c) === 0 ? 0 : (2 * hit) / totalOf(c)));
  const total = sum(actual);
  return {
    accuracy: total === 0 ? 0 : sum(hits) / total,
    f1: hits.length === 2 ? perClass[1]! : sum(perClass) / perClass.length,
  };
}

/** Counts of classes, predicted and right, kept where the predictions are; a step costs no more than its logits. */
export class ClassCounts {
  #classes = 0;
  /** int64: classes × classes cells of a table, or else hits, predicted and actual of each class. */
  #counts: Tensor | undefined;

  get classes(): number {
    return this.#classes;
  }

  /** Takes logits, (batch, classes), and int64 targets, (batch); those below 0 are not counted. Waits for no GPU. */
  add(predictions: Tensor, targets: Tensor): void {
    const classes = predictions.size(1);
    const known = targets.ge(0).to('int64');
    const actual = targets.clamp(0);
    const predicted = predictions.detach().argmax(1);
    this.#classes = classes;
    const counts = this.#countsOn(predictions.device);
    if (classes <= largestTable) {
      counts.scatterAdd_(0, actual.mul(classes).add(predicted), known);
    } else {
      const hits = known.mul(actual.eq(predicted));
      counts.scatterAdd_(0, actual, hits);
      counts.scatterAdd_(0, predicted.add(classes), known);
      counts.scatterAdd_(0, actual.add(2 * classes), known);
    }
  }

  /** Those that a checkpoint gave come to where the predictions are. */
  #countsOn(device: Device): Tensor {
    if (this.#counts?.device === device) return this.#counts;
    const counts = this.#counts?.to(device) ?? zeros([sizeOf(this.#classes)], { dtype: 'int64', device });
    return (this.#counts = keep(counts));
  }

  /** The share of right predictions so far; undefined without any. */
  get accuracy(): number | undefined {
    const counts = this.#counts?.view(-1, this.#classes);
    if (counts === undefined) return undefined;
    const hits = this.#isTable ? counts.diagonal() : counts.select(0, 0);
    const all = this.#isTable ? counts : counts.select(0, 2);
    return Number(hits.sum().item()) / Number(all.sum().item());
  }

  /** All counts, as many as `values` takes back. */
  values(): number[] {
    return this.#counts === undefined ? [] : this.#counts.tolist<number[]>();
  }

  /** Takes what `values` gave, or the sum of several. */
  restore(classes: number, values: readonly number[]): void {
    this.#classes = classes;
    this.#counts = classes === 0 ? undefined : keep(tensor([...values], { dtype: 'int64' }));
  }

  /** The counts of a rank that had no sample. */
  static empty(classes: number): number[] {
    return classes === 0 ? [] : zeros([sizeOf(classes)]).tolist<number[]>();
  }

  scores(): ClassificationScores | undefined {
    const classes = this.#classes;
    if (classes === 0) return undefined;
    const values = this.values();
    const rows = Array.from({ length: values.length / classes }, (_, row) =>
      values.slice(row * classes, (row + 1) * classes),
    );
    if (!this.#isTable) return scores(rows[0]!, rows[1]!, rows[2]!);
    const hits = rows.map((row, c) => row[c]!);
    const predicted = rows.map((_, c) => rows.reduce((sum, row) => sum + row[c]!, 0));
    const actual = rows.map((row) => row.reduce((a, b) => a + b, 0));
    return { ...scores(hits, predicted, actual), confusion: rows };
  }

  get #isTable(): boolean {
    return this.#classes <= largestTable;
  }
}

function sizeOf(classes: number): number {
  return classes <= largestTable ? classes ** 2 : 3 * classes;
}
