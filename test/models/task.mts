import { nn, type optim, scope, type Tensor } from 'aiforge';

/** What a model file gives: a model, its optimizer, and how batches and losses come about. */
export interface Task {
  model: nn.Module;
  optimizer: optim.Optimizer;
  /** Draws one. */
  batch: () => Tensor[];
  /** Of a batch. */
  loss: (...batch: Tensor[]) => Tensor;
  /** The greatest norm of the gradients. */
  clip?: number;
}

export function trainStep({ model, optimizer, loss: lossOf, clip }: Task, batch: Tensor[]): Tensor {
  return scope(() => {
    optimizer.zeroGrad();
    const loss = lossOf(...batch);
    loss.backward();
    if (clip !== undefined) nn.utils.clipGradNorm_(model.parameters(), clip);
    optimizer.step();
    return loss.detach();
  });
}
