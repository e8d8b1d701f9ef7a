import { noGrad } from '../../autograd/modes.js';
import { aten } from '../../tensor/calls/aten.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { RecurrentMode } from './recurrent.js';

/** The sizes of a recurrent network. */
export interface RecurrentSizes {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly projSize: number;
  readonly numLayers: number;
  readonly batchFirst: boolean;
  readonly bidirectional: boolean;
}

// By their numbers in cuDNN.
const modes: readonly RecurrentMode[] = ['RNN_RELU', 'RNN_TANH', 'LSTM', 'GRU'];

const flattenWeight = aten('_cudnn_rnn_flatten_weight');
const cudnnIsAcceptable = aten<boolean>('cudnn_is_acceptable');

/** Lays the weights of a network on a GPU out in one memory, as cuDNN reads them; does nothing where it cannot. */
export function flattenForCudnn(mode: RecurrentMode, layers: readonly Tensor[][], sizes: RecurrentSizes): void {
  const weights = layers.flat();
  const first = weights[0]!;
  if (!weights.every((weight) => weight.isCuda && weight.dtype === first.dtype && cudnnIsAcceptable(weight))) return;
  // A weight that stands for two cannot lie in two places.
  if (new Set(weights.map((weight) => weight.dataPtr())).size < weights.length) return;
  const { inputSize, hiddenSize, projSize, numLayers, batchFirst, bidirectional } = sizes;
  const perLayer = layers[0]!.length;
  scope(() =>
    noGrad(() =>
      flattenWeight(
        weights,
        perLayer,
        inputSize,
        modes.indexOf(mode),
        hiddenSize,
        projSize,
        numLayers,
        batchFirst,
        bidirectional,
      ),
    ),
  );
}
