import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import type { DType } from '../../tensor/index.js';

/** What one field of every sample is: tensors of one shape, tensors whose first sizes differ, or texts. */
export type FieldForm =
  | { readonly form: 'fixed'; readonly dtype: DType; readonly shape: readonly number[] }
  | { readonly form: 'ragged'; readonly dtype: DType; readonly shape: readonly number[] }
  | { readonly form: 'text' };

export interface ShardEntry {
  readonly file: string;
  readonly samples: number;
  readonly bytes: number;
  /** Of the whole file. */
  readonly sha256: string;
}

/** What is in a folder of shards. */
export interface ShardIndex {
  readonly format: 'aiforge-shards';
  readonly version: 1;
  /** Whether nothing is to come. */
  readonly complete: boolean;
  /** Who writes it, until it is complete. */
  readonly writer?: string;
  readonly fields: Readonly<Record<string, FieldForm>>;
  readonly shards: readonly ShardEntry[];
}

export const indexFile = (folder: string): string => path.join(folder, 'index.json');

export const shardName = (number: number): string => `${String(number).padStart(6, '0')}.safetensors`;

/** Null where there is none. Throws FILE_INVALID for what is no index. */
export function readIndex(folder: string): ShardIndex | null {
  const file = indexFile(folder);
  if (!existsSync(file)) return null;
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw invalid(file, `it is no JSON: ${(cause as Error).message}`, cause);
  }
  const problem = problemOf(found);
  if (problem !== undefined) throw invalid(file, problem);
  return found as ShardIndex;
}

export function writeIndex(folder: string, index: ShardIndex): void {
  writeFileAtomic(indexFile(folder), indexText(index));
}

export const indexText = (index: ShardIndex): string => `${JSON.stringify(index, null, 2)}\n`;

export const invalid = (file: string, problem: string, cause?: unknown): AiforgeError =>
  new AiforgeError('FILE_INVALID', `${file}: ${problem}.`, { cause });

function problemOf(index: unknown): string | undefined {
  if (!isPlainObject(index) || index.format !== 'aiforge-shards') return 'it is no index of shards';
  if (index.version !== 1) return `it has the version ${show(index.version)}, expected 1`;
  if (typeof index.complete !== 'boolean') return 'it does not say whether it is complete';
  if (!isPlainObject(index.fields)) return 'it has no fields';
  const field = Object.entries(index.fields).find(([, form]) => !isForm(form));
  if (field !== undefined) return `its field '${field[0]}' is ${show(field[1])}`;
  if (!Array.isArray(index.shards)) return 'it has no shards';
  const odd = index.shards.findIndex((entry, number) => !isEntry(entry, number));
  return odd < 0 ? undefined : `its shard ${odd} is ${show(index.shards[odd])}`;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function isForm(form: unknown): boolean {
  if (!isPlainObject(form)) return false;
  if (form.form === 'text') return true;
  const isTensor = form.form === 'fixed' || form.form === 'ragged';
  return isTensor && typeof form.dtype === 'string' && Array.isArray(form.shape) && form.shape.every(isCount);
}

// The names of files are those that the number gives: no other path is ever read.
const isEntry = (entry: unknown, number: number): boolean =>
  isPlainObject(entry) &&
  entry.file === shardName(number) &&
  isCount(entry.samples) &&
  isCount(entry.bytes) &&
  typeof entry.sha256 === 'string' &&
  /^[0-9a-f]{64}$/.test(entry.sha256);
