import { AiforgeError } from '../../../errors.js';
import type { Module } from '../../../nn/index.js';
import { tensor } from '../../../tensor/index.js';
import type { Ranks } from '../../ranks.js';
import { allKeys } from './allKeys.js';
import { ClassCounts, type ClassificationScores } from './classCounts.js';
import { LoggedMetrics, type SavedMetrics } from './loggedMetrics.js';
import { isLoggedMetric } from './logbook.js';
import { Measures } from './measures.js';
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
  #extra = new Measures();
  readonly #metrics = new LoggedMetrics();
  /** What is shown while the pass goes on; it begins anew where a run goes on. */
  readonly #shown = new Measures();
  readonly #classes = new ClassCounts();

  add({ value, weight, logged, predictions, targets }: Step): void {
    // A batch in which nothing counts has no mean.
    if (weight > 0) this.#loss.add(value, weight);
    this.#weight += weight;
    for (const [name, { value: given, reduce, onEpoch, progressBar }] of Object.entries(logged)) {
      if (isLoggedMetric(given)) {
        this.#metrics.add(name, given);
        continue;
      }
      const known = this.#extra.reduceOf(name) ?? reduce;
      if (known !== reduce) {
        throw new AiforgeError(
          'PLUGIN_INVALID',
          `'${name}' was logged with reduce '${known}' and then with '${reduce}': each name has one.`,
        );
      }
      if (onEpoch) this.#extra.add(name, reduce, given, weight);
      if (progressBar) this.#shown.add(name, reduce, given, weight);
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
    return [
      'loss',
      ...(this.#classes.classes > 0 ? ['accuracy', 'f1'] : []),
      ...this.#extra.names,
      ...this.#metrics.names,
    ];
  }

  /** All that was added up, for a checkpoint, with the numbers of these keys. */
  sums(keys: readonly string[]): number[] {
    const extra = this.#extra.numbers(keys);
    return [this.#classes.classes, this.#loss.value, this.#weight, ...extra, ...this.#classes.values()];
  }

  /** Takes what `sums` gave on some ranks, with the keys of what the steps measured themselves. */
  restore(ranks: readonly (readonly number[])[], keys: readonly string[]): void {
    const size = Measures.size(keys);
    const total = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0);
    this.#loss = new RunningSum(total(ranks.map(([, loss]) => loss!)));
    this.#weight = total(ranks.map(([, , weight]) => weight!));
    const extra = ranks.map((sums) => sums.slice(3, 3 + size));
    this.#extra = extra.length === 0 ? new Measures() : Measures.combine(keys, extra);
    const counted = ranks.filter(([classes]) => classes! > 0);
    const counts = counted.map((sums) => sums.slice(3 + size));
    this.#classes.restore(counted[0]?.[0] ?? 0, counts[0]?.map((_, i) => total(counts.map((own) => own[i]!))) ?? []);
  }

  /** What the steps of any rank measure themselves, as `restore` takes it. Throws PLUGIN_INVALID where ranks reduce a name otherwise. */
  async allKeys(ranks: Pick<Ranks, 'gather'>): Promise<string[]> {
    const keys = await allKeys(this.#extra.keys, ranks);
    const names = keys.map((key) => key.slice(0, key.lastIndexOf(':')));
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice === undefined) return keys;
    throw new AiforgeError('PLUGIN_INVALID', `'${twice}' was logged with one reduce on a rank and with another on others: each name has one.`); // prettier-ignore
  }

  /** The states of the metrics that the steps logged, on all ranks, for a checkpoint. */
  saveMetrics(model: Module, ranks: Pick<Ranks, 'gather' | 'broadcastBytes'>): Promise<SavedMetrics> {
    return this.#metrics.save(model, ranks);
  }

  restoreMetrics(model: Module, saved: SavedMetrics, ranks: readonly number[]): void {
    this.#metrics.restore(model, saved, ranks);
  }

  /** Lets the metrics that the steps logged begin anew. */
  resetMetrics(): void {
    this.#metrics.reset();
  }

  /** The values to show beside the loss, so far and on this rank. */
  get shown(): Record<string, number> {
    return this.#shown.values();
  }

  /** The result over all ranks. */
  async finish(model: Module, ranks: Pick<Ranks, 'sum' | 'gather' | 'broadcastBytes'>): Promise<PassMetrics> {
    // A rank without a sample knows neither the number of classes nor what the steps measure.
    const known = await ranks.gather(tensor([this.#classes.classes]));
    const classes = Math.max(...known.map((count) => Number(count.item())));
    const keys = await this.allKeys(ranks);
    const counted = this.#classes.classes === 0 ? ClassCounts.empty(classes) : this.#classes.values();
    const sums = tensor([this.#loss.value, this.#weight, ...counted], { dtype: 'float64' });
    const [loss, weight, ...counts] = (await ranks.sum(sums)).tolist<number[]>();
    const all = new RunningMetrics();
    all.restore([[classes, loss!, weight!, ...counts]], []);
    if (keys.length > 0) {
      const measured = await ranks.gather(tensor(this.#extra.numbers(keys), { dtype: 'float64' }));
      all.#extra = Measures.combine(keys, measured.map((own) => own.tolist<number[]>())); // prettier-ignore
    }
    const { values, scores } = all.#result();
    return { values: { ...values, ...(await this.#metrics.finish(model, ranks)) }, scores };
  }

  #result(): PassMetrics {
    const scores = this.#classes.scores();
    const values: Record<string, number> = { loss: this.loss };
    if (scores !== undefined) Object.assign(values, { accuracy: scores.accuracy, f1: scores.f1 });
    return { values: { ...values, ...this.#extra.values() }, scores };
  }
}
