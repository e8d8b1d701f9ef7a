import { existsSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';

import { AiforgeError } from '../../errors.js';
import { safetensorsMetadata } from '../../tensor/files/safetensors.js';
import type { SafetensorsFile } from '../../tensor/index.js';
import type { RunFiles } from '../runs/runDirectory.js';
import { saving } from '../runs/saving.js';
import { bestOf, checkWeights, type Checkpoint } from './checkpoint.js';
import { describedByHeader, reconcile } from './checkpointFiles.js';
import { saveChecked } from './checksum.js';
import { dropEarlierBests, earlierBestFile } from './earlierBest.js';
import { linkOver } from './linkOver.js';
import { Manifest, readManifest } from './manifest.js';

/** Where a checkpoint's best weights are: a file, or the checkpoint itself; null where it has none yet. */
export type BestWeights = { file: string } | { content: SafetensorsFile } | null;

/**
 * Finds the best weights of a checkpoint, which are no longer in `best.safetensors` where the run went on after it. Throws
 * FILE_NOT_FOUND where they are nowhere, and FILE_INVALID where they are damaged.
 */
export function findBestWeights(files: RunFiles, checkpoint: Checkpoint): BestWeights {
  const { best, bestEpoch, bestWeights } = checkpoint.state;
  if (best === null || bestWeights === null) return null;
  const file = candidates(files, bestWeights).find((each) => checksumIn(each) === bestWeights);
  if (file !== undefined) {
    checkWeights(file, files.preprocessor);
    return { file };
  }
  const content = bestOf(checkpoint);
  if (content !== undefined) return { content };
  // One that is damaged says so.
  if (existsSync(files.best)) checkWeights(files.best, files.preprocessor);
  throw new AiforgeError(
    'FILE_NOT_FOUND',
    `The best weights of this checkpoint, of epoch ${bestEpoch}, are gone: ${files.best} has others, and no file in ${files.checkpoints} has them. ` +
      "Resume from the run's folder, which goes on from its last checkpoint, or put the file back.",
  );
}

function candidates(files: RunFiles, bestWeights: string): string[] {
  const kept = weightsIn(files).map((name) => path.join(files.checkpoints, name));
  return [files.best, earlierBestFile(files, bestWeights), ...kept].filter((file) => existsSync(file));
}

/** The checksum that a file says it has; undefined of one that cannot be read. */
function checksumIn(file: string): string | undefined {
  try {
    return safetensorsMetadata(file).sha256;
  } catch {
    return undefined;
  }
}

function weightsIn({ checkpoints }: RunFiles): string[] {
  return existsSync(checkpoints) ? readdirSync(checkpoints).filter((name) => /^epoch-\d+\.safetensors$/.test(name)) : []; // prettier-ignore
}

/** The weights that a checkpoint says are kept, without those that others have taken the place of since. */
export function keptStill(files: RunFiles, { kept }: Checkpoint['state']): Checkpoint['state']['kept'] {
  const entries = knownIn(files);
  return kept.filter(({ file, value }) => {
    const target = path.join(files.checkpoints, file);
    const entry = entries[path.relative(files.directory, target)];
    return existsSync(target) && (entry?.value === undefined || entry.value === value);
  });
}

function knownIn(files: RunFiles) {
  try {
    return readManifest(files.manifest);
  } catch {
    return {};
  }
}

/**
 * Makes a run's folder that of a checkpoint in it, from which the run goes on: what was written of later steps is removed, the checkpoint
 * becomes the last one, and the best weights are its own. Only for who holds the folder's lock.
 */
export function goBackTo(
  { file, checkpoint, best }: { file: string; checkpoint: Pick<Checkpoint, 'state'>; best: BestWeights },
  files: RunFiles,
): void {
  const { state } = checkpoint;
  const manifest = new Manifest(files);
  reconcile(manifest, files);
  restoreBest(best, state, files, manifest);
  if (!isSame(file, files.last)) {
    saving(files.last, () => linkOver(file, files.last));
    const entry = describedByHeader(files.last, 'last');
    if (entry !== undefined) manifest.record(files.last, entry);
  }
  for (const name of laterThan(state, files, manifest)) {
    const later = path.join(files.directory, name);
    rmSync(later, { force: true });
    manifest.forget(later);
  }
  keepBestCheckpoint(state, files, manifest);
  dropEarlierBests(files, manifest, state.bestWeights);
}

/** The process may have been ended before it gave the checkpoint of the best epoch its second name. */
function keepBestCheckpoint(state: Checkpoint['state'], files: RunFiles, manifest: Manifest): void {
  const { epoch, step, batch, bestEpoch } = state;
  if (epoch !== bestEpoch || batch > 0 || !existsSync(files.last)) return;
  if (manifest.of(files.bestCheckpoint)?.sha256 === manifest.of(files.last)?.sha256) return;
  saving(files.bestCheckpoint, () => linkOver(files.last, files.bestCheckpoint));
  manifest.copy(files.last, files.bestCheckpoint, { kind: 'best', epoch, step });
}

const isSame = (a: string, b: string): boolean => existsSync(b) && realpathSync(a) === realpathSync(b);

function restoreBest(best: BestWeights, state: Checkpoint['state'], files: RunFiles, manifest: Manifest): void {
  if (best === null) {
    rmSync(files.best, { force: true });
    if (manifest.of(files.best) !== undefined) manifest.forget(files.best);
    return;
  }
  const entry = { epoch: state.bestEpoch!, step: state.step, sha256: state.bestWeights!, value: state.best! };
  if ('file' in best) {
    if (isSame(best.file, files.best)) return;
    saving(files.best, () => linkOver(best.file, files.best));
    manifest.record(files.best, { ...entry, ...manifest.of(best.file), kind: 'weights' });
    return;
  }
  saving(files.best, () => saveChecked(files.best, best.content.tensors, best.content.metadata));
  manifest.record(files.best, { ...entry, kind: 'weights' });
}

/** The files in the folder that a run which goes on from this state has not written yet. */
function laterThan({ step, kept }: Checkpoint['state'], files: RunFiles, manifest: Manifest): string[] {
  const inner = (name: string) => path.join(path.basename(files.checkpoints), name);
  const checkpoints = existsSync(files.checkpoints) ? readdirSync(files.checkpoints) : [];
  const steps = checkpoints.filter((name) => Number(/^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? 0) > step);
  const weights = weightsIn(files).filter((name) => !kept.some(({ file }) => file === name));
  const best = (manifest.of(files.bestCheckpoint)?.step ?? 0) > step ? [path.basename(files.bestCheckpoint)] : [];
  return [...steps.map(inner), ...weights.map(inner), ...best];
}
