// A bidirectional LSTM that gives each word of a sentence a tag; sentences have different lengths.
import { arange, nn, optim, randint, type Tensor } from 'aiforge';

const { packPaddedSequence, padPackedSequence } = nn.utils.rnn;
const PADDING = -1;

export function build({ size = 16, words = 500, dim = 32, hidden = 48, layers = 2, tags = 12, length = 16 } = {}) {
  class Tagger extends nn.Module {
    embedding = new nn.Embedding(words, dim);
    lstm = new nn.LSTM(dim, hidden, { numLayers: layers, batchFirst: true, dropout: 0.2, bidirectional: true });
    tags = new nn.Linear(2 * hidden, tags);

    forward(words: Tensor, lengths: Tensor) {
      const options = { batchFirst: true, enforceSorted: false };
      const [outputs] = this.lstm.forward(
        packPaddedSequence(this.embedding.forward(words), lengths.to('cpu'), options),
      );
      const [padded] = padPackedSequence(outputs, { batchFirst: true, totalLength: length });
      return this.tags.forward(padded);
    }
  }

  const model = new Tagger();
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });

  function batch() {
    const sentences = randint(words, [size, length]);
    const lengths = randint(1, length + 1, [size]);
    // A word's tag depends on the word before it.
    const gold = sentences.add(sentences.roll(1, 1)).remainder(tags);
    return [sentences, lengths, gold.maskedFill(arange(length).ge(lengths.unsqueeze(1)), PADDING)];
  }

  const loss = (sentences: Tensor, lengths: Tensor, gold: Tensor) =>
    nn.functional.crossEntropy(model.forward(sentences, lengths).flatten(0, 1), gold.flatten(), {
      ignoreIndex: PADDING,
    });

  return { model, optimizer, batch, loss, clip: 1 };
}
