import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import type { RunFiles } from '../runs/runDirectory.js';
import { linkOver } from './linkOver.js';
import type { Manifest } from './manifest.js';

// Best weights that others took the place of, while a checkpoint is there whose best they are.

const pattern = /^best-([0-9a-f]{16})\.safetensors$/;

/** Where earlier best weights with this checksum are. */
export function earlierBestFile({ checkpoints }: Pick<RunFiles, 'checkpoints'>, checksum: string): string {
  return path.join(checkpoints, `best-${checksum.slice(0, 16)}.safetensors`);
}

/** Gives `best.safetensors` a second name, before it is written anew. */
export function keepEarlierBest(files: RunFiles, manifest: Manifest, checksum: string): void {
  const file = earlierBestFile(files, checksum);
  if (existsSync(file) || !existsSync(files.best)) return;
  mkdirSync(files.checkpoints, { recursive: true });
  linkOver(files.best, file);
  const known = manifest.of(files.best);
  if (known !== undefined) manifest.record(file, known);
}

/** Removes those that neither a checkpoint nor the run itself needs any more, or that are `best.safetensors` again. */
export function dropEarlierBests({ checkpoints, best }: RunFiles, manifest: Manifest, current: string | null): void {
  if (!existsSync(checkpoints)) return;
  const all = readdirSync(checkpoints);
  const needed = new Set([...manifest.bestWeights, ...(current === null ? [] : [current])]);
  needed.delete(manifest.of(best)?.sha256 ?? '');
  const names = new Set([...needed].map((checksum) => checksum.slice(0, 16)));
  const dropped = all.filter((name) => {
    const checksum = pattern.exec(name)?.[1];
    return checksum !== undefined && !names.has(checksum);
  });
  for (const name of dropped) {
    rmSync(path.join(checkpoints, name), { force: true });
    manifest.forget(path.join(checkpoints, name));
  }
  if (dropped.length > 0 && dropped.length === all.length) rmdirSync(checkpoints);
}
