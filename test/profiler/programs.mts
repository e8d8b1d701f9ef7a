// The programs of test/reference/profiler.py.
import { nn, ones, type Tensor } from 'aiforge';

class Attention extends nn.Module {
  qkv = new nn.Linear(16, 48);
  out = new nn.Linear(16, 16);

  forward(x: Tensor): Tensor {
    const [q, k, v] = this.qkv
      .forward(x)
      .chunk(3, -1)
      .map((part) => part.reshape(2, 6, 4, 4).transpose(1, 2)) as [Tensor, Tensor, Tensor];
    const y = nn.functional.scaledDotProductAttention(q, k, v, { isCausal: true });
    return this.out.forward(y.transpose(1, 2).reshape(2, 6, 16));
  }
}

export interface Program {
  model: nn.Module & { forward(x: Tensor): Tensor | [Tensor, ...unknown[]] };
  x: Tensor;
}

const withGradient = (shape: number[]): Tensor => ones(shape, { requiresGrad: true });

export const programs: Record<string, () => Program> = {
  mlp: () => ({
    model: new nn.Sequential(new nn.Linear(16, 32), new nn.ReLU(), new nn.Linear(32, 4)),
    x: withGradient([8, 16]),
  }),
  conv: () => {
    const model = new nn.Sequential(
      new nn.Conv2d(3, 8, 3, { stride: 2, padding: 1 }),
      new nn.BatchNorm2d(8),
      new nn.GELU(),
      new nn.Conv2d(8, 8, 3, { groups: 4 }),
      new nn.ConvTranspose2d(8, 4, 2, { stride: 2 }),
      new nn.Flatten(),
      new nn.LazyLinear(5),
    );
    const x = withGradient([2, 3, 16, 16]);
    model.forward(x);
    return { model, x };
  },
  attention: () => ({ model: new Attention(), x: withGradient([2, 6, 16]) }),
  transformer: () => {
    const layer = new nn.TransformerEncoderLayer(16, 4, { dimFeedforward: 32, dropout: 0, batchFirst: true });
    return {
      model: new nn.TransformerEncoder(layer, 2, { enableNestedTensor: false }),
      x: withGradient([2, 6, 16]),
    };
  },
  lstm: () => ({ model: new nn.LSTM(8, 16, { batchFirst: true }), x: withGradient([2, 5, 8]) }),
};

export function forward({ model, x }: Program): Tensor {
  const output = model.forward(x);
  return Array.isArray(output) ? output[0] : output;
}

const gradient = ones([]);

export function step(program: Program): void {
  forward(program).pow(2).mean().backward({ gradient });
}
