import { existsSync } from 'node:fs';
import path from 'node:path';
import { AiforgeError } from '../../errors.js';
import { string } from '../../kinds.js';
import { isError } from '../../realms.js';
import { signature } from '../../signature.js';
import { scope } from '../../tensor/index.js';
import { sha256OfFile } from '../../tensor/files/sha256.js';
import { mapShard } from './shardedDataset.js';
import { indexFile, readIndex, type ShardIndex } from './shardIndex.js';

export interface ShardReport {
  readonly file: string;
  readonly samples: number;
  readonly bytes: number;
  /** What is wrong with it; null where nothing is. */
  readonly problem: string | null;
}

const verifyTakes = signature({ folder: string });

/**
 * What is in each shard of a folder, and whether it is what the index says: its size, its tensors and its checksum.
 *
 * @throws AiforgeError FILE_NOT_FOUND for a folder without shards, FILE_INVALID for a damaged index.
 * @example
 * import { data } from 'aiforge';
 * import { mkdtempSync } from 'node:fs';
 * const folder = mkdtempSync('/tmp/aiforge-shards-');
 * const writer = new data.ShardWriter(folder);
 * writer.add({ label: 1 });
 * writer.close();
 * data.verifyShards(folder).every(({ problem }) => problem === null); // true
 */
export function verifyShards(folder: string): ShardReport[] {
  verifyTakes.check('verifyShards', arguments);
  const index = shardsIn(folder);
  return index.shards.map((entry) => {
    const { file, samples, bytes } = entry;
    return { file, samples, bytes, problem: problemOf(path.join(folder, file), entry, index) };
  });
}

/** The index of a folder. Throws FILE_NOT_FOUND where there is none. */
export function shardsIn(folder: string): ShardIndex {
  const index = readIndex(folder);
  if (index !== null) return index;
  throw new AiforgeError('FILE_NOT_FOUND', `There are no shards in ${folder}: ${indexFile(folder)} is missing.`);
}

function problemOf(file: string, entry: ShardIndex['shards'][number], { fields }: ShardIndex): string | null {
  if (!existsSync(file)) return 'it is missing';
  try {
    scope(() => void mapShard(file, entry, fields));
  } catch (error) {
    if (isError(error)) return error.message;
    throw error;
  }
  return sha256OfFile(file, 'shard') === entry.sha256
    ? null
    : 'its content is not what was written: its checksum differs';
}
