// The classes and names of torch.nn and torch.optim that are not expected to be here or to pass, each with its reason.

const each = (names, reason) => names.split(' ').map((name) => [name, reason]);

const deprecated = 'deprecated in PyTorch: its other name, with a trailing _, is there';
const typing = "of Python's own make: types, scripting and overriding";

/** Classes without samples: nothing can be constructed of them, or nothing computed. */
export const withoutSamples = new Map([
  ['Module', 'abstract: every other entry is one'],
  ['RNNBase', 'abstract: RNN, LSTM and GRU are its cases'],
  ['RNNCellBase', 'abstract: the cells are its cases'],
  ['LinearCrossEntropyOptions', 'a record of options, no module: samples of LinearCrossEntropyLoss have them'],
  ['Container', 'deprecated in PyTorch, of which Module has taken the place'],
  ['NLLLoss2d', 'deprecated in PyTorch, of which NLLLoss has taken the place'],
]);

/** Entries that do not pass in full. */
export const knownDifferences = new Map();

/** Absent names by namespace. */
export const absentNames = {
  'torch.nn': new Map([
    ['Container', withoutSamples.get('Container')],
    [
      'DataParallel',
      'one process for several GPUs, which PyTorch advises against: distributed.DistributedDataParallel',
    ],
    ['factory_kwargs', typing],
  ]),
  'torch.nn.functional': new Map([
    ...each(
      'Tensor assert_int_or_pair has_torch_function has_torch_function_unary has_torch_function_variadic',
      typing,
    ),
    ...each('ScalingType SwizzleType', 'enumerations of scaled matrix products on CUDA devices'),
  ]),
  'torch.optim': new Map([
    ['swap_in_optimizer_params_and_state', 'exchanges parameters and state for the length of a traced step; not built'],
  ]),
  'torch.nn.utils': new Map([['clip_grad_norm', deprecated]]),
  'torch.nn.utils.stateless': new Map([
    ['functional_call', 'deprecated in PyTorch for torch.func.functional_call, here nn.functionalCall'],
  ]),
};
