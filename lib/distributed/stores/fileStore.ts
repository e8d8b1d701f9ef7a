import { resolve } from 'node:path';
import { int32From, string } from '../../kinds.js';
import { signature } from '../../signature.js';
import { nativeDistributed } from '../native.js';
import { timeoutKind } from '../timeouts.js';
import { Store } from './store.js';
import { namingFile, requireRegular, requireStoreFile } from './storeFile.js';

export interface FileStoreOptions {
  /** How many processes use the file; the last one to leave deletes it. Default: any number, and none deletes it. */
  worldSize?: number;
  /** How long to wait for keys. Default: 5 minutes. */
  timeoutMs?: number;
}

const fileTakes = signature<FileStoreOptions>({ path: string }, { worldSize: int32From(1), timeoutMs: timeoutKind });

/** What c10d takes for a number of processes that is not known. */
const anyNumber = -1;

/** How c10d lists the key of its own, by which it counts the processes. */
const processCount = 'efcount/';

/**
 * c10d's key-value store in a file on a file system that all processes have and that can lock files. Use a new file each time. As
 * `torch.distributed.FileStore`.
 *
 * @example
 * import { mkdtempSync } from 'node:fs';
 * import { join } from 'node:path';
 * import { FileStore } from 'aiforge/distributed';
 * const store = await FileStore.create(join(mkdtempSync('/tmp/store-'), 'keys'), { worldSize: 1 });
 * await store.add('seen', 1); // 1
 * await store.close();
 */
export class FileStore extends Store {
  /**
   * Opens a store in a file, which is made if it is not there. Rejects with `FILE_NOT_FOUND` where its folder cannot be written, with
   * `FILE_INVALID` where another file than a store's is there, and with `FILE_NOT_WRITABLE` where the disk is full.
   */
  static async create(path: string, options: FileStoreOptions = {}): Promise<FileStore> {
    fileTakes.check('FileStore.create', arguments);
    const { worldSize = anyNumber, timeoutMs = 300_000 } = options;
    await requireRegular(path);
    await requireStoreFile(resolve(path));
    try {
      return new FileStore(await nativeDistributed.openFileStore(resolve(path), worldSize, Math.ceil(timeoutMs)));
    } catch (error) {
      throw namingFile(error, resolve(path));
    }
  }

  override async listKeys(): Promise<string[]> {
    const keys = await super.listKeys();
    const own = keys.indexOf(processCount);
    return own === -1 ? keys : keys.toSpliced(own, 1);
  }
}
