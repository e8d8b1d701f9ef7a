import { BaseModel, nn, type StepOutput, type Tensor } from 'aiforge';

import type { Config } from './config.js';

/** What a step gets: the samples of the preprocessor, stacked along a first dimension. */
interface Batch {
  words: Tensor; // (batch, maxWords), int64; 0 where a text has no more words
  labels: Tensor; // (batch,), int64
}

export class Model extends BaseModel<Config, Batch> {
  // Layers that are properties belong to the model: they are trained, saved and moved with it.
  embedding: nn.Embedding;
  output: nn.Linear;

  constructor(config: Config) {
    super(config);
    this.embedding = new nn.Embedding(config.vocabularySize, config.hiddenSize, { paddingIdx: 0 });
    this.output = new nn.Linear(config.hiddenSize, config.classes);
  }

  /** One score a class and text: (batch, classes). The largest is the predicted class. */
  forward(words: Tensor): Tensor {
    const isWord = words.ne(0).unsqueeze(2);
    const vectors = this.embedding.forward(words).mul(isWord);
    // The mean over the words, without those that only fill up.
    return this.output.forward(vectors.sum(1).div(isWord.sum(1).clamp(1)));
  }

  /** The loss of a batch. `this.lossFn` is the loss that the experiment names. */
  trainingStep(batch: Batch): StepOutput {
    const predictions = this.forward(batch.words);
    // With predictions of this form, accuracy and F1 are measured by themselves.
    return { loss: this.lossFn.forward(predictions, batch.labels), predictions };
  }

  validationStep(batch: Batch): StepOutput {
    return this.trainingStep(batch);
  }
}
