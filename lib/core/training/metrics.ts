import { bincount, Tensor, tensor } from '../../tensor/index.js';
import type { StepOutput } from '../baseModel.js';
import type { Ranks } from '../ranks.js';

/** How often class `row` was predicted as class `column`. */
export type ConfusionTable = number[][];

export interface ClassificationScores {
  /** The share of right predictions, 0 to 1. */
  accuracy: number;
  /** With two classes the F1 score of class 1, else the mean over the classes. */
  f1: number;
  confusion: ConfusionTable;
}

function f1Of(table: ConfusionTable, c: number): number {
  const hits = table[c]![c]!;
  const predicted = table.reduce((sum, row) => sum + row[c]!, 0);
  const actual = table[c]!.reduce((a, b) => a + b, 0);
  return predicted + actual === 0 ? 0 : (2 * hits) / (predicted + actual);
}

/** @internal Scores of a confusion table. */
export function scores(confusion: ConfusionTable): ClassificationScores {
  const total = confusion.flat().reduce((a, b) => a + b, 0);
  const right = confusion.reduce((sum, row, c) => sum + row[c]!, 0);
  const perClass = confusion.map((_, c) => f1Of(confusion, c));
  const f1 = confusion.length === 2 ? perClass[1]! : perClass.reduce((a, b) => a + b, 0) / perClass.length;
  return { accuracy: total === 0 ? 0 : right / total, f1, confusion };
}

function targetsOf(output: StepOutput, batch: unknown): Tensor | undefined {
  if (output.targets !== undefined) return output.targets;
  const { labels, targets } = (batch ?? {}) as { labels?: unknown; targets?: unknown };
  return [labels, targets].find(Tensor.isTensor);
}

/** The mean loss and, for classification, the confusion table of a pass over a split. */
export class RunningMetrics {
  #loss = 0;
  #samples = 0;
  #classes = 0;
  #confusion: number[] = [];

  /** Takes the output of one step in which `samples` samples took part. */
  add(output: StepOutput, batch: unknown, samples: number): void {
    this.#loss += Number(output.loss.item()) * samples;
    this.#samples += samples;
    const { predictions } = output;
    const targets = targetsOf(output, batch);
    if (predictions?.ndim !== 2 || targets?.ndim !== 1 || targets.dtype !== 'int64') return;
    const classes = predictions.size(1);
    if (classes < 2) return;
    const known = targets.ge(0);
    const cells = targets.mul(classes).add(predictions.argmax(1)).maskedSelect(known);
    const counts = bincount(cells, null, classes * classes).tolist<number[]>();
    this.#classes = classes;
    this.#confusion = counts.map((count, cell) => count + (this.#confusion[cell] ?? 0));
  }

  /** The mean loss so far on this rank; NaN before the first step. */
  get loss(): number {
    return this.#loss / this.#samples;
  }

  /** The share of right predictions so far on this rank; undefined without classes. */
  get accuracy(): number | undefined {
    return this.#classes === 0 ? undefined : scores(this.#table(this.#confusion)).accuracy;
  }

  /** All that was added up, for a checkpoint. */
  sums(): number[] {
    return [this.#loss, this.#samples, ...this.#confusion];
  }

  /** Takes what `sums` gave. */
  restore([loss = 0, samples = 0, ...confusion]: number[]): void {
    this.#loss = loss;
    this.#samples = samples;
    this.#confusion = confusion;
    this.#classes = Math.sqrt(confusion.length);
  }

  #table(cells: number[]): ConfusionTable {
    const classes = this.#classes;
    return Array.from({ length: classes }, (_, c) => cells.slice(c * classes, (c + 1) * classes));
  }

  /** The result over all ranks. */
  async finish(
    ranks: Pick<Ranks, 'sum' | 'gather'>,
  ): Promise<{ loss: number; scores: ClassificationScores | undefined }> {
    // A rank without a sample does not know the number of classes.
    const classes = await ranks.gather(tensor([this.#classes]));
    this.#classes = Math.max(...classes.map((known) => Number(known.item())));
    const cells = Array.from({ length: this.#classes ** 2 }, (_, cell) => this.#confusion[cell] ?? 0);
    const all = await ranks.sum(tensor([this.#loss, this.#samples, ...cells], { dtype: 'float64' }));
    const [loss, samples, ...confusion] = all.tolist<number[]>();
    return { loss: loss! / samples!, scores: this.#classes === 0 ? undefined : scores(this.#table(confusion)) };
  }
}
