import { noGrad } from '../../autograd/modes.js';
import { tensor } from '../../tensor/creation.js';
import { zerosLike } from '../../tensor/generated/functions.js';
import { keep, scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { ProcessGroup } from '../processGroup.js';

// What the ranks compute together is written once, as steps that hand out what is to be reduced: the caller waits, or awaits.
type Reduction = Generator<{ tensor: Tensor; op: 'max' | 'sum' }, boolean | void>;

function* averaging(parameters: readonly Tensor[], worldSize: number): Reduction {
  const used = tensor(parameters.map(({ grad }) => Number(grad !== null)));
  yield { tensor: used, op: 'max' };
  const isUsed = used.tolist<number[]>();
  for (const parameter of parameters.filter((_, i) => isUsed[i] === 1)) {
    const gradient = parameter.grad ?? keep(zerosLike(parameter.detach()));
    yield { tensor: gradient, op: 'sum' };
    parameter.grad = gradient.div_(worldSize);
  }
}

function* agreeing(number: number): Reduction {
  const both = tensor([number, -number], { dtype: 'float64' });
  yield { tensor: both, op: 'max' };
  const [most, least] = both.tolist<[number, number]>();
  return most === -least;
}

function wait(group: ProcessGroup, reduction: Reduction): boolean | void {
  for (;;) {
    const step = reduction.next();
    if (step.done === true) return step.value;
    group.allReduceSync(step.value.tensor, { op: step.value.op });
  }
}

async function waitAsync(group: ProcessGroup, reduction: Reduction): Promise<boolean | void> {
  for (;;) {
    const step = reduction.next();
    if (step.done === true) return step.value;
    await group.allReduce(step.value.tensor, { op: step.value.op });
  }
}

/** Averages gradients over a group; those that only some ranks have count as zeros on the others. */
export function average(group: ProcessGroup, parameters: readonly Tensor[]): void {
  scope(() => noGrad(() => wait(group, averaging(parameters, group.worldSize))));
}

/** As `average`, beside the event loop. */
export async function averageAsync(group: ProcessGroup, parameters: readonly Tensor[]): Promise<void> {
  await scope(() => noGrad(() => waitAsync(group, averaging(parameters, group.worldSize))));
}

/** Whether all ranks have the same number. */
export function agree(group: ProcessGroup, number: number): boolean {
  return scope(() => wait(group, agreeing(number)) as boolean);
}

/** As `agree`, beside the event loop. */
export async function agreeAsync(group: ProcessGroup, number: number): Promise<boolean> {
  return (await scope(() => waitAsync(group, agreeing(number)))) as boolean;
}
