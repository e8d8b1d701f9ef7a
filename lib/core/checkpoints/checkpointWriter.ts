import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import type { TrainingConfig } from '../../config/trainingConfig.js';
import type { Module } from '../../nn/index.js';
import { scope, type SafetensorsFile } from '../../tensor/index.js';
import type { CheckpointEvent } from '../callbacks/callback.js';
import type { Callbacks } from '../callbacks/callbacks.js';
import type { Ranks } from '../ranks.js';
import type { RunFiles } from '../runs/runDirectory.js';
import { saving, savingInBackground } from '../runs/saving.js';
import { countersOf } from '../training/counters.js';
import { held } from '../../tensor/memory/held.js';
import { isBetter, requireMetric } from '../training/earlyStopping.js';
import { checkpointContent, epochOf, weightsContent, type Checkpoint, type RunState } from './checkpoint.js';
import { checksumInBackground, saveChecked, saveInBackground, snapshotOf } from './checksum.js';
import { dropEarlierBests, keepEarlierBest } from './earlierBest.js';
import { linkOver } from './linkOver.js';
import { Manifest } from './manifest.js';

interface Parts {
  training: TrainingConfig;
  files: RunFiles;
  ranks: Pick<Ranks, 'rank'>;
  state: RunState;
  callbacks: Callbacks;
  /** Has recorded what was measured before a checkpoint says that it was. */
  flush: () => void;
  /** The checksum of the preprocessor's file; null where there is none. */
  preprocessor: string | null;
}

const minuteMs = 60_000;

/** Writes a run's checkpoints when they are due: the last one, older ones that are kept, and the best weights. */
export class CheckpointWriter {
  readonly #parts: Parts;
  readonly #manifest: Manifest;
  #savedStep: number;
  #savedAt = performance.now();
  /** The epochs that were done at the last checkpoint, if it was written at an epoch's end. */
  #savedEpoch: number | undefined;
  #background: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#savedStep = parts.state.step;
    this.#manifest = new Manifest(parts.files);
  }

  /** The run's folder. */
  get directory(): string {
    return this.#parts.files.directory;
  }

  /** The metric by which weights are the best. */
  get monitor(): string {
    const { checkpoint, earlyStoppingMonitor } = this.#parts.training;
    return checkpoint.monitor ?? earlyStoppingMonitor;
  }

  get #mode(): 'min' | 'max' {
    const { checkpoint, earlyStoppingMode } = this.#parts.training;
    return checkpoint.mode ?? earlyStoppingMode ?? 'min';
  }

  /** Whether a checkpoint is due after this many steps of the optimizer. */
  isDue({ step }: RunState): boolean {
    const { everySteps } = this.#parts.training.checkpoint;
    return everySteps !== null && step !== this.#savedStep && step % everySteps === 0;
  }

  /** Whether one is due by the clock, which is this rank's. */
  get isTimeDue(): boolean {
    const { everyMinutes } = this.#parts.training.checkpoint;
    return everyMinutes !== null && performance.now() - this.#savedAt >= everyMinutes * minuteMs;
  }

  /** Whether one is due at the end of an epoch: after so many of them, and after the last. */
  isEpochDue({ epoch }: RunState): boolean {
    const { checkpoint, epochs } = this.#parts.training;
    return checkpoint.keepLast && (epoch % checkpoint.everyEpochs === 0 || epoch === epochs);
  }

  /** Writes the checkpoint to resume from; `make` gives what is in it, on rank 0. */
  async writeLast(make: () => Checkpoint): Promise<void> {
    const { ranks, state, files, training } = this.#parts;
    this.#savedStep = state.step;
    this.#savedEpoch = state.batch === 0 ? state.epoch : undefined;
    this.#savedAt = performance.now();
    await this.#telling('last', files.last, async () => {
      if (ranks.rank !== 0) return;
      this.#parts.flush();
      await this.settle();
      if (training.checkpoint.background) this.#writeInBackground(make);
      else scope(() => this.#writeNow(make()));
    });
  }

  #writeNow(checkpoint: Checkpoint): void {
    const { files } = this.#parts;
    const { tensors, metadata } = checkpointContent(checkpoint);
    const sha256 = saving(files.last, () => saveChecked(files.last, tensors, metadata));
    this.#afterLast(checkpoint.state, sha256);
  }

  /** The training goes on with its own tensors, and the file gets copies of them as they are now. */
  #writeInBackground(make: () => Checkpoint): void {
    const { value, letGo } = held(() => {
      const checkpoint = make();
      return { state: structuredClone(checkpoint.state), content: snapshotOf(checkpointContent(checkpoint)) };
    });
    this.#background = this.#writeHeld(value.content, value.state).finally(letGo);
    // Whoever waits for it is told; until then it is nobody's.
    this.#background.catch(() => undefined);
  }

  async #writeHeld(content: SafetensorsFile, state: RunState): Promise<void> {
    const { files } = this.#parts;
    const sha256 = await checksumInBackground(content);
    await savingInBackground(files.last, () => saveInBackground(files.last, content, sha256));
    this.#afterLast(state, sha256);
  }

  #afterLast(state: RunState, sha256: string): void {
    const { files, training } = this.#parts;
    this.#manifest.record(files.last, entryOf('last', state, sha256));
    if (training.checkpoint.keep > 0) this.#keep(state, sha256);
    dropEarlierBests(files, this.#manifest, this.#parts.state.bestWeights);
  }

  /** Waits for what is written in the background. Rejects with its error. */
  async settle(): Promise<void> {
    const writing = this.#background;
    this.#background = undefined;
    await writing;
  }

  #keep(state: RunState, sha256: string): void {
    const { files, training } = this.#parts;
    const file = path.join(files.checkpoints, `step-${String(state.step).padStart(9, '0')}.safetensors`);
    saving(files.last, () => {
      mkdirSync(files.checkpoints, { recursive: true });
      linkOver(files.last, file);
    });
    this.#manifest.record(file, entryOf('kept', state, sha256));
    const kept = readdirSync(files.checkpoints).filter((name) => /^step-\d+\.safetensors$/.test(name)).sort(); // prettier-ignore
    for (const name of kept.slice(0, -training.checkpoint.keep)) this.#remove(path.join(files.checkpoints, name));
  }

  #remove(file: string): void {
    rmSync(file, { force: true });
    this.#manifest.forget(file);
  }

  /** The best weights of the checkpoints that are there stay, for whoever goes on from one. */
  #keepEarlierBest(): void {
    const { files, state } = this.#parts;
    const { bestWeights } = state;
    if (bestWeights !== null) saving(files.best, () => keepEarlierBest(files, this.#manifest, bestWeights));
  }

  /** Takes what was measured of the weights that the model has now; true where they are the best, and were written. */
  async writeBest(model: Module, metrics: Record<string, number>, epoch: number): Promise<boolean> {
    const { state, files } = this.#parts;
    requireMetric(this.monitor, Object.keys(metrics), 'checkpoint.monitor');
    const value = metrics[this.monitor]!;
    const isBest = isBetter(value, state.best, this.#mode);
    let bestWeights: string | null = null;
    const write = (): Promise<void> => {
      if (this.#parts.ranks.rank !== 0) return Promise.resolve();
      this.#keepEarlierBest();
      bestWeights = this.#writeWeights(model, files.best, epoch, value);
      return Promise.resolve();
    };
    if (isBest) await this.#telling('best', files.best, write);
    const kept = await this.#writeTopK(model, epoch, value);
    // All at once and when it is done: after an error before, a run that goes on measures and writes again.
    Object.assign(state, { kept }, isBest && { best: value, bestEpoch: epoch, bestWeights });
    // What is written in the background may need one that the manifest does not tell of yet.
    if (bestWeights !== null && this.#background === undefined) dropEarlierBests(files, this.#manifest, bestWeights);
    return isBest;
  }

  /** After an epoch that is the best: gives the checkpoint of its end, which was written last, a name of its own, to go on from. */
  keepBestCheckpoint(): void {
    const { ranks, files, state } = this.#parts;
    if (ranks.rank !== 0 || state.bestEpoch !== state.epoch || this.#savedEpoch !== state.epoch) return;
    const { epoch, step } = state;
    const link = (): void => {
      saving(files.bestCheckpoint, () => linkOver(files.last, files.bestCheckpoint));
      this.#manifest.copy(files.last, files.bestCheckpoint, { kind: 'best', epoch, step });
      dropEarlierBests(files, this.#manifest, state.bestWeights);
    };
    if (this.#background === undefined) return link();
    this.#background = this.#background.then(link);
    this.#background.catch(() => undefined);
  }

  /** Gives the list of the weights that are kept then. */
  async #writeTopK(model: Module, epoch: number, value: number): Promise<RunState['kept']> {
    const { state, files, training } = this.#parts;
    const { topK } = training.checkpoint;
    if (topK < 2 || Number.isNaN(value)) return state.kept;
    const mode = this.#mode;
    const others = state.kept.filter((kept) => kept.epoch !== epoch || isBetter(kept.value, value, mode));
    if (others.some((kept) => kept.epoch === epoch)) return state.kept;
    const file = `epoch-${String(epoch).padStart(5, '0')}.safetensors`;
    const ranked = [...others, { file, epoch, value }].sort((a, b) => (isBetter(a.value, b.value, mode) ? -1 : 1));
    const dropped = ranked.slice(topK);
    const best = ranked.slice(0, topK);
    if (dropped.some((kept) => kept.epoch === epoch)) return best;
    const target = path.join(files.checkpoints, file);
    await this.#telling('kept', target, () => {
      if (this.#parts.ranks.rank === 0) this.#writeWeights(model, target, epoch, value);
      return Promise.resolve();
    });
    if (this.#parts.ranks.rank === 0) dropped.forEach((kept) => this.#remove(path.join(files.checkpoints, kept.file)));
    return best;
  }

  /** Gives the file's checksum. */
  #writeWeights(model: Module, file: string, epoch: number, value: number): string {
    const { preprocessor, state } = this.#parts;
    const sha256 = scope(() => {
      const { tensors, metadata } = weightsContent(model, epoch, preprocessor);
      return saving(path.dirname(file) === this.#parts.files.directory ? file : this.#parts.files.last, () => {
        mkdirSync(path.dirname(file), { recursive: true });
        return saveChecked(file, tensors, metadata);
      });
    });
    this.#manifest.record(file, { kind: 'weights', epoch, step: state.step, sha256, metric: this.monitor, value });
    return sha256;
  }

  async #telling(kind: CheckpointEvent['kind'], file: string, write: () => Promise<void>): Promise<void> {
    const { callbacks, state, training } = this.#parts;
    const event = () => ({ ...countersOf(state, training), file, kind });
    await callbacks.tell('onCheckpointStart', event);
    await write();
    await callbacks.tell('onCheckpointEnd', event);
  }
}

/** What the manifest says of a checkpoint of this state. */
function entryOf(kind: 'last' | 'kept', state: RunState, sha256: string) {
  const { step, bestWeights } = state;
  return { kind, epoch: epochOf(state), step, sha256, ...(bestWeights !== null && { bestWeights }) };
}
