// A GPT: blocks of causal attention and a perceptron, with the weights of the embedding shared by the output.
import { arange, nn, optim, randint, type Tensor } from 'aiforge';

const { crossEntropy, scaledDotProductAttention } = nn.functional;

export function build({ size = 8, vocab = 64, length = 32, dim = 64, heads = 4, layers = 4, dropout = 0.1 } = {}) {
  class Attention extends nn.Module {
    qkv = new nn.Linear(dim, 3 * dim, { bias: false });
    proj = new nn.Linear(dim, dim, { bias: false });
    drop = new nn.Dropout(dropout);

    forward(x: Tensor) {
      const parts = this.qkv.forward(x).chunk(3, 2);
      const [q, k, v] = parts.map((part) => part.unflatten(2, [heads, -1]).transpose(1, 2));
      const dropoutP = this.training ? dropout : 0;
      const y = scaledDotProductAttention(q!, k!, v!, { dropoutP, isCausal: true });
      return this.drop.forward(this.proj.forward(y.transpose(1, 2).flatten(2)));
    }
  }

  class Block extends nn.Module {
    ln1 = new nn.LayerNorm(dim);
    attn = new Attention();
    ln2 = new nn.LayerNorm(dim);
    mlp = new nn.Sequential(
      new nn.Linear(dim, 4 * dim),
      new nn.GELU(),
      new nn.Linear(4 * dim, dim),
      new nn.Dropout(dropout),
    );

    forward(x: Tensor) {
      x = x.add(this.attn.forward(this.ln1.forward(x)));
      return x.add(this.mlp.forward(this.ln2.forward(x)));
    }
  }

  class GPT extends nn.Module {
    wte = new nn.Embedding(vocab, dim);
    wpe = new nn.Embedding(length, dim);
    drop = new nn.Dropout(dropout);
    blocks = new nn.ModuleList(Array.from({ length: layers }, () => new Block()));
    ln = new nn.LayerNorm(dim);
    head = new nn.Linear(dim, vocab, { bias: false });

    forward(tokens: Tensor) {
      let x = this.drop.forward(
        this.wte.forward(tokens).add(this.wpe.forward(arange(tokens.size(1), { device: tokens.device }))),
      );
      for (const block of this.blocks) x = block.forward(x);
      return this.head.forward(this.ln.forward(x));
    }
  }

  const model = new GPT();
  model.head.weight = model.wte.weight;
  for (const [name, parameter] of model.namedParameters()) {
    const std = name.endsWith('proj.weight') ? 0.02 / Math.sqrt(2 * layers) : 0.02;
    if (parameter.dim() === 2) nn.init.normal_(parameter, { std });
  }
  const decayed = [...model.parameters()].filter((parameter) => parameter.dim() >= 2);
  const others = [...model.parameters()].filter((parameter) => parameter.dim() < 2);
  const groups = [
    { params: decayed, weightDecay: 0.1 },
    { params: others, weightDecay: 0 },
  ];
  const optimizer = new optim.AdamW(groups, { lr: 1e-3, betas: [0.9, 0.95] });

  function batch() {
    // Arithmetic progressions: the next token follows from two before it.
    const [start, step] = [randint(vocab, [size, 1]), randint(1, 8, [size, 1])];
    const tokens = start.add(step.mul(arange(length + 1))).remainder(vocab);
    return [tokens.narrow(1, 0, length), tokens.narrow(1, 1, length)];
  }

  const loss = (tokens: Tensor, following: Tensor) =>
    crossEntropy(model.forward(tokens).flatten(0, 1), following.flatten());

  return { model, optimizer, batch, loss, clip: 1 };
}
