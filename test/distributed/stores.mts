import { join } from 'node:path';

import { expect } from 'chai';

import { AiforgeError } from 'aiforge';
import { FileStore, HashStore, PrefixStore, TCPStore, type Store } from 'aiforge/distributed';

/** The error that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<AiforgeError> {
  const error: unknown = await promise.then(
    () => expect.fail('it should have been rejected'),
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(AiforgeError);
  return error as AiforgeError;
}

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** A way to open each kind of store; all wait for 400 ms. */
export const storesIn = (folder: string): Record<string, () => Promise<Store>> => ({
  TCPStore: () => TCPStore.create({ port: 0, isServer: true, timeoutMs: 400 }),
  FileStore: () => FileStore.create(join(folder, 'keys'), { timeoutMs: 400 }),
  HashStore: () => Promise.resolve(new HashStore({ timeoutMs: 400 })),
  PrefixStore: () => Promise.resolve(new PrefixStore('part', new HashStore({ timeoutMs: 400 }))),
});
