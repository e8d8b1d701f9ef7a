import { native, type Handle, type Handles } from '../../native.js';
import { enterContext } from '../../tensor/context/context.js';
import { handleOf, handlesOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';

const { call } = native;

/** What a recurrent network computes: an LSTM, a GRU, or an RNN by its nonlinearity. */
export type RecurrentMode = 'LSTM' | 'GRU' | 'RNN_TANH' | 'RNN_RELU';

const modes: readonly RecurrentMode[] = ['LSTM', 'GRU', 'RNN_TANH', 'RNN_RELU'];
const names = ['lstm', 'gru', 'rnn_tanh', 'rnn_relu'];
const inputIds = native.registerOperators(names.map((name) => `${name}.input`));
const dataIds = native.registerOperators(names.map((name) => `${name}.data`));
const cellIds = native.registerOperators(names.map((name) => `${name}_cell`));

/** What the operators take beside tensors. */
export interface RecurrentSettings {
  readonly bias: boolean;
  readonly numLayers: number;
  readonly dropout: number;
  readonly training: boolean;
  readonly bidirectional: boolean;
  readonly batchFirst: boolean;
}

/** An LSTM takes a list of its two states, the others their one. */
const statesOf = (mode: RecurrentMode, states: readonly Tensor[]): Handle | Handles =>
  mode === 'LSTM' ? handlesOf(states) : handleOf(states[0]!);

/** The output and the last states of every layer; `batchSizes` where `input` is the data of packed sequences. */
export function recurrent(
  mode: RecurrentMode,
  input: Tensor,
  batchSizes: Tensor | null,
  states: readonly Tensor[],
  weights: readonly Tensor[],
  settings: RecurrentSettings,
): [output: Tensor, ...states: Tensor[]] {
  const which = modes.indexOf(mode);
  const x = handleOf(input);
  const hx = statesOf(mode, states);
  const params = handlesOf(weights);
  const { bias, numLayers, dropout, training, bidirectional, batchFirst } = settings;
  enterContext();
  const results =
    batchSizes === null
      ? call(inputIds + which, x, hx, params, bias, numLayers, dropout, training, bidirectional, batchFirst)
      : call(dataIds + which, x, handleOf(batchSizes), hx, params, bias, numLayers, dropout, training, bidirectional);
  return (results as Handle[]).map(wrapHandle) as [Tensor, ...Tensor[]];
}

const zerosId = native.registerOperators(['zeros']);
/** A state of zeros for each shape, of the dtype and on the device of `like`; equal shapes share one. */
export function zeroStates(shapes: readonly (readonly number[])[], like: Tensor): Tensor[] {
  const { dtype, device } = like;
  enterContext();
  const made: Tensor[] = [];
  for (const [i, shape] of shapes.entries()) {
    const isShared = i > 0 && shape.at(-1) === shapes[0]!.at(-1);
    made.push(isShared ? made[0]! : wrapHandle(call(zerosId, shape, dtype, null, device, null) as Handle));
  }
  return made;
}

/** The states after one step. */
export function recurrentCell(
  mode: RecurrentMode,
  input: Tensor,
  states: readonly Tensor[],
  weights: readonly [weightIh: Tensor, weightHh: Tensor, biasIh: Tensor | null, biasHh: Tensor | null],
): Tensor[] {
  const x = handleOf(input);
  const hx = statesOf(mode, states);
  const params = weights.map((weight) => (weight === null ? null : handleOf(weight)));
  enterContext();
  const results = call(cellIds + modes.indexOf(mode), x, hx, ...params) as Handle | Handle[];
  return typeof results === 'number' ? [wrapHandle(results)] : results.map(wrapHandle);
}
