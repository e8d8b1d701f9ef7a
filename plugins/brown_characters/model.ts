import { BaseModel, Generator, nn, scope, tensor, zeros, type StepOutput, type Tensor } from 'aiforge';
import { Perplexity } from 'aiforge/metrics';
import { decode, encode, vocabularySize } from './characters.js';
import type { Config } from './config.js';
import { Gpt } from './gpt.js';

export interface Batch {
  tokens: Tensor; // (batch, length)
  targets: Tensor;
}

/** Added to each count, so that pairs that never occurred in training are not impossible. */
const smoothing = 0.1;

/** A GPT that is told by its perplexity, beside that of the pairs of characters that it was trained on. */
export class Model extends BaseModel<Config, Batch> {
  gpt: Gpt;
  /** How often a character (column) followed another (row) in training. */
  pairs = new nn.Buffer(zeros([vocabularySize, vocabularySize], { dtype: 'int64' }));
  perplexity = new Perplexity();
  baselinePerplexity = new Perplexity();

  constructor(config: Config) {
    super(config);
    this.gpt = new Gpt(config);
  }

  forward(tokens: Tensor): Tensor {
    return this.gpt.forward(tokens);
  }

  trainingStep({ tokens, targets }: Batch): StepOutput {
    const pairs = tokens.mul(vocabularySize).add(targets).flatten();
    this.pairs.add_(pairs.bincount(null, vocabularySize ** 2).view(vocabularySize, vocabularySize));
    return { loss: this.lossOf(this.forward(tokens), targets) };
  }

  validationStep({ tokens, targets }: Batch, batchIdx: number): StepOutput {
    const logits = this.forward(tokens);
    this.perplexity.update(logits, targets);
    this.log('perplexity', this.perplexity);
    this.baselinePerplexity.update(nn.functional.embedding(tokens, this.pairs.add(smoothing).log()), targets);
    this.log('baseline_perplexity', this.baselinePerplexity);
    if (batchIdx === 0) this.logText('sample', this.write('The ', this.config.sampleLength));
    return { loss: this.lossOf(logits, targets) };
  }

  /** Goes on with a text by `length` characters. The draws are of a generator of their own: training does not depend on them. */
  write(beginning: string, length: number, seed = 0): string {
    const generator = new Generator({ device: this.pairs.device }).manualSeed(seed);
    const ids = Array.from(encode(beginning), Number);
    for (let i = 0; i < length; ++i) ids.push(this.next(ids.slice(-this.config.contextLength), generator));
    return decode(ids);
  }

  private next(ids: number[], generator: Generator): number {
    return scope(() => {
      const logits = this.forward(tensor([ids], { device: this.pairs.device }));
      const probabilities = logits.select(1, -1).softmax(-1);
      return Number(probabilities.multinomial(1, false, { generator }).item());
    });
  }

  private lossOf(logits: Tensor, targets: Tensor): Tensor {
    return this.lossFn.forward(logits.flatten(0, 1), targets.flatten());
  }
}
