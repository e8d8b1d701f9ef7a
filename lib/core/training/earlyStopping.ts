import { settingProblem } from '../../config/source.js';
import type { TrainingConfig } from '../../config/trainingConfig.js';
import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';

/** Watches one metric: whether it is the best so far, and whether it has been none for too long. */
export class EarlyStopping {
  best: number | null = null;
  badEpochs = 0;

  constructor(
    private readonly training: Pick<
      TrainingConfig,
      'earlyStoppingMonitor' | 'earlyStoppingMode' | 'earlyStoppingPatience'
    >,
  ) {}

  /** Takes an epoch's metrics; true when the monitored one is the best so far. Throws CONFIG_INVALID when there is none of that name. */
  update(metrics: Record<string, number>): boolean {
    const { earlyStoppingMonitor: monitor, earlyStoppingMode: mode } = this.training;
    requireMetric(monitor, Object.keys(metrics));
    const value = metrics[monitor]!;
    const improved =
      !Number.isNaN(value) && (this.best === null || (mode === 'min' ? value < this.best : value > this.best));
    if (improved) this.best = value;
    this.badEpochs = improved ? 0 : this.badEpochs + 1;
    return improved;
  }

  get shouldStop(): boolean {
    const { earlyStoppingPatience: patience } = this.training;
    return patience !== null && this.badEpochs >= patience;
  }
}

/** Throws CONFIG_INVALID unless there is a metric of the name to watch. */
export function requireMetric(monitor: string, names: readonly string[]): void {
  if (names.includes(monitor)) return;
  throw new AiforgeError(
    'CONFIG_INVALID',
    `training.earlyStoppingMonitor: there is no metric '${monitor}'.${didYouMean(monitor, names)} This run has ${names.join(', ')}.`,
  );
}

/** Throws CONFIG_INVALID for a name that no run's metric can have. */
export function checkMonitor(monitor: string): void {
  if (/^(train|val)_./.test(monitor)) return;
  const names = ['train_loss', 'val_loss', 'train_accuracy', 'val_accuracy', 'val_f1'];
  throw settingProblem(
    ['training', 'earlyStoppingMonitor'],
    `there is no metric '${monitor}'.${didYouMean(monitor, names)} Metrics begin with train_ or val_, such as ${names.join(', ')}.`,
  );
}
