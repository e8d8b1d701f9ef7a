import { existsSync, readFileSync } from 'node:fs';

import { writeFileAtomic } from '../atomicFile.js';
import type { SampleContext } from '../data/index.js';
import { AiforgeError } from '../errors.js';
import { plainJson } from '../plainJson.js';
import { called } from './plugins/calls.js';

/**
 * What a plugin's `preprocessor.ts` extends, as `class Preprocessor`: turns raw items into samples of tensors. Its state is
 * data (JSON), never code.
 */
export abstract class BasePreprocessor<Item = unknown, Sample = unknown> {
  /**
   * Learns from the training split, and from nothing else; `args` are the experiment's `preprocessArgs`. Where the data set's items
   * come later, declare `items: Iterable<Item> & AsyncIterable<Item>`, and go over them with `for await`.
   */
  abstract fit(items: Iterable<Item>, args: Record<string, unknown>): void | Promise<void>;

  /** The sample for an item; leaves the item as it is. */
  abstract transform(item: Item): Sample;

  /**
   * The sample as it is to train on, changed at random: whatever is drawn is to come from `context.generator`, so that it does not
   * depend on who makes the sample. Default: as it is. Samples to validate, to test and to predict on are never changed.
   */
  augment?(sample: Sample, context: SampleContext): Sample;

  /** The item for a sample, as far as it can be had back. */
  abstract inverseTransform(sample: Sample): Item;

  /** What `fit` learnt, as plain data: numbers, texts, booleans, null, arrays and plain objects of them. Anything else is refused. */
  abstract state(): unknown;

  /** Takes what `state` gave. */
  abstract restore(state: unknown): void;

  /** Writes the state to a JSON file, whole or not at all. */
  save(file: string): void {
    const given = called('Preprocessor.state', () => this.state());
    const state = plainJson(`${this.constructor.name}.state()`, given, 'PLUGIN_INVALID');
    writeFileAtomic(file, `${state}\n`);
  }

  /** Reads what `save` wrote. Throws FILE_NOT_FOUND, or FILE_INVALID for a file that is no JSON. */
  load(file: string): void {
    if (!existsSync(file)) {
      throw new AiforgeError(
        'FILE_NOT_FOUND',
        `There is no preprocessor file ${file}. Train first, or check the path.`,
      );
    }
    let state: unknown;
    try {
      state = JSON.parse(readFileSync(file, 'utf8'));
    } catch (cause) {
      throw new AiforgeError(
        'FILE_INVALID',
        `${file} is no JSON: ${(cause as Error).message}. Train again to write it anew.`,
        { cause },
      );
    }
    called('Preprocessor.restore', () => this.restore(state));
  }
}
