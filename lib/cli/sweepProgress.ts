import path from 'node:path';

import pc from 'picocolors';

import { best, lastOf, shownValue, variedOf } from '../sweeps/ranking.js';
import type { Rung } from '../sweeps/rungs.js';
import type { SweepListener } from '../sweeps/sweep.js';
import type { SweepState, TrialState } from '../sweeps/sweepState.js';
import { shortNames } from './sweepTable.js';

/** Shows a sweep while it goes on: a line for each trial that ends, and on a terminal which ones run. */
export class SweepProgress implements SweepListener {
  readonly #running = new Set<number>();
  #rounds = 0;
  #ended = 0;

  constructor(
    private readonly folder: string,
    private readonly rungs: readonly Rung[],
    private readonly out: NodeJS.WriteStream = process.stdout,
  ) {}

  onStart({ trials, method, metric, mode }: SweepState): void {
    const done = trials.filter(({ status }) => status !== 'waiting').length;
    // Trials of several rounds end as often.
    this.#rounds = this.rungs.reduce((sum, rung) => sum + rung.trials, 0);
    this.#ended = trials.reduce((sum, { measured }) => sum + measured.length, 0);
    this.#ended += trials.filter(({ status }) => status === 'failed').length;
    this.#print(
      `${pc.bold(method)}: ${trials.length} trials by ${metric}, ${mode === 'min' ? 'less' : 'more'} is better` +
        (done === 0 ? '' : `; ${done} are done already`),
    );
    this.#print(pc.dim(`files in ${path.relative(process.cwd(), this.folder) || '.'}`));
  }

  onTrialStart({ number }: TrialState): void {
    this.#running.add(number);
    this.#showRunning();
  }

  onTrialEnd(trial: TrialState, state: SweepState): void {
    this.#running.delete(trial.number);
    ++this.#ended;
    this.#print(`${this.#ended}/${this.#rounds}  trial ${trial.number}  ${outcome(trial, state)}`);
    this.#showRunning();
  }

  onTrialOverdue({ number }: TrialState, seconds: number): void {
    this.stop();
    process.stderr.write(
      `Trial ${number} has not ended ${seconds} s after SIGTERM: killing it. The sweep, run again, takes it up from its last checkpoint.\n`,
    );
    this.#showRunning();
  }

  /** Takes the line of what runs away. */
  stop(): void {
    if (this.out.isTTY) this.out.write('\r\u001b[K');
  }

  #print(line: string): void {
    this.stop();
    this.out.write(`${line}\n`);
  }

  #showRunning(): void {
    if (!this.out.isTTY || this.#running.size === 0) return;
    const text = `running: trial ${[...this.#running].join(', ')}; ${this.#ended} of ${this.#rounds} have ended`;
    this.out.write(`\r\u001b[K${pc.dim(text.slice(0, Math.max(10, this.out.columns - 1)))}`);
  }
}

function outcome(trial: TrialState, state: SweepState): string {
  const names = shortNames(variedOf(state));
  const settings = Object.entries(trial.settings).map(([name, value]) => `${names.get(name)}=${shownValue(value)}`);
  if (trial.status === 'failed') return `${pc.red('failed')}: ${trial.reason}  ${settings.join(' ')}`;
  const { value, bestEpoch, epochs } = lastOf(trial)!;
  const round = trial.measured.length - 1;
  const rivals = state.trials.filter(({ measured }) => measured.length > round);
  const isBest = best(rivals, round, state.mode)[0] === trial;
  return (
    `${state.metric} ${value.toPrecision(5)} (epoch ${bestEpoch} of ${epochs})  ${settings.join(' ')}  ` +
    `${trial.seconds.toFixed(1)} s${isBest ? pc.green('  best') : ''}`
  );
}
