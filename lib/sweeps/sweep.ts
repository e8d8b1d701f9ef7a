import path from 'node:path';

import { makeFolders } from '../atomicFile.js';
import { RunLock } from '../core/runs/runLock.js';
import { OrphanGuard } from '../distributed/launch/orphanGuard.js';
import { AiforgeError } from '../errors.js';
import { logger } from '../log.js';
import { showThrown } from '../show.js';
import { measure } from './measure.js';
import { overridesOf, type SweepPlan } from './plan.js';
import { best } from './ranking.js';
import { writeResults } from './results.js';
import type { Rung } from './rungs.js';
import { openState } from './openState.js';
import { saveState, sweepFiles, type SweepState, type TrialState } from './sweepState.js';
import { keepNote, runOf, TrialProcess } from './trialProcess.js';

/** What is told while a sweep goes on. */
export interface SweepListener {
  /** Before the first trial; `done` trials of it are from an earlier time. */
  onStart?(state: SweepState): void;
  onTrialStart?(trial: TrialState): void;
  /** A trial has come to the end of a round, or has failed. */
  onTrialEnd?(trial: TrialState, state: SweepState): void;
  /** Before a trial is killed that did not end so many seconds after it was asked to. */
  onTrialOverdue?(trial: TrialState, seconds: number): void;
}

export interface SweepOptions {
  folder: string;
  /** Aborting it ends the trials with checkpoints; the sweep can go on another time. */
  signal: AbortSignal;
  /** Ends the sweep after the first trial that fails. */
  stopOnFailure: boolean;
  listener: SweepListener;
}

export interface SweepResult {
  state: SweepState;
  /** Whether every trial has come to its end, failed ones too. */
  isComplete: boolean;
  /** The first failed trial, where it ended the sweep. */
  stoppedBy: TrialState | undefined;
}

/**
 * Runs the trials of a sweep that were not run yet, each in a process of its own, and goes on with those that were interrupted.
 * Its state is written after each trial. Throws TRAINING_FAILED where another process works in its folder, and CONFIG_INVALID
 * where the folder has another sweep.
 */
export async function runSweep(plan: SweepPlan, options: SweepOptions): Promise<SweepResult> {
  const { folder } = options;
  // Looked at before the folder is made: a sweep of another kind is left as it is.
  openState(plan, folder);
  makeFolders(folder);
  const lock = RunLock.acquire(folder);
  const guard = new OrphanGuard((message) => logger.warn(message));
  try {
    const state = openState(plan, folder);
    saveState(folder, state);
    const sweep = new Sweep(plan, options, state, guard);
    await sweep.run();
    return { state, isComplete: state.trials.every(({ status }) => status !== 'waiting'), stoppedBy: sweep.stoppedBy };
  } finally {
    await guard.close();
    lock.release();
  }
}

class Sweep {
  stoppedBy: TrialState | undefined;
  readonly #running = new Set<TrialProcess>();

  constructor(
    private readonly plan: SweepPlan,
    private readonly options: SweepOptions,
    private readonly state: SweepState,
    private readonly guard: OrphanGuard,
  ) {}

  async run(): Promise<void> {
    const { options, state } = this;
    const stop = () => this.#running.forEach((trial) => trial.stop());
    options.signal.addEventListener('abort', stop);
    try {
      options.listener.onStart?.(state);
      await this.#rounds();
    } finally {
      options.signal.removeEventListener('abort', stop);
      writeResults(options.folder, state);
    }
  }

  async #rounds(): Promise<void> {
    const { plan, state } = this;
    let trials = state.trials;
    for (const [round, rung] of plan.rungs.entries()) {
      await this.#round(trials, round, rung);
      if (this.#isStopping) return;
      // One that failed in a later round came through this one all the same.
      const passed = trials.filter(({ measured }) => measured.length > round);
      const next = plan.rungs[round + 1];
      const goOn = next === undefined ? passed : best(passed, round, state.mode).slice(0, next.trials);
      for (const trial of passed) {
        if (trial.status === 'failed') continue;
        if (next === undefined) trial.status = 'finished';
        else if (!goOn.includes(trial)) trial.status = 'stopped';
      }
      saveState(this.options.folder, state);
      trials = goOn;
    }
  }

  get #isStopping(): boolean {
    return this.options.signal.aborted || this.stoppedBy !== undefined;
  }

  /** Brings trials to the end of a round, so many at a time. An error of the sweep itself ends those that run. */
  async #round(trials: readonly TrialState[], round: number, rung: Rung): Promise<void> {
    const queue = trials.filter(({ status, measured }) => status !== 'failed' && measured.length <= round);
    const work = async () => {
      for (let trial = queue.shift(); trial !== undefined && !this.#isStopping; trial = queue.shift()) {
        await this.#try(trial, rung, round === this.plan.rungs.length - 1);
      }
    };
    const workers = Array.from({ length: this.plan.parallel }, work);
    try {
      await Promise.all(workers);
    } catch (error) {
      queue.length = 0;
      this.#running.forEach((trial) => trial.stop());
      await Promise.allSettled(workers);
      throw error;
    }
  }

  async #try(trial: TrialState, rung: Rung, isLast: boolean): Promise<void> {
    const { options, state, plan } = this;
    const folder = path.join(sweepFiles(options.folder).trials, String(trial.number).padStart(4, '0'));
    options.listener.onTrialStart?.(trial);
    const epochs = rung.epochs === undefined ? {} : { 'training.epochs': rung.epochs };
    const settings = { ...trial.settings, ...epochs, 'training.numThreads': plan.threads };
    const args = [plan.experiment, ...overridesOf(settings, plan.file)];
    if (trial.run !== null) keepNote(folder, path.join(options.folder, trial.run));
    const onOverdue = (seconds: number) => options.listener.onTrialOverdue?.(trial, seconds);
    const child = new TrialProcess({ number: trial.number, folder, args, threads: plan.threads, onOverdue });
    this.#running.add(child);
    if (child.pid !== undefined) this.guard.watch(child.pid);
    const { reason, wasStopped, seconds } = await child.finished();
    this.#running.delete(child);
    if (child.pid !== undefined) this.guard.forget(child.pid);

    trial.seconds += seconds;
    const run = runOf(folder);
    trial.run = run === undefined ? null : path.relative(options.folder, run);
    if (reason === undefined) this.#take(trial, run, isLast);
    else if (!wasStopped) fail(trial, reason);
    saveState(options.folder, state);
    if (reason !== undefined && wasStopped) return;
    if (trial.status === 'failed' && options.stopOnFailure && this.stoppedBy === undefined) {
      this.stoppedBy = trial;
      this.#running.forEach((other) => other.stop());
    }
    options.listener.onTrialEnd?.(trial, state);
  }

  #take(trial: TrialState, run: string | undefined, isLast: boolean): void {
    const { metric, mode } = this.state;
    if (run === undefined) {
      fail(trial, 'it left no word of its run');
      return;
    }
    try {
      trial.measured.push(measure(run, metric, mode));
      if (isLast) trial.status = 'finished';
    } catch (error) {
      if (!(error instanceof AiforgeError)) throw error;
      fail(trial, showThrown(error));
    }
  }
}

function fail(trial: TrialState, reason: string): void {
  trial.status = 'failed';
  trial.reason = reason;
}
