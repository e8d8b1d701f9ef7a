import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { isError } from '../../realms.js';
import { safetensorsMetadata } from '../../tensor/files/safetensors.js';
import type { RunFiles } from '../runs/runDirectory.js';
import { epochOf, RunState } from './checkpoint.js';
import type { Manifest, ManifestEntry } from './manifest.js';

const kinds: [pattern: RegExp, kind: ManifestEntry['kind']][] = [
  [/^last\.safetensors$/, 'last'],
  [/^best-checkpoint\.safetensors$/, 'best'],
  [/^checkpoints\/step-\d+\.safetensors$/, 'kept'],
  [/^(checkpoints\/(best|epoch)-\w+|best)\.safetensors$/, 'weights'],
];

/** The files of a run that hold a checkpoint or weights, by their paths in its folder. */
export function checkpointFiles({ directory, checkpoints }: RunFiles): { name: string; kind: ManifestEntry['kind'] }[] {
  const inner = existsSync(checkpoints) ? readdirSync(checkpoints).sort() : [];
  const all = [...readdirSync(directory).sort(), ...inner.map((name) => `${path.basename(checkpoints)}/${name}`)];
  return all.flatMap((name) => {
    const kind = kinds.find(([pattern]) => pattern.test(name))?.[1];
    return kind === undefined ? [] : [{ name, kind }];
  });
}

/** What a file says of itself by its header, its tensors unread; undefined of one that cannot be read, or says nothing. */
export function describedByHeader(file: string, kind: ManifestEntry['kind']): ManifestEntry | undefined {
  try {
    const { sha256, state, epoch } = safetensorsMetadata(file);
    if (sha256 === undefined) return undefined;
    const entry = { kind, sha256, time: statSync(file).mtime.toISOString() };
    if (kind === 'weights') return { ...entry, epoch: Number(epoch), step: 0 };
    const runState = RunState.parse(JSON.parse(state ?? 'null'));
    const { step, bestWeights } = runState;
    return { ...entry, epoch: epochOf(runState), step, ...(bestWeights !== null && { bestWeights }) };
  } catch (error) {
    if (isError(error)) return undefined;
    throw error;
  }
}

/** Makes a manifest agree with the files, where a process was ended between writing one and writing the other. */
export function reconcile(manifest: Manifest, files: RunFiles): void {
  manifest.forgetMissing();
  for (const { name, kind } of checkpointFiles(files)) {
    const file = path.join(files.directory, name);
    const own = describedByHeader(file, kind);
    const known = manifest.of(file);
    if (own === undefined || known?.sha256 === own.sha256) continue;
    const { time, ...entry } = own;
    manifest.record(file, entry, time);
  }
}
