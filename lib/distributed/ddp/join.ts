import { AiforgeError } from '../../errors.js';
import { boolean, func } from '../../kinds.js';
import { signature } from '../../signature.js';
import { tensor } from '../../tensor/creation.js';
import type { Device } from '../../tensor/dtype.js';
import { scope } from '../../tensor/memory/scope.js';
import { warnOnce } from '../../warnOnce.js';
import type { ProcessGroup } from '../processGroup.js';

export interface UnevenInputsOptions {
  /**
   * Divides gradients by the number of ranks that the training began with, so that every input counts the same; else by that of the
   * ranks that still have inputs. Default: true.
   */
  divideByInitialWorldSize?: boolean;
  /** Whether to do anything at all, for inputs that may be known to be even. Default: true. */
  enable?: boolean;
  /** Has all ranks throw `DISTRIBUTED_FAILED` when the first has no inputs left. Default: false. */
  throwOnEarlyTermination?: boolean;
}

export const joinTakes = signature<UnevenInputsOptions>(
  { body: func() },
  { divideByInitialWorldSize: boolean, enable: boolean, throwOnEarlyTermination: boolean },
);

/** A rank that has no inputs left, and what it does meanwhile. */
export interface JoinedRank {
  readonly group: ProcessGroup;
  readonly device: Device;
  readonly throwsOnEarlyTermination: boolean;
  /** Takes part in one step of the others. */
  shadow(): Promise<void>;
  /** Gives every rank the parameters and buffers of one. */
  shareFrom(source: number): Promise<void>;
}

const manySteps = 1000;

/** Takes part in the steps of the ranks that have inputs left until none has, as Python's `Join` does at its end. */
export async function finishTogether(rank: JoinedRank): Promise<void> {
  let isLast = true;
  for (let step = 0; (await sum(rank, 0)) > 0; ++step) {
    if (step > manySteps) {
      warnOnce(
        `DistributedDataParallel.join: rank ${rank.group.rank} had over ${manySteps} inputs less than others, which train slowly so: ` +
          'share the inputs out evenly.',
      );
    }
    if (rank.throwsOnEarlyTermination) {
      await sum(rank, 1);
      throw new AiforgeError(
        'DISTRIBUTED_FAILED',
        `DistributedDataParallel.join: rank ${rank.group.rank} has no inputs left while others have: give all ranks as many, or leave ` +
          'throwOnEarlyTermination out.',
      );
    }
    await rank.shadow();
    isLast = false;
  }
  await rank.shareFrom(await lastRank(rank, isLast));
}

/** What the ranks that have inputs left throw under `throwOnEarlyTermination`. */
export function earlyTermination(): AiforgeError {
  return new AiforgeError(
    'DISTRIBUTED_FAILED',
    'DistributedDataParallel.join: another rank has no inputs left, so all stop: give all ranks as many, or leave ' +
      'throwOnEarlyTermination out.',
  );
}

function sum({ group, device }: JoinedRank, own: number): Promise<number> {
  return scope(async () => {
    const number = tensor([own], { dtype: 'float32', device });
    await group.allReduce(number);
    return Number(number.item());
  });
}

/** The rank whose values count: the highest of those that ended last. */
function lastRank({ group, device }: JoinedRank, isLast: boolean): Promise<number> {
  return scope(async () => {
    const rank = tensor([isLast ? group.rank : -1], { dtype: 'int64', device });
    await group.allReduce(rank, { op: 'max' });
    return Number(rank.item());
  });
}
