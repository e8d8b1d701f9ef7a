import { native, type Handle } from '../../native.js';
import { enterContext } from '../context/context.js';
import { layOut } from './layOut.js';
import { pythonFloat } from './numberText.js';
import { getPrintOptions } from './printOptions.js';
import type { Tensor } from '../tensor.js';

/** Makes a Tensor of a handle: the class itself stands above this file. */
type Wrap = (handle: Handle) => Tensor;

interface Subject {
  tensor: Tensor;
  handle: Handle;
  wrap: Wrap;
}

const prefix = 'tensor(';

const operators = {
  indices: native.registerOperators(['_indices']),
  values: native.registerOperators(['_values']),
  nnz: native.registerOperators(['_nnz']),
  crowIndices: native.registerOperators(['crow_indices']),
  colIndices: native.registerOperators(['col_indices']),
  ccolIndices: native.registerOperators(['ccol_indices']),
  rowIndices: native.registerOperators(['row_indices']),
  compressedValues: native.registerOperators(['values']),
  dense: native.registerOperators(['to_dense']),
  dequantize: native.registerOperators(['dequantize.self']),
  qscheme: native.registerOperators(['qscheme']),
  scale: native.registerOperators(['q_scale']),
  zeroPoint: native.registerOperators(['q_zero_point']),
  channelScales: native.registerOperators(['q_per_channel_scales']),
  channelZeroPoints: native.registerOperators(['q_per_channel_zero_points']),
  axis: native.registerOperators(['q_per_channel_axis']),
};
type Operator = keyof typeof operators;

/** What `read` makes of a tensor that an operator gives of the subject; it is released afterwards. */
function withResult<T>({ handle, wrap }: Subject, operator: Operator, read: (result: Tensor) => T): T {
  enterContext();
  const result = wrap(native.call(operators[operator], handle) as Handle);
  try {
    return read(result);
  } finally {
    result.dispose();
  }
}

function call({ handle }: Subject, operator: Operator): unknown {
  enterContext();
  return native.call(operators[operator], handle);
}

function tuple(sizes: number[]): string {
  return `(${sizes.join(', ')}${sizes.length === 1 ? ',' : ''})`;
}

const usualDtypes = ['float32', 'int64', 'bool', 'complex64'];

function dtypeNote(dtype: string, usual = usualDtypes): string[] {
  return usual.includes(dtype) ? [] : [`dtype=torch.${dtype}`];
}

/** A tensor's elements, and what is told of it beside them. */
interface Parts {
  body: string;
  notes: string[];
}

function denseParts({ tensor }: Subject): Parts {
  const { shape, dtype } = tensor;
  if (tensor.device === 'meta') {
    return { body: '...', notes: [`size=${tuple(shape)}`, ...dtypeNote(dtype, ['float32'])] };
  }
  const body = layOut(tensor, prefix.length);
  if (tensor.numel() === 0) {
    const size = shape.length === 1 ? [] : [`size=${tuple(shape)}`];
    return { body, notes: [...size, ...dtypeNote(dtype, ['float32'])] };
  }
  const size = getPrintOptions().edgeitems === 0 ? [`size=${tuple(shape)}`] : [];
  return { body, notes: [...size, ...dtypeNote(dtype)] };
}

/** The tensors that a sparse tensor consists of, by the name under which they are printed. */
const members: Record<string, [name: string, operator: Operator][]> = {
  sparse_coo: [
    ['indices', 'indices'],
    ['values', 'values'],
  ],
  sparse_csr: [
    ['crow_indices', 'crowIndices'],
    ['col_indices', 'colIndices'],
    ['values', 'compressedValues'],
  ],
  sparse_csc: [
    ['ccol_indices', 'ccolIndices'],
    ['row_indices', 'rowIndices'],
    ['values', 'compressedValues'],
  ],
};
members.sparse_bsr = members.sparse_csr!;
members.sparse_bsc = members.sparse_csc!;

function sparseParts(subject: Subject): Parts {
  const { tensor } = subject;
  const isMeta = tensor.device === 'meta';
  const lines = members[tensor.layout]!.map(([name, operator]) => {
    const label = `${name}=tensor(`;
    return withResult(subject, operator, (member) => {
      const body = isMeta ? '...' : layOut(member, prefix.length + label.length);
      const size = isMeta || member.numel() === 0 ? `, size=${tuple(member.shape)}` : '';
      return `${label}${body}${size})`;
    });
  });
  const nnz = isMeta ? [] : [`nnz=${String(call(subject, 'nnz'))}`];
  return {
    body: lines.join(`,\n${' '.repeat(prefix.length)}`),
    notes: [`size=${tuple(tensor.shape)}`, ...nnz, ...dtypeNote(tensor.dtype)],
  };
}

function quantizedParts(subject: Subject): Parts {
  const { tensor } = subject;
  const scheme = String(call(subject, 'qscheme'));
  const notes = [`size=${tuple(tensor.shape)}`, `dtype=torch.${tensor.dtype}`, `quantization_scheme=torch.${scheme}`];
  if (scheme.startsWith('per_tensor')) {
    notes.push(`scale=${pythonFloat(Number(call(subject, 'scale')))}`);
    notes.push(`zero_point=${String(call(subject, 'zeroPoint'))}`);
  } else {
    notes.push(`scale=${withResult(subject, 'channelScales', String)}`);
    notes.push(`zero_point=${withResult(subject, 'channelZeroPoints', String)}`);
    notes.push(`axis=${String(call(subject, 'axis'))}`);
  }
  return { body: withResult(subject, 'dequantize', (values) => layOut(values, prefix.length)), notes };
}

// LibTorch does not compute with pairs of four-bit numbers; they are shown as their bytes.
function pairParts({ tensor }: Subject): Parts {
  const bytes = tensor.detach().view('uint8').to('float32');
  try {
    return { body: layOut(bytes, prefix.length), notes: dtypeNote(tensor.dtype) };
  } finally {
    bytes.dispose();
  }
}

function partsOf(subject: Subject): Parts {
  const { layout, dtype, device } = subject.tensor;
  // oneDNN has the elements in an order of its own.
  if (layout === '_mkldnn') {
    return { body: withResult(subject, 'dense', (dense) => layOut(dense, prefix.length)), notes: dtypeNote(dtype) };
  }
  if (dtype === 'float4_e2m1fn_x2' && device !== 'meta') return pairParts(subject);
  if (Object.hasOwn(members, layout)) return sparseParts(subject);
  return /^qu?int/.test(dtype) ? quantizedParts(subject) : denseParts(subject);
}

function gradNote({ gradFn, requiresGrad }: Tensor): string[] {
  if (gradFn !== null) return [`grad_fn=<${gradFn}>`];
  return requiresGrad ? ['requires_grad=True'] : [];
}

function join(body: string, notes: string[], hasOwnLine: boolean): string {
  const { linewidth } = getPrintOptions();
  let text = prefix + body;
  let lastLine = text.length - text.lastIndexOf('\n') + 1;
  for (const [i, note] of notes.entries()) {
    const isOverlong = lastLine + note.length + 2 > linewidth || (hasOwnLine && i === 0);
    text += isOverlong ? `,\n${' '.repeat(prefix.length)}${note}` : `, ${note}`;
    lastLine = isOverlong ? prefix.length + note.length : lastLine + note.length + 2;
  }
  return `${text})`;
}

/** A tensor as PyTorch prints it: `tensor([[1., 2.],\n        [3., 4.]])`. */
export function formatTensor(tensor: Tensor, handle: Handle, wrap: Wrap): string {
  if (tensor.isDisposed) return 'tensor(<disposed>)';
  const { body, notes } = partsOf({ tensor, handle, wrap });
  const { device, layout } = tensor;
  const all = [
    ...(device === 'cpu' ? [] : [`device='${device}'`]),
    ...notes,
    ...(layout === 'strided' ? [] : [`layout=torch.${layout}`]),
    ...gradNote(tensor),
  ];
  return join(body, all, layout === 'sparse_coo');
}
