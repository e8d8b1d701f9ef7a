import { AiforgeError } from '../../errors.js';
import { noGrad } from '../../autograd/modes.js';
import type { DType } from '../../tensor/dtype.js';
import { empty, where, zeros, full } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Reduction } from '../operators.js';
import type { ChunkPlan } from './linearCrossEntropyOptions.js';

/** One call of the chunked cross entropy: an input [batch, features], a weight [classes, features]. */
export interface ChunkedLoss {
  readonly input: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly target: Tensor;
  readonly classWeight: Tensor | null;
  readonly reduction: Reduction;
  readonly ignoreIndex: number;
  readonly plan: ChunkPlan;
  /** The gradient of each row's loss, when the gradients of `'none'` are computed. */
  readonly upstream: Tensor | null;
}

/** What is differentiated with respect to, or the gradients; null where none is wanted. */
export interface Gradients {
  readonly input: Tensor | null;
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
}

interface Layout {
  readonly loss: DType;
  readonly logits: DType;
  readonly inputGradient: DType;
  readonly rowWeights: DType;
  /** Whether the weight's gradient is added up without a buffer of its own. */
  readonly direct: boolean;
}

// Which intermediate values are in which dtype, as PyTorch lays them out where a matrix product has one dtype.
function layoutOf(dtype: DType, { accPolicy, accDtype }: ChunkPlan): Layout {
  const compact = accPolicy === 'compact';
  if (dtype === accDtype) {
    return { loss: dtype, logits: dtype, inputGradient: dtype, rowWeights: dtype, direct: compact };
  }
  if (accDtype !== 'float32' || (dtype !== 'float16' && dtype !== 'bfloat16')) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `linearCrossEntropy: accDtype float32 goes with float16 and bfloat16, otherwise it is the input's; got accDtype ${accDtype} and an input of ${dtype}.`,
    );
  }
  const narrow = accPolicy !== 'accurate';
  const logits = dtype === 'float16' && narrow ? dtype : accDtype;
  return {
    loss: dtype === 'float16' ? accDtype : dtype,
    logits,
    inputGradient: narrow ? dtype : accDtype,
    rowWeights: accDtype,
    direct: compact && logits === dtype,
  };
}

const isMasked = ({ target, ignoreIndex }: ChunkedLoss): Tensor => target.eq(ignoreIndex);

// Rows that are ignored need some class whose logit can be read.
function readableTarget(call: ChunkedLoss): Tensor {
  const { target, ignoreIndex, weight } = call;
  return ignoreIndex < 0 || ignoreIndex >= weight.size(0) ? where(isMasked(call), 0, target) : target;
}

/** The weight of each row's loss: with its sign and divisor where gradients follow from it. */
function rowWeights(call: ChunkedLoss, target: Tensor, dtype: DType): Tensor {
  const { classWeight, reduction, upstream } = call;
  const mask = isMasked(call);
  const ofClass = (weight: Tensor): Tensor =>
    target.numel() > weight.numel() ? weight.to(dtype).indexSelect(0, target) : weight.indexSelect(0, target).to(dtype);
  const weights = classWeight === null ? mask.logicalNot().to(dtype) : where(mask, 0, ofClass(classWeight));
  if (reduction === 'mean') {
    const sum = weights.sum();
    return weights.div_(where(sum.eq(0), NaN, sum.neg()));
  }
  if (reduction === 'sum') return weights.neg_();
  return upstream === null ? weights : weights.neg_().mul_(upstream.to(weights.dtype));
}

interface Chunk {
  readonly start: number;
  readonly size: number;
  readonly rows: Tensor;
  readonly target: Tensor;
  readonly rowWeights: Tensor;
  /** The logits less the greatest of their row. */
  readonly logits: Tensor;
}

/** Runs `body` for every chunk; what it makes is released at its end. */
function forEachChunk(call: ChunkedLoss, layout: Layout, body: (chunk: Chunk, weight: Tensor) => void): void {
  const { input, plan } = call;
  const target = readableTarget(call);
  const weights = rowWeights(call, target, layout.rowWeights);
  const weight = call.weight.to(layout.logits);
  const bias = call.bias?.to(layout.logits);
  const batch = input.size(0);
  for (let start = 0; start < batch; start += plan.batchChunkSize) {
    const size = Math.min(plan.batchChunkSize, batch - start);
    scope(() => {
      const part = (tensor: Tensor): Tensor => tensor.narrow(0, start, size);
      const rows = part(input);
      const logits = rows.to(layout.logits).mm(weight.t());
      if (bias !== undefined) logits.add_(bias);
      logits.sub_(logits.amax([1], true));
      body({ start, size, rows, target: part(target), rowWeights: part(weights), logits }, weight);
    });
  }
}

const ofTarget = (logits: Tensor, target: Tensor): Tensor => logits.gather(1, target.unsqueeze(1)).squeeze(1);

/** The loss of each row, [batch]. */
export function sampleLosses(call: ChunkedLoss): Tensor {
  const { input, plan } = call;
  const layout = layoutOf(input.dtype, plan);
  const losses = empty([input.size(0)], { dtype: input.dtype, device: input.device });
  noGrad(() =>
    forEachChunk(call, layout, ({ start, size, target, rowWeights, logits }) => {
      const hit = ofTarget(logits, target);
      const denominators = logits.exp_().sum([1], { dtype: plan.accDtype });
      const chunk = denominators.log_().sub_(hit.to(denominators.dtype)).mul_(rowWeights.to(denominators.dtype));
      losses.narrow(0, start, size).copy_(chunk);
    }),
  );
  return losses;
}

/** The loss of the batch and the gradients that are `wanted` of input, weight and bias. */
export function accumulate(call: ChunkedLoss, wanted: readonly boolean[]): Gradients & { readonly loss: Tensor } {
  return noGrad(() => accumulateChunks(call, wanted));
}

function accumulateChunks(call: ChunkedLoss, wanted: readonly boolean[]): Gradients & { readonly loss: Tensor } {
  const { input, weight, reduction, plan } = call;
  const { dtype, device } = input;
  const layout = layoutOf(dtype, plan);
  const [ofInput, ofWeight, ofBias] = [
    wanted[0] === true ? empty(input.shape, { dtype: layout.inputGradient, device }) : null,
    wanted[1] === true ? zeros(weight.shape, { dtype, device }) : null,
    wanted[2] === true ? zeros([weight.size(0)], { dtype, device }) : null,
  ];
  const empties = reduction === 'mean' && input.size(0) === 0;
  const loss = full([], empties ? NaN : 0, { dtype: layout.loss, device });
  forEachChunk(call, layout, (chunk, castWeight) => {
    const { start, size, target, rowWeights, logits } = chunk;
    loss.add_(rowWeights.dot(ofTarget(logits, target).to(rowWeights.dtype)));
    const denominators = logits.exp_().sum([1], { dtype: plan.accDtype });
    logits.mul_(rowWeights.div(denominators).to(layout.logits).unsqueeze(1));
    loss.sub_(rowWeights.to(denominators.dtype).dot(denominators.log_()));
    if (ofBias !== null) addBiasGradient(ofBias, chunk, plan);
    if (ofInput !== null) {
      const rows = castWeight.indexSelect(0, target).mul(rowWeights.to(castWeight.dtype).unsqueeze(1));
      ofInput.narrow(0, start, size).copy_(rows.addmm_(logits, castWeight, { alpha: -1 }));
    }
    if (ofWeight !== null) addWeightGradient(ofWeight, chunk, plan, layout.direct);
  });
  return { loss: loss.to(dtype), input: ofInput?.to(dtype) ?? null, weight: ofWeight, bias: ofBias };
}

// From here on `logits` are the softmax with each row's weight.

function addBiasGradient(gradient: Tensor, { target, rowWeights, logits }: Chunk, { accDtype }: ChunkPlan): void {
  const sums = logits.sum([0], { dtype: accDtype });
  if (gradient.dtype === accDtype) {
    gradient.sub_(sums).indexAdd_(0, target, rowWeights);
  } else {
    gradient.add_(sums.neg().indexAdd_(0, target, rowWeights).to(gradient.dtype));
  }
}

function addWeightGradient(
  gradient: Tensor,
  { rows, target, rowWeights, logits }: Chunk,
  { accDtype }: ChunkPlan,
  direct: boolean,
): void {
  const wide = rows.to(accDtype);
  const hits = wide.mul(rowWeights.unsqueeze(1));
  if (direct) {
    gradient.addmm_(logits.t(), rows, { alpha: -1 }).indexAdd_(0, target, hits.to(gradient.dtype));
  } else {
    gradient.sub_(logits.to(accDtype).t().mm(wide).indexAdd_(0, target, hits, { alpha: -1 }));
  }
}
