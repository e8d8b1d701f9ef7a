import { randperm, tensor, type Generator, type Tensor } from '../../tensor/index.js';
import type { Column } from '../tables/frame.js';

const permuted = <T>(items: readonly T[], generator: Generator | null): readonly T[] =>
  generator === null
    ? items
    : randperm(items.length, { generator })
        .tolist<number[]>()
        .map((place) => items[Number(place)]!);

/** Numbers 0 … parts - 1 in runs as long as those of scikit-learn's `KFold`. */
function runs(rows: number, parts: number): number[] {
  const [least, longer] = [Math.floor(rows / parts), rows % parts];
  return Array.from({ length: parts }, (_, part) =>
    new Array<number>(least + (part < longer ? 1 : 0)).fill(part),
  ).flat();
}

/** For classes: each class is divided over the parts as evenly as may be, as scikit-learn's `StratifiedKFold` does. */
function stratified(target: readonly unknown[], parts: number, generator: Generator | null): number[] {
  // Classes in the order in which they appear.
  const numbers = new Map<unknown, number>();
  const codes = target.map((value) => {
    if (!numbers.has(value)) numbers.set(value, numbers.size);
    return numbers.get(value)!;
  });
  const sorted = [...codes].sort((a, b) => a - b);
  const waiting = Array.from({ length: numbers.size }, () => new Array<number>(parts).fill(0));
  sorted.forEach((code, i) => ++waiting[code]![i % parts]!);
  const folds = waiting.map((counts) => {
    const all = counts.flatMap((count, part) => new Array<number>(count).fill(part));
    return permuted(all, generator).values();
  });
  return codes.map((code) => folds[code]!.next().value as number);
}

/** The part that each row is in, int64 [rows]. */
export function foldsOf(target: Column, isContinuous: boolean, parts: number, generator: Generator | null): Tensor {
  const values = Array.isArray(target) ? target : target.to('float64').tolist<number[]>();
  const folds = isContinuous ? permuted(runs(values.length, parts), generator) : stratified(values, parts, generator);
  return tensor([...folds], { dtype: 'int64' });
}
