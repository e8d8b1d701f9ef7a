import { autograd, distributed, func, load, nn, optim, save, vmap, type Tensor } from 'aiforge';
import { expect } from 'chai';
import * as t from '#lib/tensor/index.js';

const { ones, tensor } = t;
const x = ones([2, 2]);
const plain = (value: unknown): never => value as never;

/** Calls that JavaScript lets pass, and what must be said of them. */
const refused: [name: string, attempt: () => unknown, message: RegExp][] = [
  ["tensor([1, 2], 'float32')", () => tensor([1, 2], plain('float32')), /write \{ dtype: 'float32' \}/],
  ['tensor({ requires_grad })', () => tensor([1], plain({ requires_grad: true })), /mean 'requiresGrad'/],
  ['tensor({ dtype: int })', () => tensor([1], plain({ dtype: 'int' })), /dtype must be a dtype.*'int'/],
  ['tensor()', () => (t.tensor as (...args: unknown[]) => unknown)(), /./],
  ['zeros({ require_grad })', () => t.zeros([2], plain({ require_grad: true })), /Did you mean 'requiresGrad'\?/],
  [
    'x.sum({ keep_dim })',
    () => x.sum(plain({ dim: 1, keep_dim: true })),
    /no option 'keep_dim'\. Did you mean 'keepdim'/,
  ],
  ['x.to({ non_blocking })', () => x.to(plain({ dtype: 'float64', non_blocking: true })), /mean 'nonBlocking'/],
  ['x.float({ memory_format })', () => x.float(plain({ memory_format: 'preserve_format' })), /mean 'memoryFormat'/],
  ['asTensor({ dtyp })', () => t.asTensor([1], plain({ dtyp: 'float32' })), /mean 'dtype'/],
  ['fromTypedArray({ shap })', () => t.fromTypedArray(Float32Array.of(1), plain({ shap: [1] })), /mean 'shape'/],
  ['fromBuffer({ ofset })', () => t.fromBuffer(new ArrayBuffer(4), plain({ ofset: 1 })), /mean 'offset'/],
  ['setPrintOptions({ sci_mode })', () => t.setPrintOptions(plain({ sci_mode: true })), /mean 'sciMode'/],
  ['scope(f, { naem })', () => t.scope(() => 1, plain({ naem: 'x' })), /mean 'name'/],
  ['scope(f, 3)', () => t.scope(() => 1, plain(3)), /expected an options object after body, got 3/],
  ["new Scope('a', 1)", () => new (t.Scope as new (...args: unknown[]) => unknown)('a', 1), /got 1 after it/],
  [
    "new Generator('cuda')",
    () => new (t.Generator as new (...args: unknown[]) => unknown)('cuda'),
    /write { device: 'cuda' }/,
  ],
  ['memory.detectLeaks({ treshold })', () => t.memory.detectLeaks(() => 1, plain({ treshold: 1 })), /'threshold'/],
  ['sparse.sum({ dims })', () => t.sparse.sum(x.toSparse(), plain({ dims: 1 })), /mean 'dim'/],
  ['unique({ return_counts })', () => x.unique(plain({ return_counts: true })), /mean 'returnCounts'/],
  ['backward({ retain_graph })', () => loss().backward(plain({ retain_graph: true })), /mean 'retainGraph'/],
  ['backward(gradient)', () => loss().backward(plain(ones([]))), /write \{ gradient: float32\[\] \}/],
  ['grad({ create_graph })', () => autograd.grad(loss(), x, plain({ create_graph: true })), /mean 'createGraph'/],
  ['vmap({ in_dims })', () => vmap((a: Tensor) => a, plain({ in_dims: 0 })), /mean 'inDims'/],
  ['func.grad({ has_aux })', () => func.grad((a: Tensor) => a.sum(), plain({ has_aux: true })), /mean 'hasAux'/],
  ['load({ map_location })', () => load('/tmp/none.pt', plain({ map_location: 'cpu' })), /mean 'mapLocation'/],
  ['save(file, value)', () => save('/tmp/none.pt', plain({ x })), /save: file must be a string, got \{ x: float32/],
  ['saveSafetensors(value, file)', () => t.saveSafetensors(plain({ x }), plain('/tmp/none')), /file must be a string/],
  ['stateDict({ keep_vars })', () => new nn.Tanh().stateDict(plain({ keep_vars: true })), /mean 'keepVars'/],
  ['loadStateDict({ strikt })', () => new nn.Tanh().loadStateDict({}, plain({ strikt: false })), /mean 'strict'/],
  ['module.zeroGrad({ set_to_none })', () => new nn.Tanh().zeroGrad(plain({ set_to_none: true })), /'setToNone'/],
  ['module.toEmpty()', () => new nn.Tanh().toEmpty(plain(undefined)), /the option device must be given/],
  ['registerForwardHook({ pre })', () => new nn.Tanh().registerForwardHook(() => null, plain({ pre: 1 })), /'prepend'/],
  ['attention.forward({ attn_mask })', () => attention(plain({ attn_mask: x })), /mean 'attnMask'/],
  ['clipGradNorm_({ norm_type })', () => nn.utils.clipGradNorm_([x], 1, plain({ norm_type: 1 })), /mean 'normType'/],
  ['prune({ importance_scores })', () => nn.utils.prune.l1Unstructured(new nn.Linear(2, 2), 'weight', 1, plain({ importance_scores: x })), /mean 'importanceScores'/], // prettier-ignore
  ['functional.gelu({ aproximate })', () => nn.functional.gelu(x, plain({ aproximate: 'tanh' })), /mean 'approximate'/],
  ['functional.softmax({ dimm })', () => nn.functional.mseLoss(x, x, plain({ reducton: 'sum' })), /mean 'reduction'/],
  [
    'a group’s { wd }',
    () => new optim.SGD([{ params: [x], wd: 1 } as never]),
    /group of parameters of SGD: has no option 'wd'/,
  ],
  ['optimizer.zeroGrad(false)', () => new optim.SGD([x]).zeroGrad(plain(false)), /write \{ setToNone: false \}/],
];

function loss(): Tensor {
  return ones([2], { requiresGrad: true }).sum();
}

function attention(options: object): unknown {
  const input = ones([3, 1, 4]);
  return new nn.MultiheadAttention(4, 2).forward(input, input, input, options);
}

describe('functions and methods', () => {
  for (const [name, attempt, message] of refused) {
    it(`refuse ${name}`, () => expect(attempt).to.throw(message).with.property('name', 'AiforgeError'));
  }

  it('refuse options of process groups that there are not', async () => {
    for (const [attempt, message] of [
      [() => distributed.initProcessGroup(plain({ world_size: 1 })), /mean 'worldSize'/],
      [
        () => distributed.initProcessGroup(plain({ backend: 'mpi' })),
        /backend must be 'gloo', 'nccl' or 'cpu:gloo,cuda:nccl', got 'mpi'/,
      ],
      [() => distributed.TCPStore.create(plain({ is_server: true })), /mean 'isServer'/],
      [
        () => distributed.DistributedDataParallel.create(new nn.Linear(1, 1), plain({ find_unused_parameters: true })),
        /mean 'findUnusedParameters'/,
      ],
      [() => distributed.DistributedDataParallel.create(plain([])), /module must be a module, got \[\]/],
    ] as const) {
      const error: unknown = await attempt().then(
        () => null,
        (reason: unknown) => reason,
      );
      expect((error as Error | null)?.message).to.match(message);
    }
  });
});
