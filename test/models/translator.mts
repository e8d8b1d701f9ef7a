// A Transformer encoder and decoder that turns sequences round.
import { arange, exp, nn, optim, outer, randint, stack, type Tensor } from 'aiforge';

const { crossEntropy, pad } = nn.functional;
const START = 0;

export function build({ size = 8, vocab = 100, dim = 64, heads = 4, layers = 2, ff = 128, length = 16 } = {}) {
  const layerNumbers = { numEncoderLayers: layers, numDecoderLayers: layers };
  const angles = outer(arange(length), exp(arange(0, dim, 2).mul(-Math.log(10000) / dim)));

  class Translator extends nn.Module {
    embedding = new nn.Embedding(vocab, dim);
    transformer = new nn.Transformer({
      dModel: dim,
      nhead: heads,
      ...layerNumbers,
      dimFeedforward: ff,
      batchFirst: true,
    });
    output = new nn.Linear(dim, vocab);
    positions = new nn.Buffer(stack([angles.sin(), angles.cos()], 2).flatten(1));
    mask = new nn.Buffer(nn.Transformer.generateSquareSubsequentMask(length));

    embed(tokens: Tensor) {
      return this.embedding.forward(tokens).mul(Math.sqrt(dim)).add(this.positions);
    }

    forward(source: Tensor, target: Tensor) {
      const options = { tgtMask: this.mask, tgtIsCausal: true };
      return this.output.forward(this.transformer.forward(this.embed(source), this.embed(target), options));
    }
  }

  const model = new Translator();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3, betas: [0.9, 0.98], eps: 1e-9 });

  function batch() {
    const source = randint(1, vocab, [size, length]);
    const target = source.flip(1);
    return [source, pad(target.narrow(1, 0, length - 1), [1, 0], { value: START }), target];
  }

  const loss = (source: Tensor, shifted: Tensor, target: Tensor) =>
    crossEntropy(model.forward(source, shifted).flatten(0, 1), target.flatten(), { labelSmoothing: 0.1 });

  return { model, optimizer, batch, loss };
}
