import { BasePreprocessor, tensor, validate, type Tensor } from 'aiforge';
import { z } from 'zod';

import type { Item } from './dataset.js';

/** The settings under `preprocessArgs` in the experiment. */
const Args = z.strictObject({
  maxWords: z.int().min(1).default(12).describe('Words of a text that count; default 12'),
  vocabularySize: z.int().min(2).default(1000).describe('As in the model; default 1000'),
});

/** What the model gets of one item; a batch has the tensors of several, stacked. */
interface Sample {
  words: Tensor;
  labels?: Tensor;
}

// The first two numbers are no words.
const padding = 0;
const unknown = 1;

/** Gives each word a number; the most frequent ones of the training texts have numbers of their own. */
export class Preprocessor extends BasePreprocessor<Item, Sample> {
  private maxWords = 12;
  private vocabulary = new Map<string, number>();

  /** Learns from the training samples alone; called once, before training. */
  fit(items: Iterable<Item>, args: Record<string, unknown>): void {
    const settings = validate(Args, args, { source: 'the experiment', under: ['preprocessArgs'] });
    const counts = new Map<string, number>();
    for (const { text } of items) for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
    const frequent = [...counts].sort(([, a], [, b]) => b - a).slice(0, settings.vocabularySize - 2);
    this.maxWords = settings.maxWords;
    this.vocabulary = new Map(frequent.map(([word], index) => [word, index + 2]));
  }

  transform({ text, label }: Item): Sample {
    const numbers = wordsOf(text).map((word) => this.vocabulary.get(word) ?? unknown);
    // All samples of a batch have the same length: longer texts are cut, shorter ones filled up.
    const row = Array.from({ length: this.maxWords }, (_, i) => numbers[i] ?? padding);
    const sample = { words: tensor(row, { dtype: 'int64' }) };
    return label === undefined ? sample : { ...sample, labels: tensor(label) };
  }

  /** The words that have numbers of their own; others are lost. */
  inverseTransform({ words, labels }: Sample): Item {
    const names = new Map(Array.from(this.vocabulary, ([word, number]) => [number, word]));
    const text = words
      .tolist<number[]>()
      .flatMap((number) => names.get(number) ?? [])
      .join(' ');
    return labels === undefined ? { text } : { text, label: Number(labels.item()) };
  }

  /** What `fit` has learnt, as JSON: it is kept with the trained model. */
  state(): unknown {
    return { maxWords: this.maxWords, vocabulary: [...this.vocabulary] };
  }

  restore(state: unknown): void {
    const { maxWords, vocabulary } = state as { maxWords: number; vocabulary: [string, number][] };
    this.maxWords = maxWords;
    this.vocabulary = new Map(vocabulary);
  }
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
