import { either, listOf } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import { optimizerKind } from '../kinds.js';
import type { Optimizer } from '../optimizer.js';
import { LRScheduler, lrSchedulerOptions, type LRSchedulerOptions, loadStateDictTakes } from './lrScheduler.js';
import { checkLength, groupsOf, ratesOf, times, type Rate } from './rates.js';
import {
  adoptScheduleState,
  adoptState,
  callSchedule,
  scheduleState,
  stateOf,
  type Schedule,
  type SchedulerStateDict,
} from './state.js';
import { scheduleKind } from './kinds.js';

const scheduleLrTakes = signature(
  { optimizer: optimizerKind, lrLambda: either(scheduleKind, listOf(scheduleKind)) },
  lrSchedulerOptions,
);

/** What LambdaLR and MultiplicativeLR share: a function for each group, with its state. */
abstract class ScheduleLR extends LRScheduler {
  /** The function of each group. */
  readonly lrLambdas: readonly Schedule[];

  constructor(optimizer: Optimizer, lrLambda: Schedule | readonly Schedule[], options: LRSchedulerOptions = {}) {
    scheduleLrTakes.check(new.target.name, arguments);
    const { lastEpoch } = options;
    super(optimizer);
    const groups = optimizer.paramGroups.length;
    if (Array.isArray(lrLambda)) checkLength('lrLambda', lrLambda.length, groups);
    this.lrLambdas = Array.isArray(lrLambda)
      ? [...(lrLambda as readonly Schedule[])]
      : Array.from({ length: groups }, () => lrLambda as Schedule);
    this.begin(lastEpoch);
  }

  /** Objects given as `lrLambda` are saved by their properties, functions not at all. */
  override stateDict(): SchedulerStateDict {
    nothing.check(`${this.constructor.name}.stateDict`, arguments);
    return { ...stateOf(this, ['optimizer', 'lrLambdas']), lr_lambdas: this.lrLambdas.map(scheduleState) };
  }

  override loadStateDict(stateDict: SchedulerStateDict): void {
    loadStateDictTakes.check(`${this.constructor.name}.loadStateDict`, arguments);
    adoptState(this, stateDict, ['lr_lambdas']);
    const saved = stateDict.lr_lambdas as readonly (object | null)[] | undefined;
    saved?.forEach((state, i) => adoptScheduleState(this.lrLambdas[i], state));
  }
}

/**
 * The initial rate times a function of the epoch: `lr = initialLr · lrLambda(epoch)`.
 *
 * `lrLambda` is a function, an object with a method `call(epoch)`, whose properties are saved with the state, or a list with
 * one for each parameter group. As `torch.optim.lr_scheduler.LambdaLR`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a list of another length than the groups.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.lrScheduler.LambdaLR(optimizer, (epoch) => 1 / (epoch + 1));
 * optimizer.step();
 * scheduler.step();
 * scheduler.getLastLr(); // [0.5]
 */
export class LambdaLR extends ScheduleLR {
  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    return this.lrLambdas.map((schedule, i) => times(this.baseLrs[i]!, callSchedule(schedule, this.lastEpoch)));
  }
}

/**
 * The present rate times a function of the epoch, from epoch 1 on: `lr ← lr · lrLambda(epoch)`.
 *
 * `lrLambda` is as for {@link LambdaLR}. As `torch.optim.lr_scheduler.MultiplicativeLR`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a list of another length than the groups, or what is no function.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.lrScheduler.MultiplicativeLR(optimizer, (epoch) => (epoch < 3 ? 0.5 : 1));
 * for (let epoch = 0; epoch < 5; ++epoch) {
 *   optimizer.step();
 *   scheduler.step();
 * }
 * scheduler.getLastLr(); // [0.25]
 */
export class MultiplicativeLR extends ScheduleLR {
  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    if (this.isInitial) return ratesOf(this.optimizer, 'lr');
    const groups = groupsOf(this.optimizer);
    checkLength('lrLambda', this.lrLambdas.length, groups.length);
    return groups.map(({ lr }, i) => times(lr, callSchedule(this.lrLambdas[i]!, this.lastEpoch)));
  }
}
