import { AiforgeError } from '../errors.js';
import { native, type Handle, type Handles } from '../native.js';
import { noGrad } from '../autograd/modes.js';
import { enterContext } from '../tensor/context.js';
import { scope } from '../tensor/scope.js';
import { handleOf, handlesOf, Tensor, wrapHandle } from '../tensor/tensor.js';
import { stack, zeros } from '../tensor/generated/functions.js';
import { vectorNorm } from '../tensor/generated/linalg.js';

const operator = (name: string): number => native.registerOperators([name]);
const norms = operator('_foreach_norm.Scalar');
const multiply = operator('_foreach_mul_.Tensor');
const clampMin = operator('_foreach_clamp_min_.Scalar');
const clampMax = operator('_foreach_clamp_max_.Scalar');

const asList = (parameters: Tensor | Iterable<Tensor>): Tensor[] =>
  Tensor.isTensor(parameters) ? [parameters] : [...parameters];

// The gradients that there are, by device and dtype as the operators on lists need them.
function gradientsByKind(parameters: readonly Tensor[]): Handles[] {
  enterContext();
  const groups = new Map<string, Handle[]>();
  for (const handle of native.gradients(handlesOf(parameters))) {
    if (handle === null) continue;
    const kind = `${native.device(handle)} ${native.dtype(handle)}`;
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [handle]);
    else group.push(handle);
  }
  return Array.from(groups.values(), (group) => Float64Array.from(group));
}

export interface ClipGradNormOptions {
  /** The p of the norm; Infinity for the largest element. Default: 2. */
  normType?: number;
  /** Throws when the norm is NaN or infinite. Default: false. */
  errorIfNonfinite?: boolean;
}

function totalNorm(gradients: readonly Handles[], normType: number): Tensor {
  if (gradients.length === 0) return zeros([]);
  const each = gradients.flatMap((group) => (native.call(norms, group, normType) as Handle[]).map(wrapHandle));
  return vectorNorm(stack(each.map((norm) => norm.to(each[0]!.device))), normType);
}

/**
 * Scales the gradients of all parameters so that their norm, taken together, is at most `maxNorm`; returns the norm that
 * they had. As `torch.nn.utils.clip_grad_norm_`.
 */
export function clipGradNorm_(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  { normType = 2, errorIfNonfinite = false }: ClipGradNormOptions = {},
): Tensor {
  const list = asList(parameters);
  return scope(() =>
    noGrad(() => {
      const gradients = gradientsByKind(list);
      const total = totalNorm(gradients, normType);
      if (errorIfNonfinite && !Number.isFinite(total.item<number>())) {
        throw new AiforgeError(
          'INVALID_ARGUMENT',
          `clipGradNorm_: the norm of the gradients is ${total.item<number>()}; nothing was scaled.`,
        );
      }
      const scale = total.add(1e-6).reciprocal().mul(maxNorm).clamp({ max: 1 });
      for (const group of gradients)
        native.call(multiply, group, handleOf(scale.to(native.device(group[0]!) as 'cpu')));
      return total;
    }),
  );
}

/** Clamps every gradient element to [-clipValue, clipValue]. As `torch.nn.utils.clip_grad_value_`. */
export function clipGradValue_(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  const list = asList(parameters);
  scope(() =>
    noGrad(() => {
      for (const group of gradientsByKind(list)) {
        native.call(clampMin, group, -clipValue);
        native.call(clampMax, group, clipValue);
      }
    }),
  );
}
