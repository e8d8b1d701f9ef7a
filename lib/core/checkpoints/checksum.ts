import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

import { writeFileInBackground } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';
import { loadSafetensors, saveSafetensors, type SafetensorsFile, type Tensor } from '../../tensor/index.js';
import { chunksOf } from '../../tensor/files/bytes.js';
import { safetensorsChunks } from '../../tensor/files/safetensors.js';
import { sha256OfFile } from '../../tensor/files/sha256.js';

const key = 'sha256';

/** Of all that a file holds: each tensor's name, dtype, shape and bytes, and the metadata. */
export function checksumOf(tensors: Record<string, Tensor>, metadata: Record<string, string>): string {
  const hash = hashOf(tensors, metadata);
  let next = hash.next();
  while (next.done !== true) next = hash.next();
  return next.value;
}

/** Stops after each chunk of a tensor. */
function* hashOf(tensors: Record<string, Tensor>, metadata: Record<string, string>): Generator<void, string> {
  const hash = createHash('sha256');
  const entries = (record: object) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, text] of entries(metadata)) if (name !== key) hash.update(JSON.stringify([name, text]));
  for (const [name, tensor] of entries(tensors) as [string, Tensor][]) {
    hash.update(JSON.stringify([name, tensor.dtype, tensor.shape]));
    for (const chunk of chunksOf(tensor)) {
      hash.update(chunk);
      yield;
    }
  }
  return hash.digest('hex');
}

/** Of a file as it lies on the disk; null where there is none. */
export function checksumOfFile(file: string): string | null {
  if (!existsSync(file)) return null;
  return sha256OfFile(file, 'file beside a checkpoint');
}

/** Throws FILE_INVALID unless a file beside a checkpoint is the one that the checkpoint was written with. */
export function checkFile(file: string, expected: string | null): void {
  if (expected === null || checksumOfFile(file) === expected) return;
  throw new AiforgeError(
    'FILE_INVALID',
    `${file} is not as the run wrote it, and the weights go with what it held. Put the run's own back.`,
  );
}

/** Writes a safetensors file with the checksum of its content among its metadata; gives the checksum. */
export function saveChecked(file: string, tensors: Record<string, Tensor>, metadata: Record<string, string>): string {
  const checksum = checksumOf(tensors, metadata);
  saveSafetensors(file, tensors, { ...metadata, [key]: checksum });
  return checksum;
}

/** Copies of tensors, which nobody changes while they are written. */
export function snapshotOf({ tensors, metadata }: SafetensorsFile): SafetensorsFile {
  const copies = Object.entries(tensors).map(([name, tensor]) => [name, tensor.detach().cpu().clone()]);
  return { tensors: Object.fromEntries(copies) as Record<string, Tensor>, metadata };
}

/** The checksum that `saveChecked` gives, chunk by chunk, with turns of the event loop between them. */
export async function checksumInBackground({ tensors, metadata }: SafetensorsFile): Promise<string> {
  const hash = hashOf(tensors, metadata);
  let next = hash.next();
  while (next.done !== true) {
    await setImmediate();
    next = hash.next();
  }
  return next.value;
}

/** As `saveChecked`, with the checksum given; the disk is waited for on other threads. */
export async function saveInBackground(file: string, content: SafetensorsFile, checksum: string): Promise<void> {
  await writeFileInBackground(file, safetensorsChunks(content.tensors, { ...content.metadata, [key]: checksum }));
}

/**
 * Reads a safetensors file. Throws FILE_INVALID where its content is not what its checksum says; files of other programs have
 * none, which `mustHave` says of a file by its metadata.
 */
export function loadChecked(
  file: string,
  mustHave: (metadata: Record<string, string>) => boolean = () => false,
): SafetensorsFile {
  const read = loadSafetensors(file);
  const expected = read.metadata[key];
  if (expected === undefined && !mustHave(read.metadata)) return read;
  if (expected === checksumOf(read.tensors, read.metadata)) return read;
  const reason =
    expected === undefined ? 'it has no checksum' : 'its content does not have the checksum that it was written with';
  throw new AiforgeError(
    'FILE_INVALID',
    `${file} is damaged: ${reason}. Use another checkpoint, or a copy of this one.`,
  );
}
