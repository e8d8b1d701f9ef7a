import { AiforgeError, BasePreprocessor, tensor, validate, type Tensor } from 'aiforge';
import { z } from 'zod';
import type { Item } from './dataset.js';
import { Tokenizer } from './tokenizer.js';

export interface Sample {
  input_ids: Tensor;
  labels: Tensor;
}

const Args = z.strictObject({
  vocabSize: z.int().min(3).describe('Tokens to tell apart, the two special ones included'),
  maxSeqLen: z.int().min(1).describe('Tokens of a sample: longer e-mails are cut, shorter ones padded'),
});

const State = z.object({ maxSeqLen: z.int().min(1), vocabulary: z.array(z.string()).min(2) });

/** The class index that `CrossEntropyLoss` ignores, for an e-mail whose class is not known. */
const unknownLabel = -100;

/**
 * Turns an e-mail into the ids of its first `maxSeqLen` tokens. `fit` takes the vocabulary from the items it is given, the
 * training split; `preprocessArgs`: `vocabSize` and `maxSeqLen`.
 */
export class Preprocessor extends BasePreprocessor<Item, Sample> {
  private tokenizer: Tokenizer | undefined;
  private maxSeqLen = 0;
  // An e-mail is read once an epoch, and splitting it into tokens costs more than all else that is done with it.
  private encoded = new WeakMap<Item, BigInt64Array>();

  fit(items: Iterable<Item>, args: Record<string, unknown>): void {
    const { vocabSize, maxSeqLen } = validate(Args, args, { source: 'the experiment', under: ['preprocessArgs'] });
    this.use(Tokenizer.train(texts(items), vocabSize), maxSeqLen);
  }

  transform(item: Item): Sample {
    return { input_ids: tensor(this.idsOf(item)), labels: tensor(item.label ?? unknownLabel, { dtype: 'int64' }) };
  }

  /** The tokens as text, joined by blanks; words that are not in the vocabulary come back as `<unk>`. */
  inverseTransform(sample: Sample): Item {
    const ids = sample.input_ids.tolist<(bigint | number)[]>();
    const label = Number(sample.labels.item());
    const text = this.fitted().decode(ids);
    return label === unknownLabel ? { text } : { text, label };
  }

  state(): z.output<typeof State> {
    return { maxSeqLen: this.maxSeqLen, vocabulary: [...this.fitted().vocabulary] };
  }

  restore(state: unknown): void {
    const result = State.safeParse(state);
    if (!result.success) {
      throw new AiforgeError(
        'FILE_INVALID',
        `Not a state of spam_assassin's preprocessor:\n${z.prettifyError(result.error)}`,
      );
    }
    this.use(Tokenizer.fromVocabulary(result.data.vocabulary), result.data.maxSeqLen);
  }

  private use(tokenizer: Tokenizer, maxSeqLen: number): void {
    this.tokenizer = tokenizer;
    this.maxSeqLen = maxSeqLen;
    this.encoded = new WeakMap();
  }

  private idsOf(item: Item): BigInt64Array {
    let ids = this.encoded.get(item);
    if (ids === undefined) {
      ids = this.fitted().encode(item.text, this.maxSeqLen);
      this.encoded.set(item, ids);
    }
    return ids;
  }

  private fitted(): Tokenizer {
    if (this.tokenizer !== undefined) return this.tokenizer;
    throw new AiforgeError('INVALID_ARGUMENT', 'The preprocessor has no vocabulary yet; call fit or load first.');
  }
}

function* texts(items: Iterable<Item>): Iterable<string> {
  for (const item of items) yield item.text;
}
