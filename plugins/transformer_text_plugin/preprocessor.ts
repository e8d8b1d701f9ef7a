import { AiforgeError, BasePreprocessor, cat, full, validate } from 'aiforge';
import { z } from 'zod';

import type { Item } from './dataset.js';

const State = z.strictObject({
  maxSeqLen: z.int().min(1).describe('Tokens of every sample'),
  paddingTokenId: z.int().min(0).default(0).describe('What short texts are filled up with'),
});

/** Cuts token ids to `maxSeqLen`, or fills them up with `paddingTokenId`. */
export class Preprocessor extends BasePreprocessor<Item, Item> {
  private settings: z.infer<typeof State> | undefined;

  /** Learns nothing from the items: `preprocessArgs` say all. */
  fit(_items: Iterable<Item>, args: Record<string, unknown>): void {
    this.settings = validate(State, args, { source: 'the experiment', under: ['preprocessArgs'] });
  }

  transform(item: Item): Item {
    const { maxSeqLen, paddingTokenId } = this.fitted();
    const ids = item.input_ids;
    const missing = maxSeqLen - ids.size(0);
    if (missing === 0) return item;
    if (missing < 0) return { ...item, input_ids: ids.narrow(0, 0, maxSeqLen) };
    return { ...item, input_ids: cat([ids, full([missing], paddingTokenId, { dtype: ids.dtype })]) };
  }

  /** Removes the padding at the end. */
  inverseTransform(sample: Item): Item {
    const { paddingTokenId } = this.fitted();
    const ids = sample.input_ids.tolist<number[]>();
    const length = ids.findLastIndex((id) => id !== paddingTokenId) + 1;
    return { ...sample, input_ids: sample.input_ids.narrow(0, 0, length) };
  }

  state(): z.infer<typeof State> {
    return this.fitted();
  }

  restore(state: unknown): void {
    const result = State.safeParse(state);
    if (!result.success) {
      throw new AiforgeError(
        'FILE_INVALID',
        `Not a state of transformer_text_plugin's preprocessor:\n${z.prettifyError(result.error)}`,
      );
    }
    this.settings = result.data;
  }

  private fitted(): z.infer<typeof State> {
    if (this.settings !== undefined) return this.settings;
    throw new AiforgeError('INVALID_ARGUMENT', 'The preprocessor was not fitted; call fit() or load() first.');
  }
}
