import { noGrad } from '../../../autograd/index.js';
import { BatchNorm } from '../../../nn/modules/batchNorm.js';
import type { Device } from '../../../tensor/index.js';
import type { BaseModel } from '../../baseModel.js';
import { randomState, restoreRandomState } from '../../randomState.js';
import { logging } from '../measuring/logbook.js';
import type { Trainer } from '../trainer.js';

/** What is changed of a batch norm while it counts. */
interface Counting {
  momentum: number | null;
  resetRunningStats(): void;
}

/**
 * Computes the running statistics of batch norms anew over the training split, as `torch.optim.swa_utils.update_bn`: averaged weights
 * have none that fit. False when the run was asked to stop, with the buffers as they were.
 */
export async function averageStatistics(model: BaseModel, trainer: Trainer, device: Device): Promise<boolean> {
  const norms: Counting[] = [...model.modules()].filter(
    (module) => module instanceof BatchNorm && module.training,
  ) as BatchNorm[];
  if (norms.length === 0) return true;
  const drawn = randomState(device);
  const before = [...model.buffers()].map((buffer) => [buffer, buffer.detach().clone()] as const);
  const momenta = norms.map(({ momentum }) => momentum);
  for (const norm of norms) {
    norm.resetRunningStats();
    // Null: every batch counts the same.
    norm.momentum = null;
  }
  let isWhole = false;
  try {
    isWhole = await trainer.lookThrough((batch, index) => {
      // What is logged was recorded when the batches were trained on.
      noGrad(() => void logging(model, () => model.trainingStep(batch as never, index)));
    });
    return isWhole;
  } finally {
    norms.forEach((norm, i) => (norm.momentum = momenta[i]!));
    // It begins again with what it found, of other buffers that steps change too.
    if (!isWhole) noGrad(() => before.forEach(([buffer, value]) => void buffer.copy_(value)));
    restoreRandomState(drawn, device);
  }
}
