import { arange, nn, type Tensor } from 'aiforge';
import { vocabularySize } from './characters.js';
import type { Config } from './config.js';

/** Attention to what came before, then a perceptron, each on what a norm gives and added to it. */
class Block extends nn.Module {
  attentionNorm: nn.LayerNorm;
  parts: nn.Linear;
  project: nn.Linear;
  mlpNorm: nn.LayerNorm;
  mlp: nn.Sequential;
  drop: nn.Dropout;
  private readonly heads: number;
  private readonly rate: number;

  constructor({ width, heads, dropout }: Config) {
    super();
    this.heads = heads;
    this.rate = dropout;
    this.attentionNorm = new nn.LayerNorm(width);
    this.parts = new nn.Linear(width, 3 * width);
    this.project = new nn.Linear(width, width);
    this.mlpNorm = new nn.LayerNorm(width);
    this.mlp = new nn.Sequential(new nn.Linear(width, 4 * width), new nn.GELU(), new nn.Linear(4 * width, width));
    this.drop = new nn.Dropout(dropout);
  }

  forward(x: Tensor): Tensor {
    const attended = x.add(this.drop.forward(this.project.forward(this.attention(this.attentionNorm.forward(x)))));
    return attended.add(this.drop.forward(this.mlp.forward(this.mlpNorm.forward(attended))));
  }

  private attention(x: Tensor): Tensor {
    const parts = this.parts.forward(x).chunk(3, 2);
    const [q, k, v] = parts.map((part) => part.unflatten(2, [this.heads, -1]).transpose(1, 2));
    const dropoutP = this.training ? this.rate : 0;
    const y = nn.functional.scaledDotProductAttention(q!, k!, v!, { isCausal: true, dropoutP });
    return y.transpose(1, 2).flatten(2);
  }
}

/** Ids of characters, (batch, length), in; logits of the one after each, (batch, length, vocabulary), out. */
export class Gpt extends nn.Module {
  characters: nn.Embedding;
  positions: nn.Embedding;
  blocks: nn.Sequential;
  norm: nn.LayerNorm;
  head: nn.Linear;

  constructor(config: Config) {
    super();
    const { contextLength, width, layers } = config;
    this.characters = new nn.Embedding(vocabularySize, width);
    this.positions = new nn.Embedding(contextLength, width);
    this.blocks = new nn.Sequential(...Array.from({ length: layers }, () => new Block(config)));
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, vocabularySize);
    for (const { weight } of [this.characters, this.positions]) nn.init.normal_(weight, { std: 0.02 });
  }

  forward(tokens: Tensor): Tensor {
    const positions = this.positions.forward(arange(tokens.size(1), { device: tokens.device }));
    return this.head.forward(this.norm.forward(this.blocks.forward(this.characters.forward(tokens).add(positions))));
  }
}
