import { Presets, SingleBar } from 'cli-progress';
import pc from 'picocolors';

import type { Callback, EpochEnd, RunStart, BatchEnd } from '../core/callbacks/callback.js';

const lineEveryMs = 5000;
const barEveryMs = 100;

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

function percent(value: number | undefined): string {
  return value === undefined ? '' : ` acc ${(100 * value).toFixed(1)}%`;
}

function shown(logged: Record<string, number>): string {
  return Object.entries(logged)
    .map(([name, value]) => ` ${name} ${value.toFixed(4)}`)
    .join('');
}

/** What the numbers beside it leave, so that they are not cut off. */
function barSize(columns: number): number {
  return Math.max(4, Math.min(24, columns - 66));
}

/** Shows a run while it goes on: a live bar an epoch on a terminal, a line every few seconds elsewhere. */
export class Progress implements Callback {
  #bar: SingleBar | undefined;
  #epoch = 0;
  #start = 0;
  #startBatch = 0;
  #startSamples = 0;
  #lastLine = 0;

  constructor(private readonly out: NodeJS.WriteStream = process.stdout) {}

  onRunStart({ config, runDirectory, parameters, samples, worldSize, device }: RunStart): void {
    const ranks = worldSize > 1 ? ` on ${worldSize} ranks` : device === 'cpu' ? '' : ` on ${device}`;
    this.#print(
      `${pc.bold(config.experimentName)}: ${config.modelPlugin}, ${parameters.toLocaleString('en')} parameters${ranks}; ` +
        `${samples.train.toLocaleString('en')} samples to train on, ${samples.val} to validate, ${samples.test} to test`,
    );
    this.#print(pc.dim(`files in ${runDirectory}`));
  }

  onBatchEnd(step: BatchEnd): void {
    if (step.stage !== 'train') return;
    if (step.epoch !== this.#epoch) this.#beginEpoch(step);
    const wait = this.#bar === undefined ? lineEveryMs : barEveryMs;
    const isLast = this.#bar !== undefined && step.batch === step.batches;
    if (performance.now() - this.#lastLine <= wait && !isLast) {
      this.#bar?.update(step.batch);
      return;
    }
    this.#lastLine = performance.now();
    const seconds = (performance.now() - this.#start) / 1000;
    const speed = (step.samples - this.#startSamples) / seconds;
    const left = ((step.batches - step.batch) * seconds) / (step.batch - this.#startBatch);
    // Reading the loss waits for a GPU.
    const line = `loss ${step.loss.toFixed(4)}${percent(step.accuracy)}${shown(step.logged)}  ${speed.toFixed(0)} samples/s  ${duration(left)} left`;
    if (this.#bar !== undefined) this.#bar.update(step.batch, { line });
    else this.#print(`epoch ${step.epoch}/${step.epochs}  ${step.batch}/${step.batches}  ${line}`);
  }

  onEpochEnd({ epoch, epochs, seconds, metrics, isBest }: EpochEnd): void {
    this.stop();
    const shown = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
    this.#print(
      `epoch ${epoch}/${epochs}  ${shown.join('  ')}  ${duration(seconds)}${isBest ? pc.green('  best') : ''}`,
    );
  }

  /** Takes the bar away; what is printed next has the line to itself. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #beginEpoch(step: BatchEnd): void {
    this.stop();
    this.#epoch = step.epoch;
    this.#lastLine = performance.now();
    // The first step is left out of the speed: it warms up.
    this.#start = performance.now();
    this.#startBatch = step.batch - 1;
    this.#startSamples = step.samples * (1 - 1 / step.batch);
    if (!this.out.isTTY) return;
    this.#bar = new SingleBar(
      {
        format: `epoch ${step.epoch}/${step.epochs} {bar} {percentage}%  {line}`,
        stream: this.out,
        barsize: barSize(this.out.columns),
        clearOnComplete: true,
        hideCursor: true,
        fps: 10,
      },
      Presets.shades_classic,
    );
    this.#bar.start(step.batches, step.batch, { line: '' });
  }

  #print(line: string): void {
    this.out.write(`${line}\n`);
  }
}
