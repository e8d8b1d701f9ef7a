import { ones, randn, tensor, type Tensor, zeros } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { reference } from '../../support/reference.mjs';
import { camelKeys } from '../reference.mjs';
import { compute, type Case } from './recurrentCases.mjs';

const { packPaddedSequence, packSequence, padPackedSequence, padSequence, unpackSequence } = nn.utils.rnn;

interface RecurrentCase extends Case {
  module: string;
  args: number[];
  form: string;
}

type Input = Tensor | nn.utils.rnn.PackedSequence;
type Recurrent = nn.Module & { forward(input: Input, states?: unknown): unknown };
const layers = nn as unknown as Record<string, new (...args: unknown[]) => Recurrent>;

function call(layer: Recurrent, { module, form, options }: RecurrentCase, [x, ...states]: Tensor[]): unknown {
  const isSorted = form === 'packed';
  const packing = { batchFirst: options.batch_first === true, enforceSorted: isSorted };
  const input = form.startsWith('packed') ? packPaddedSequence(x!, isSorted ? [4, 2, 1] : [2, 4, 1], packing) : x!;
  const hx = states.length === 0 ? undefined : module.startsWith('LSTM') ? states : states[0];
  return layer.forward(input, hx);
}

describe('recurrent layers', () => {
  it('compute what PyTorch computes, bit for bit', function () {
    this.timeout(120_000);
    const cases = JSON.parse(reference(this, 'modules_recurrent.py')) as RecurrentCase[];
    expect(cases.length).to.be.above(300);
    for (const given of cases) {
      const { module, args, options, form, mode, inputs, repr, keys, found } = given;
      const make = (): Recurrent => new layers[module]!(...args, camelKeys(options));
      const what = JSON.stringify([module, options, form, mode, inputs]);
      expect(
        compute(given, make, (layer, tensors) => call(layer, given, tensors)),
        what,
      ).to.deep.equal({ repr, keys, found });
    }
  });

  it('refuse options and tensors that do not fit', () => {
    const invalid = (make: () => unknown, message: RegExp): void => {
      expect(make, String(message)).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
    };
    invalid(() => new nn.LSTM(0, 2), /inputSize must be a whole number above 0, got 0/);
    invalid(() => new nn.GRU(2, 2.5), /hiddenSize.*2\.5/);
    invalid(() => new nn.RNN(2, 2, { numLayers: 0 }), /numLayers.*0/);
    invalid(() => new nn.LSTM(2, 2, { dropout: 1.5 }), /dropout must be a number from 0 to 1, got 1\.5/);
    invalid(() => new nn.LSTM(2, 2, { bias: 1 as never }), /bias must be true or false/);
    invalid(() => new nn.LSTM(2, 2, { projSize: 2 }), /projSize must be below hiddenSize/);
    invalid(() => new nn.GRU(2, 2, { projSize: 1 } as never), /GRU: has no option 'projSize'/);
    invalid(() => new nn.RNN(2, 2, { nonlinearity: 'sin' as never }), /'tanh' or 'relu', got 'sin'/);
    invalid(() => new nn.RNNCell(2, 2, { nonlinearity: 'sin' as never }).forward(ones([2])), /got 'sin'/);
    invalid(() => new nn.GRUCell(-1, 2), /inputSize/);

    const lstm = new nn.LSTM(2, 3);
    invalid(() => lstm.forward(ones([2])), /3 dimensions, or 2 without a batch, got \[2\]/);
    invalid(() => lstm.forward(ones([4, 1, 3])), /inputSize, 2, got \[4, 1, 3\]/);
    invalid(() => lstm.forward(ones([4, 1, 2], { dtype: 'float64' })), /float64.*float32/);
    invalid(() => lstm.forward(ones([4, 1, 2]), ones([1, 1, 3]) as never), /\[hidden, cell\]/);
    invalid(() => lstm.forward(ones([4, 1, 2]), [ones([1, 3]), ones([1, 3])]), /3 too/);
    invalid(() => lstm.forward(ones([4, 1, 2]), [ones([1, 1, 3]), ones([1, 2, 3])]), /hx\[1\] of shape \[1, 1, 3\]/);
    invalid(() => lstm.forward(packSequence([ones([2, 3])])), /inputSize/);
    invalid(() => new nn.LSTMCell(2, 3).forward(ones([1, 1, 2])), /2 dimensions, or 1/);
  });

  it('have their weights under Python’s names, and follow those that are assigned', () => {
    const gru = new nn.GRU(2, 3, { numLayers: 2, bidirectional: true });
    expect(gru.allWeights.map((weights) => weights.length)).to.deep.equal([4, 4, 4, 4]);
    expect(gru.weightHhL1Reverse).to.equal(gru.allWeights[3]![1]);
    gru.flattenParameters();

    const copy = gru.deepCopy();
    const x = randn([4, 1, 2]);
    copy.biasIhL0 = new nn.Parameter(zeros([9]));
    expect(copy.forward(x)[0].equal(gru.forward(x)[0])).to.equal(false);
    copy.biasIhL0 = gru.biasIhL0!;
    expect(copy.forward(x)[0].equal(gru.forward(x)[0])).to.equal(true);
  });
});

describe('packed sequences', () => {
  const sequences = (): Tensor[] => [tensor([1, 2]), tensor([3, 4, 5]), tensor([6])];
  const lists = (tensors: Tensor[]): unknown[] => tensors.map((item) => item.tolist());

  it('print, pack and unpack as in Python', () => {
    const packed = packSequence(sequences(), { enforceSorted: false });
    expect(String(packed)).to.equal(
      'PackedSequence(data=tensor([3, 1, 6, 4, 2, 5]), batch_sizes=tensor([3, 2, 1]), ' +
        'sorted_indices=tensor([1, 0, 2]), unsorted_indices=tensor([1, 0, 2]))',
    );
    expect(lists(unpackSequence(packed))).to.deep.equal(lists(sequences()));
    const [padded, lengths] = padPackedSequence(packed, { batchFirst: true, paddingValue: -1, totalLength: 4 });
    expect(padded.tolist()).to.deep.equal([
      [1, 2, -1, -1],
      [3, 4, 5, -1],
      [6, -1, -1, -1],
    ]);
    expect(lengths.tolist()).to.deep.equal([2, 3, 1]);
    expect(padSequence(sequences(), { batchFirst: true, paddingSide: 'left' }).tolist()).to.deep.equal([
      [0, 1, 2],
      [3, 4, 5],
      [0, 0, 6],
    ]);
  });

  it('move and change their dtype, and are themselves where nothing changes', () => {
    const packed = packSequence(sequences(), { enforceSorted: false });
    expect(packed.to('int64')).to.equal(packed);
    expect(packed.cpu()).to.equal(packed);
    const half = packed.half();
    expect([half.data.dtype, half.batchSizes.dtype, half.isCuda]).to.deep.equal(['float16', 'int64', false]);
    expect(half.unsortedIndices!.tolist()).to.deep.equal([1, 0, 2]);
  });

  it('refuse lengths that do not fit', () => {
    expect(() => packSequence(sequences())).to.throw(/sorted in decreasing order/);
    expect(() => padPackedSequence(packSequence([ones([3])]), { totalLength: 2 })).to.throw(
      /longest sequence, 3, got 2/,
    );
    expect(() => nn.utils.rnn.unpadSequence(ones([2, 2]), tensor([1]))).to.throw(/each of the 2 sequences, got 1/);
    expect(() => padSequence(3 as never)).to.throw(/list of Tensors, got 3/);
  });
});
