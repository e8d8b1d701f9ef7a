import { ones, randn, zeros, manualSeed, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

class Block extends nn.Module {
  layers = new nn.ModuleList([new nn.Linear(8, 8), new nn.Linear(8, 8)]);
  norm = new nn.LayerNorm(8);
  scale = new nn.Parameter(ones([3]));
  override forward(x: Tensor): Tensor {
    let y = x;
    for (const layer of this.layers) y = layer.forward(y).relu();
    return this.norm.forward(this.layers.at(0).forward(y));
  }
}

class Net extends nn.Module {
  conv = new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { bias: false }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.Flatten(),
  );
  fc = new nn.Linear(144, 8);
  block = new Block();
  rnn = new nn.LSTM(8, 6, { batchFirst: true });
  override forward(x: Tensor): Tensor {
    const y = this.block.forward(this.fc.forward(this.conv.forward(x)));
    return this.rnn.forward(y.unsqueeze(1))[0];
  }
}

function makeNet(): Net {
  const net = new Net();
  net.fc.bias!.requiresGrad = false;
  net.conv.requiresGrad_(false);
  return net;
}

// As torchinfo 1.8 prints the same model written in Python, but for the unit of the multiplications.
const table = `==========================================================================================
Layer (type:depth-idx)                   Output Shape              Param #
==========================================================================================
Net                                      [2, 1, 6]                 --
├─Sequential: 1-1                        [2, 144]                  --
│    └─Conv2d: 2-1                       [2, 4, 6, 6]              (36)
│    └─BatchNorm2d: 2-2                  [2, 4, 6, 6]              (8)
│    └─ReLU: 2-3                         [2, 4, 6, 6]              --
│    └─Flatten: 2-4                      [2, 144]                  --
├─Linear: 1-2                            [2, 8]                    1,160
├─Block: 1-3                             [2, 8]                    3
│    └─ModuleList: 2-5                   --                        --
│    │    └─Linear: 3-1                  [2, 8]                    72
│    │    └─Linear: 3-2                  [2, 8]                    72
│    │    └─Linear: 3-3                  [2, 8]                    (recursive)
│    └─LayerNorm: 2-6                    [2, 8]                    16
├─LSTM: 1-4                              [2, 1, 6]                 384
==========================================================================================
Total params: 1,751
Trainable params: 1,699
Non-trainable params: 52
Total mult-adds (M): 0.01
==========================================================================================
Input size (MB): 0.00
Forward/backward pass size (MB): 0.01
Params size (MB): 0.01
Estimated Total Size (MB): 0.01
==========================================================================================`;

describe('summary', () => {
  it('prints the table that users of torchinfo know', () => {
    expect(String(nn.summary(makeNet(), [2, 1, 8, 8]))).to.equal(table);
  });

  it('shows other columns, less depth, and names', () => {
    const colNames = ['kernelSize', 'inputSize', 'paramsPercent', 'multAdds', 'trainable'] as const;
    const lines = String(
      nn.summary(makeNet(), [2, 1, 8, 8], { colNames, depth: 2, varNames: true, colWidth: 15 }),
    ).split('\n');
    expect(lines.slice(1, 9)).to.deep.equal([
      'Layer (type (var_name):depth-idx)        Kernel Shape    Input Shape     Param %         Mult-Adds       Trainable',
      '='.repeat(115),
      'Net (Net)                                --              [2, 1, 8, 8]         --         --              Partial',
      '├─Sequential (conv): 1-1                 --              [2, 1, 8, 8]         --         --              False',
      '│    └─Conv2d (0): 2-1                   [3, 3]          [2, 1, 8, 8]      2.06%         2,592           False',
      '│    └─BatchNorm2d (1): 2-2              --              [2, 4, 6, 6]      0.46%         16              False',
      '│    └─ReLU (2): 2-3                     --              [2, 4, 6, 6]         --         --              --',
      '│    └─Flatten (3): 2-4                  --              [2, 4, 6, 6]         --         --              --',
    ]);
    expect(lines.join()).to.not.include('3-1');
  });

  it('gives the numbers, and leaves the model and the random numbers as they were', () => {
    const net = makeNet();
    net.conv.eval();
    manualSeed(3);
    const next = randn([2]).tolist();
    manualSeed(3);
    const result = nn.summary(net, [1, 8, 8], { batchDim: 0 });
    expect(randn([2]).tolist()).to.deep.equal(next);
    expect([net.training, net.conv.at(0).training]).to.deep.equal([true, false]);
    expect(Object.hasOwn(net, 'forward')).to.equal(false);
    const { totalParams, trainableParams, totalMultAdds, inputBytes, paramBytes } = result;
    expect([totalParams, trainableParams, inputBytes]).to.deep.equal([1751, 1699, 256]);
    expect(totalMultAdds).to.equal(36 * 36 + 8 + 1160 + 3 * 72 + 16 + 384);
    expect(paramBytes).to.equal(4 * (36 + 8 + 1160 + 72 + 72 + 16 + 384));
    expect(result.layers[1]!.below.map(({ className }) => className)).to.deep.equal([
      'Conv2d',
      'BatchNorm2d',
      'ReLU',
      'Flatten',
    ]);
  });

  it('takes tensors, several inputs, dtypes, pruned and lazy models, or nothing', () => {
    class Pair extends nn.Module {
      table = new nn.Embedding(5, 3);
      lazy = new nn.LazyLinear(2);
      override forward(ids: Tensor, x: Tensor): Tensor {
        return this.lazy.forward(this.table.forward(ids).add(x));
      }
    }
    const pair = new Pair();
    const shapes = [
      [1, 4],
      [1, 4, 3],
    ];
    expect(nn.summary(pair).totalParams).to.equal(15);
    const result = nn.summary(pair, shapes, { dtypes: ['int64', 'float32'] });
    expect([result.totalParams, result.layers.at(-1)!.outputSize]).to.deep.equal([23, [1, 4, 2]]);
    expect(nn.summary(pair, [zeros([2, 4], { dtype: 'int64' }), ones([2, 4, 3])]).layers[0]!.outputSize).to.deep.equal([
      2, 4, 2,
    ]);
    expect(
      nn.summary(nn.utils.prune.l1Unstructured(new nn.Linear(4, 2), 'weight', 3), ones([1, 4])).totalParams,
    ).to.equal(7);
    expect(String(nn.summary(new nn.Linear(2, 1)))).to.not.include('mult-adds');
  });

  it('takes its hooks away when the model fails, and refuses what is no shape', () => {
    const layer = new nn.Linear(2, 1);
    expect(() => nn.summary(layer, [1, 3])).to.throw(/linear/);
    expect(Object.hasOwn(layer, 'forward')).to.equal(false);
    const wrong: [nn.SummaryInput, nn.SummaryOptions?][] = [
      [[0, 2]],
      [['a'] as never],
      [[]],
      [[1, 2], { colNames: ['x' as never] }],
      [[1, 2], { depth: 'x' as never }],
      [[1, 2], { col_names: [] } as never],
    ];
    for (const [input, options] of wrong) {
      expect(() => nn.summary(layer, input, options))
        .to.throw(/summary/)
        .with.property('code', 'INVALID_ARGUMENT');
    }
  });
});
