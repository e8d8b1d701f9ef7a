import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  arange,
  AiforgeError,
  cat,
  nn,
  noGrad,
  ones,
  ops,
  share,
  tensor,
  zeros,
  type DType,
  type Tensor,
} from 'aiforge';

interface Expected {
  code?: string;
  op?: string;
  args?: string[];
  /** What comes after the call; exactly. */
  reason: string | RegExp;
}

const disposed = () => {
  const gone = ones([2]);
  gone.dispose();
  return gone;
};
const used = () => {
  const y = ones([2], { requiresGrad: true }).exp().sum();
  y.backward();
  return y;
};
const changed = () => {
  const y = ones([2], { requiresGrad: true }).exp();
  const z = y.sum();
  noGrad(() => y.add_(1));
  return z;
};

// The commonest mistakes, each on a line of its own, which its error must point at.
const mistakes: Record<string, [mistake: () => unknown, expected: Expected]> = {
  'shapes that do not multiply': [
    () => ones([2, 3]).matmul(ones([2, 3])),
    {
      op: 'aten::matmul',
      args: ['self: float32[2, 3]', 'other: float32[2, 3]'],
      reason: 'mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)',
    },
  ],
  'shapes that do not broadcast': [
    () => ones([2, 3]).add(ones([4])),
    {
      op: 'aten::add.Tensor',
      args: ['self: float32[2, 3]', 'other: float32[4]'],
      reason: 'The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1',
    },
  ],
  'a layer of another size': [
    () => new nn.Linear(3, 4).forward(ones([2, 5])),
    {
      op: 'aten::linear',
      args: ['input: float32[2, 5]', 'weight: float32[4, 3]', 'bias: float32[4]'],
      reason: 'mat1 and mat2 shapes cannot be multiplied (2x5 and 3x4)',
    },
  ],
  'a layer of another dtype': [
    () => new nn.Linear(3, 4).forward(ones([2, 3], { dtype: 'float64' })),
    {
      op: 'aten::linear',
      args: ['input: float64[2, 3]', 'weight: float32[4, 3]', 'bias: float32[4]'],
      reason: 'mat1 and mat2 must have the same dtype, but got Double and Float. Convert one of them by to(dtype).',
    },
  ],
  'an embedding of fractions': [
    () => new nn.Embedding(3, 4).forward(ones([2])),
    {
      op: 'aten::embedding',
      reason: /scalar types: Long, Int; but got CPUFloatType instead .*\. Convert it by to\('int64'\)\.$/,
    },
  ],
  'an embedding beyond its rows': [
    () => new nn.Embedding(3, 4).forward(tensor([5])),
    { op: 'aten::embedding', reason: 'index out of range in self' },
  ],
  'backward a second time': [
    () => used().backward(),
    {
      op: 'Tensor.backward',
      args: ['self: float32[]'],
      reason: /a second time.*backward\(\) \{ retainGraph: true \}\.$/,
    },
  ],
  'backward from many elements': [
    () => ones([2], { requiresGrad: true }).mul(2).backward(),
    {
      op: 'Tensor.backward',
      args: ['self: float32[2]'],
      reason:
        'grad can be implicitly created only for scalar outputs. Reduce it by sum() or mean(), or give backward() a { gradient }.',
    },
  ],
  'backward without a graph': [
    () => ones([2]).sum().backward(),
    {
      op: 'Tensor.backward',
      args: ['self: float32[]'],
      reason:
        'element 0 of tensors does not require grad and does not have a grad_fn. Make the leaves with { requiresGrad: true }, outside of noGrad().',
    },
  ],
  'a value that was changed before backward': [
    () => changed().backward(),
    {
      op: 'Tensor.backward',
      reason: /modified by an inplace operation: .* Use the operator without the trailing underscore/,
    },
  ],
  'an in-place operator on a leaf': [
    () => ones([2], { requiresGrad: true }).add_(1),
    {
      op: 'aten::add_.Scalar',
      args: ['self: float32[2]', 'other: 1'],
      reason: 'a leaf Variable that requires grad is being used in an in-place operation. Do it in noGrad(() => …).',
    },
  ],
  'an in-place operator that would change the dtype': [
    () => ones([2], { dtype: 'int64' }).mul_(0.5),
    {
      op: 'aten::mul_.Tensor',
      args: ['self: int64[2]', 'other: 0.5'],
      reason:
        "result type Float can't be cast to the desired output type Long. Use the operator without the trailing underscore.",
    },
  ],
  'an index out of range': [
    () => ones([2, 3]).select(1, 5),
    {
      op: 'aten::select.int',
      args: ['self: float32[2, 3]', 'dim: 1', 'index: 5'],
      reason: 'select(): index 5 out of range for tensor of size [2, 3] at dimension 1',
    },
  ],
  'a dimension that is not there': [
    () => ones([2, 3]).sum(2),
    {
      op: 'aten::sum.dim_IntList',
      args: ['self: float32[2, 3]', 'dim: 2'],
      reason: 'Dimension out of range (expected to be in range of [-2, 1], but got 2)',
    },
  ],
  'a device that is none': [
    () => ones([2]).to('gpu' as 'cpu'),
    { code: 'INVALID_ARGUMENT', reason: "to: expected a dtype, a device or a Tensor, got 'gpu'." },
  ],
  'a device that is not there': [
    () => ones([2]).to('cuda'),
    {
      code: 'DEVICE_UNAVAILABLE',
      op: 'aten::to.device',
      // Of the CPU's flavour, and of CUDA's without a GPU.
      reason:
        /not linked with support for cuda devices\. This build of aiforge is for the CPU: |No GPU can be used here, which cuda\.isAvailable\(\) tells/,
    },
  ],
  'a disposed tensor': [
    () => disposed().add(1),
    {
      code: 'TENSOR_DISPOSED',
      op: 'aten::add.Scalar',
      args: ['self: a disposed tensor', 'other: 1'],
      reason: /This tensor was disposed, by dispose\(\) or by the end of the scope\(\) that made it\. Return it/,
    },
  ],
  'the item of many elements': [
    () => ones([2]).item(),
    {
      op: 'Tensor.item',
      args: ['self: float32[2]'],
      reason: 'a Tensor with 2 elements cannot be converted to Scalar. Use tolist(), or reduce it to one element.',
    },
  ],
  'a list of unlike shapes': [
    () => cat([ones([2, 3]), ones([2, 4])]),
    {
      op: 'aten::cat',
      args: ['tensors: [float32[2, 3], float32[2, 4]]'],
      reason:
        'Sizes of tensors must match except in dimension 0. Expected size 3 but got size 4 for tensor number 1 in the list.',
    },
  ],
  'a view of what is not contiguous': [
    () => ones([2, 3]).t().view(6),
    {
      op: 'aten::view',
      args: ['self: float32[3, 2]', 'size: [6]'],
      reason: /^view size is not compatible .* Use \.reshape\(\.\.\.\) instead\.$/,
    },
  ],
  'a shape of another size': [
    () => ones([2, 3]).reshape(4),
    {
      op: 'aten::reshape',
      args: ['self: float32[2, 3]', 'shape: [4]'],
      reason: "shape '[4]' is invalid for input of size 6",
    },
  ],
  'an argument of another kind': [
    () => ones([2]).add('x' as never),
    { code: 'INVALID_ARGUMENT', op: 'aten::add', reason: /no form of add|argument|forms/ },
  ],
  'a dtype that is none': [
    () => ones([2], { dtype: 'float31' as DType }),
    { code: 'INVALID_ARGUMENT', op: 'aten::ones', reason: /float31/ },
  ],
  'targets of a loss that are fractions': [
    () => new nn.CrossEntropyLoss().forward(ones([2, 3]), ones([2])),
    {
      op: 'aten::cross_entropy_loss',
      reason: /target dtype to be Long or Byte, but got Float\. Convert it by to\('int64'\)\.$/,
    },
  ],
  'targets of a loss beyond its classes': [
    () => new nn.CrossEntropyLoss().forward(ones([2, 3]), tensor([0, 7])),
    { op: 'aten::cross_entropy_loss', reason: 'Target 7 is out of bounds.' },
  ],
  'a ragged array': [() => tensor([[1], [1, 2]]), { code: 'INVALID_ARGUMENT', reason: /\[1\].*\[2\]|ragged/ }],
  'more memory than there is': [
    () => ones([2 ** 40, 2 ** 10]),
    { code: 'OUT_OF_MEMORY', op: 'aten::ones', reason: /^can't allocate memory: .*memory\.stats\(\)\.$/ },
  ],
  'a matrix that has no inverse': [
    () => ops.aten('linalg_inv')(zeros([2, 2])),
    { op: 'aten::linalg_inv', args: ['A: float32[2, 2]'], reason: /input matrix is singular\.$/ },
  ],
  'an operator that is none': [
    () => ops.aten('nope.Tensor'),
    {
      code: 'UNKNOWN_OPERATOR',
      reason: /^LibTorch 2\.\d+\.\d+ has no operator 'nope\.Tensor'; ops\.schemas\(\) lists those it has$/,
    },
  ],
  'a gradient of another shape': [
    () => (ones([2]).grad = ones([3])),
    {
      code: 'INVALID_ARGUMENT',
      op: 'Tensor.grad',
      args: ['self: float32[2]', 'gradient: float32[3]'],
      reason: 'a gradient for float32[2] must have its shape, dtype and device, got float32[3]',
    },
  ],
  'a shared tensor with a history': [
    () => share(ones([2], { requiresGrad: true }).mul(2)),
    { code: 'INVALID_ARGUMENT', op: 'share', args: ['tensor: float32[2]'], reason: /not a leaf: send detach\(\)/ },
  ],
};

describe('the errors of the commonest mistakes', () => {
  for (const [name, [mistake, { code = 'OPERATOR_FAILED', op, args, reason }]] of Object.entries(mistakes)) {
    it(`say what is wrong: ${name}`, () => {
      let caught: unknown;
      try {
        mistake();
      } catch (error) {
        caught = error;
      }
      expect(caught).to.be.instanceOf(AiforgeError);
      const error = caught as AiforgeError;
      expect(error.code).to.equal(code);
      expect(error.op).to.equal(op);
      if (args !== undefined) expect(error.args).to.deep.equal(args);
      if (op?.includes('::') && code !== 'INVALID_ARGUMENT')
        for (const line of error.args) expect(line).to.match(/^\w+: /);
      const call = code === 'INVALID_ARGUMENT' && op?.startsWith('aten') ? '' : `${op}(${error.args.join(', ')}): `;
      const said = error.message.startsWith(call) ? error.message.slice(call.length) : error.message;
      if (typeof reason === 'string') expect(said).to.equal(reason);
      else expect(said).to.match(reason);
      expect(error.message).to.not.match(/Exception raised from|frame #|C\+\+|\.cpp:/);
      expect(lineOf(error), 'the line of the first frame').to.include(sourceOf(mistake));
    });
  }
});

// The line that the first frame of an error's stack names.
function lineOf({ stack, message }: Error): string {
  const [, file, line] = /\(?((?:file:\/\/)?\/[^\n]*?):(\d+):\d+\)?\n/.exec(
    stack!.slice(stack!.indexOf(message) + message.length),
  )!;
  const url = file!.startsWith('file:') ? fileURLToPath(file!) : file!;
  return readFileSync(url, 'utf8').split('\n')[Number(line) - 1]!;
}

// The beginning of a function as it stands in the source, compiled or not.
function sourceOf(use: () => unknown): string {
  return String(use)
    .replace(/^\(\) => \(?/, '')
    .slice(0, 12);
}

describe('what is no mistake', () => {
  it('is not an error: numbers that are not finite', () => {
    const x: Tensor = tensor([NaN, Infinity, -1]);
    expect(x.sqrt().isnan().tolist()).to.deep.equal([true, false, true]);
    expect(arange(3).div(0).isfinite().any().item()).to.equal(false);
  });
});
