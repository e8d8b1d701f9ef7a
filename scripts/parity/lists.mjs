// The entries of op_db that are not expected to pass, each with its reason. An entry that nothing here names must pass.

const masked = 'torch.masked is written in Python; its functions are no operators';
const jiterator = 'compiles CUDA source given as text; no operator';
const chunks = 'torch.nn.LinearCrossEntropyOptions are a computation in chunks written in Python; no operator';

const windows = 'torch.signal.windows is written in Python; its functions are no operators';

const windowNames =
  'hamming hann bartlett blackman cosine exponential gaussian kaiser general_cosine general_hamming nuttall';
const maskedNames =
  'sum prod cumsum cumprod amax amin argmax argmin mean median norm var std softmax log_softmax softmin normalize logaddexp logsumexp';
const jiteratorNames = 'unary binary 4inputs_with_extra_args binary_return_by_ref 2inputs_2outputs';

const each = (names, prefix, reason) => names.split(' ').map((name) => [`${prefix}${name}`, reason]);

/** Entries without an operator of their name in LibTorch, which run.mjs checks; they are run all the same where possible. */
export const withoutOperator = new Map([
  ...each(maskedNames, 'masked.', masked),
  ...each(windowNames, 'signal.windows.', windows),
  ...each(jiteratorNames, 'jiterator_', jiterator),
  ['nn.functional.linear_cross_entropy/chunked', chunks],
  ['nn.functional.linear_cross_entropy/chunked_none', chunks],
]);

/** Entries with an operator that do not pass in full. */
export const knownDifferences = new Map();

const wholeFloat = 'a whole number is an integer in JavaScript: 5.0 steps are 5 steps';
const reflected = "an int in the place of Python's self";

/** Entries of which aiforge takes an input that Python refuses. */
export const acceptedErrors = new Map([
  ...each('linspace linspace/tensor_overload logspace logspace/tensor_overload', '', wholeFloat),
  ...each('__radd__ __rmul__ __rand__ __ror__ __rxor__ __rdiv__', '', reflected),
]);

/** Why some tensors of an entry are close, not bit-identical. */
export const closeOnly = new Map([
  ...each(
    'linalg.lstsq linalg.lstsq/grad_oriented',
    '',
    'two runs of Python differ as much: the last bits depend on where LAPACK finds its memory',
  ),
]);
