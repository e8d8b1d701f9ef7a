import { anything, orNull } from '../kinds.js';
import { signature } from '../signature.js';
import { noGrad } from '../autograd/modes.js';
import type { Module } from '../nn/index.js';
import { BatchNorm } from '../nn/modules/batchNorm.js';
import type { Device } from '../tensor/dtype.js';
import { scope } from '../tensor/memory/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { deviceKind } from '../tensor/kinds.js';
import { moduleKind } from '../nn/moduleKinds.js';

/** What is changed of a batch norm while it counts. */
interface Counting {
  momentum: number | null;
  resetRunningStats(): void;
}

export interface UpdateBnOptions {
  /** Where the batches are moved to. Default: where they are. */
  device?: Device | null;
}

const updateBnTakes = signature<UpdateBnOptions>(
  { loader: anything, model: moduleKind },
  { device: orNull(deviceKind) },
);

/**
 * Computes the running statistics of a model's batch norms anew, as the plain means over all batches: in training mode,
 * without gradients. A batch is a tensor, or a list whose first item is the input. As `torch.optim.swa_utils.update_bn`.
 *
 * @example
 * import { nn, optim, randn } from 'aiforge';
 * const model = new nn.Sequential(new nn.Linear(3, 2), new nn.BatchNorm1d(2));
 * optim.swaUtils.updateBn([randn([8, 3]), randn([8, 3])], model);
 * model.stateDict()['1.num_batches_tracked'].item(); // 2
 */
export function updateBn(
  loader: Iterable<Tensor | readonly [Tensor, ...unknown[]]>,
  model: Module & { forward(input: Tensor): unknown },
  options: UpdateBnOptions = {},
): void {
  updateBnTakes.check('updateBn', arguments);
  const { device = null } = options;
  const norms: Counting[] = [...model.modules()].filter((module) => module instanceof BatchNorm);
  if (norms.length === 0) return;
  const momenta = norms.map((norm) => norm.momentum);
  const wasTraining = model.training;
  model.train();
  for (const norm of norms) {
    norm.resetRunningStats();
    // Null: every batch counts the same.
    norm.momentum = null;
  }
  for (const batch of loader) {
    scope(() => noGrad(() => void model.forward(inputOf(batch, device))));
  }
  norms.forEach((norm, i) => (norm.momentum = momenta[i]!));
  model.train(wasTraining);
}

function inputOf(batch: Tensor | readonly [Tensor, ...unknown[]], device: Device | null): Tensor {
  const input = Array.isArray(batch) ? (batch as readonly [Tensor])[0] : (batch as Tensor);
  return device === null ? input : input.to(device);
}
