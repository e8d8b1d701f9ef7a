/** How one comes by the CUDA flavour. */
export const cudaRemedy = 'npm install @aiforge/linux-x64-cuda, or npm run build:cuda in a checkout';

// What to do about LibTorch's commonest complaints, in this library's terms.
const hints: readonly (readonly [reason: RegExp, hint: string])[] = [
  [/backward through the graph a second time/, 'Give the first backward() { retainGraph: true }.'],
  [
    /leaf Variable that requires grad is being used in an in-place|view of a leaf Variable/,
    'Do it in noGrad(() => …).',
  ],
  [/implicitly created only for scalar outputs/, 'Reduce it by sum() or mean(), or give backward() a { gradient }.'],
  [
    /does not require grad and does not have a grad_fn/,
    'Make the leaves with { requiresGrad: true }, outside of noGrad().',
  ],
  [/modified by an inplace operation/, 'Use the operator without the trailing underscore, or clone() before it.'],
  [/cannot be converted to Scalar/, 'Use tolist(), or reduce it to one element.'],
  [
    /must have the same dtype|expected m1 and m2 to have the same dtype|same dtype for/,
    'Convert one of them by to(dtype).',
  ],
  [
    /following scalar types: Long, Int|target dtype to be Long|dtype to be Long|expected .*\bLong\b.* but (?:got|found)/,
    "Convert it by to('int64').",
  ],
  [/result type \w+ can't be cast to the desired output type/, 'Use the operator without the trailing underscore.'],
  [
    /not linked with support for cuda|arguments from the 'CUDA' backend|Cannot initialize CUDA without ATen_cuda/i,
    `This build of aiforge is for the CPU: use the device cpu, or get CUDA: ${cudaRemedy}.`,
  ],
  [
    /driver version is insufficient|Found no NVIDIA driver|no CUDA-capable device|accelerator device when none|no pinned memory allocator/,
    `No GPU can be used here, which cuda.isAvailable() tells beforehand: use the device cpu. npx aiforge doctor says what is missing: the CUDA flavour (${cudaRemedy}), or what nvidia-smi shows.`,
  ],
  [/invalid device ordinal/, 'cuda.deviceCount() tells how many there are, numbered from 0.'],
  [
    /CUDA error: (?:device-side assert|an illegal memory access|unspecified launch failure)/,
    'An operator before this one broke the GPU for this process, which must start anew; CUDA_LAUNCH_BLOCKING=1 shows which.',
  ],
  [/all tensors to be on the same device/, 'Move them by to(device).'],
  [
    /DefaultCPUAllocator|you tried to allocate|CUDA out of memory/,
    'Use smaller batches, release tensors by scope() or dispose(), or look at memory.stats().',
  ],
];

/** @internal What to do about a failure, or nothing where LibTorch's reason says it all. */
export function hintFor(reason: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(reason))?.[1];
}
