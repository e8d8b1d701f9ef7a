import { settingProblem } from '../../config/source.js';
import type { TrainingConfig } from '../../config/trainingConfig.js';
import { directionOf } from '../../config/monitorMode.js';
import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';

type Watched = Pick<TrainingConfig, 'earlyStoppingMonitor' | 'earlyStoppingMode' | 'earlyStoppingPatience'>;

/** The training with the direction of each metric that is watched. Throws CONFIG_INVALID where nobody says it. */
export function withModes(training: TrainingConfig): TrainingConfig {
  const { earlyStoppingMonitor, earlyStoppingMode, checkpoint } = training;
  const mode = earlyStoppingMode ?? requireDirection(earlyStoppingMonitor, 'earlyStoppingMode');
  const own = checkpoint.monitor === null ? null : (checkpoint.mode ?? requireDirection(checkpoint.monitor, 'checkpoint.mode')); // prettier-ignore
  const scheduler = training.scheduler?.name === 'ReduceLROnPlateau' ? withMode(training.scheduler, mode) : training.scheduler; // prettier-ignore
  return { ...training, scheduler, earlyStoppingMode: mode, checkpoint: { ...checkpoint, mode: own } };
}

/** A plateau of the metric that early stopping watches too has its direction. */
function withMode<T extends { monitor: string | null; mode: 'min' | 'max' | null }>(
  plateau: T,
  mode: 'min' | 'max',
): T {
  const { monitor } = plateau;
  return { ...plateau, mode: plateau.mode ?? (monitor === null ? mode : requireDirection(monitor, 'scheduler.mode')) };
}

function requireDirection(monitor: string, setting: string): 'min' | 'max' {
  const direction = directionOf(monitor);
  if (direction !== undefined) return direction;
  throw settingProblem(
    ['training', ...setting.split('.')],
    `is not given, and the name '${monitor}' does not say whether less or more of it is better: set it to min or max, or correct the name.`,
  );
}

/** What a checkpoint holds of what is watched. */
export interface StoppingState {
  best: number | null;
  /** Validations since the best one. */
  badEpochs: number;
}

/** Whether a value is better than the best so far; NaN is none. */
export function isBetter(value: number, best: number | null, mode: 'min' | 'max'): boolean {
  if (Number.isNaN(value)) return false;
  return best === null || (mode === 'min' ? value < best : value > best);
}

/** Watches one metric: whether it has been none better for too long. */
export class EarlyStopping {
  #best: number | null = null;
  #badEpochs = 0;

  constructor(private readonly training: Watched) {}

  get monitor(): string {
    return this.training.earlyStoppingMonitor;
  }

  /** Takes what was measured. Throws CONFIG_INVALID when there is no metric of the name. */
  update(metrics: Record<string, number>): void {
    const { earlyStoppingMonitor: monitor, earlyStoppingMode } = this.training;
    const mode = earlyStoppingMode ?? 'min';
    requireMetric(monitor, Object.keys(metrics));
    const isImproved = isBetter(metrics[monitor]!, this.#best, mode);
    if (isImproved) this.#best = metrics[monitor]!;
    this.#badEpochs = isImproved ? 0 : this.#badEpochs + 1;
  }

  get shouldStop(): boolean {
    const { earlyStoppingPatience: patience } = this.training;
    return patience !== null && this.#badEpochs >= patience;
  }

  state(): StoppingState {
    return { best: this.#best, badEpochs: this.#badEpochs };
  }

  restore({ best, badEpochs }: StoppingState): void {
    this.#best = best;
    this.#badEpochs = badEpochs;
  }
}

/** Throws CONFIG_INVALID unless there is a metric of the name to watch. */
export function requireMetric(
  monitor: string,
  names: readonly string[],
  setting: MonitorSetting = 'earlyStoppingMonitor',
): void {
  if (names.includes(monitor)) return;
  throw new AiforgeError(
    'CONFIG_INVALID',
    `training.${setting}: there is no metric '${monitor}'.${didYouMean(monitor, names)} This run has ${names.join(', ')}.`,
  );
}

/** Throws CONFIG_INVALID for metrics to watch that no run can have, or of which nobody says whether less or more is better. */
export function checkMonitors(training: TrainingConfig): void {
  checkMonitor(training.earlyStoppingMonitor);
  if (training.checkpoint.monitor !== null) checkMonitor(training.checkpoint.monitor, 'checkpoint.monitor');
  withModes(training);
}

/** A setting that names a metric to watch. */
export type MonitorSetting = 'earlyStoppingMonitor' | 'checkpoint.monitor';

/** Throws CONFIG_INVALID for a name that no run's metric can have. */
function checkMonitor(monitor: string, setting: MonitorSetting = 'earlyStoppingMonitor'): void {
  if (/^(train|val)_./.test(monitor)) return;
  const names = ['train_loss', 'val_loss', 'train_accuracy', 'val_accuracy', 'val_f1'];
  throw settingProblem(
    ['training', ...setting.split('.')],
    `there is no metric '${monitor}'.${didYouMean(monitor, names)} Metrics begin with train_ or val_, such as ${names.join(', ')}.`,
  );
}
