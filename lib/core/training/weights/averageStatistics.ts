import { noGrad } from '../../../autograd/index.js';
import { BatchNorm } from '../../../nn/modules/batchNorm.js';
import { scope, type Device } from '../../../tensor/index.js';
import type { BaseModel } from '../../baseModel.js';
import { randomState, restoreRandomState } from '../../randomState.js';
import { logging } from '../measuring/logbook.js';
import type { Trainer } from '../trainer.js';

/** What is changed of a batch norm while it counts. */
interface Counting {
  momentum: number | null;
  resetRunningStats(): void;
}

/** Computes the running statistics of batch norms anew over the training split, as `torch.optim.swa_utils.update_bn`: averaged weights have none that fit. */
export function averageStatistics(model: BaseModel, trainer: Trainer, device: Device): void {
  const norms: Counting[] = [...model.modules()].filter(
    (module) => module instanceof BatchNorm && module.training,
  ) as BatchNorm[];
  if (norms.length === 0) return;
  const drawn = randomState(device);
  const momenta = norms.map(({ momentum }) => momentum);
  for (const norm of norms) {
    norm.resetRunningStats();
    // Null: every batch counts the same.
    norm.momentum = null;
  }
  try {
    trainer.lookThrough((batch, index) => {
      // What is logged was recorded when the batches were trained on.
      scope(() => noGrad(() => void logging(model, () => model.trainingStep(batch as never, index))));
    });
  } finally {
    norms.forEach((norm, i) => (norm.momentum = momenta[i]!));
    restoreRandomState(drawn, device);
  }
}
