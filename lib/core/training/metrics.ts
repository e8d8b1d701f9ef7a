import { Buffer } from 'node:buffer';
import { tensor } from '../../tensor/index.js';
import type { Ranks } from '../ranks.js';
import { ClassCounts, type ClassificationScores } from './classCounts.js';
import { RunningSum } from './runningSum.js';
import type { Step } from './stepOutput.js';

/** What a pass over a split gives. */
export interface PassMetrics {
  /** `loss`, `accuracy` and `f1` where there are classes, and what the steps measured beside. */
  values: Record<string, number>;
  scores: ClassificationScores | undefined;
}

/** The means of a pass over a split, each step weighted by its samples (or what it says), and the counts of its classes. */
export class RunningMetrics {
  #loss = new RunningSum();
  #weight = 0;
  readonly #extra = new Map<string, RunningSum>();
  readonly #classes = new ClassCounts();

  add({ value, weight, metrics, predictions, targets }: Step): void {
    // A batch in which nothing counts has no mean.
    if (weight > 0) this.#loss.add(value, weight);
    this.#weight += weight;
    for (const [name, measured] of Object.entries(metrics)) {
      const sum = this.#extra.get(name) ?? new RunningSum();
      this.#extra.set(name, sum);
      if (weight > 0) sum.add(measured, weight);
    }
    if (predictions?.ndim !== 2 || targets?.ndim !== 1 || targets.dtype !== 'int64') return;
    if (predictions.size(1) >= 2) this.#classes.add(predictions, targets);
  }

  /** The mean loss so far on this rank; NaN before the first step. */
  get loss(): number {
    return this.#loss.value / this.#weight;
  }

  /** The share of right predictions so far on this rank; undefined without classes. */
  get accuracy(): number | undefined {
    return this.#classes.accuracy;
  }

  /** How many classes the predictions are of; 0 where there are none. */
  get classes(): number {
    return this.#classes.classes;
  }

  /** The names of what is measured, as `finish` will give them. */
  get names(): string[] {
    return ['loss', ...(this.#classes.classes > 0 ? ['accuracy', 'f1'] : []), ...this.#extra.keys()];
  }

  /** All that was added up, for a checkpoint. */
  sums(): number[] {
    const extra = [...this.#extra.values()].map((sum) => sum.value);
    return [this.#classes.classes, this.#loss.value, this.#weight, ...extra, ...this.#classes.values()];
  }

  /** Takes what `sums` gave, with the names of the steps' own metrics. */
  restore([classes = 0, loss = 0, weight = 0, ...rest]: readonly number[], extra: readonly string[]): void {
    this.#loss = new RunningSum(loss);
    this.#weight = weight;
    extra.forEach((name, i) => this.#extra.set(name, new RunningSum(rest[i])));
    this.#classes.restore(classes, rest.slice(extra.length));
  }

  get extraNames(): string[] {
    return [...this.#extra.keys()];
  }

  /** The result over all ranks. */
  async finish(ranks: Pick<Ranks, 'sum' | 'gather' | 'broadcastBytes'>): Promise<PassMetrics> {
    // A rank without a sample knows neither the number of classes nor what the steps measure; rank 0 has the first sample.
    const counts = await ranks.gather(tensor([this.#classes.classes]));
    const classes = Math.max(...counts.map((known) => Number(known.item())));
    const names = JSON.parse(
      Buffer.from(await ranks.broadcastBytes(Buffer.from(JSON.stringify(this.extraNames)))).toString(),
    ) as string[];
    const own = [this.#loss.value, this.#weight, ...names.map((name) => this.#extra.get(name)?.value ?? 0)];
    const counted = this.#classes.classes === 0 ? ClassCounts.empty(classes) : this.#classes.values();
    const all = await ranks.sum(tensor([...own, ...counted], { dtype: 'float64' }));
    const sums = new RunningMetrics();
    sums.restore([classes, ...all.tolist<number[]>()], names);
    return sums.#result();
  }

  #result(): PassMetrics {
    const scores = this.#classes.scores();
    const values: Record<string, number> = { loss: this.loss };
    if (scores !== undefined) Object.assign(values, { accuracy: scores.accuracy, f1: scores.f1 });
    for (const [name, sum] of this.#extra) values[name] = sum.value / this.#weight;
    return { values, scores };
  }
}
