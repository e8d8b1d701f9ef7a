import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { PrefixStore, TCPStore } from 'aiforge/distributed';

import { failure, storesIn, text } from './stores.mjs';

describe('queues of a store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aiforge-queues-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const { FileStore, ...others } = storesIn(folder);

  for (const [name, open] of Object.entries(others)) {
    it(`${name} gives values in the order of their coming, each once`, async () => {
      const store = await open();
      for (const value of ['a', 'b', '']) await store.queuePush('jobs', value);
      expect(await store.queueLen('jobs')).to.equal(3);
      const values = [await store.queuePop('jobs'), await store.queuePop('jobs', { block: false })];
      expect(values.map((value) => text(value!))).to.deep.equal(['a', 'b']);
      expect(await store.queuePop('jobs')).to.have.lengthOf(0);
      expect(await store.queuePop('jobs', { block: false })).to.equal(null);
      expect(await store.queueLen('jobs')).to.equal(0);
      await store.close();
    });

    it(`${name} waits for a value, for as many as wait, and at most for as long as it is told`, async () => {
      const store = await open();
      const waiting = [1, 2, 3].map(() => store.queuePop('late', { timeoutMs: 20_000 }));
      for (const value of ['x', 'y', 'z']) await store.queuePush('late', value);
      expect((await Promise.all(waiting)).map(text).toSorted()).to.deep.equal(['x', 'y', 'z']);
      const { code, message } = await failure(store.queuePop('late', { timeoutMs: 100 }));
      expect(code).to.equal('DISTRIBUTED_FAILED');
      expect(message).to.include("store.queuePop failed: the key 'late' was not set within 100 ms");
      await store.close();
    });

    it(`${name} does not take a queue for a key's value`, async () => {
      const store = await open();
      await store.queuePush('jobs', 'a');
      const { code, message } = await failure(store.get('jobs'));
      expect(code).to.equal('INVALID_ARGUMENT');
      expect(message).to.include("'jobs' is a queue: take its values by queuePop");
      expect(text(await store.queuePop('jobs'))).to.equal('a');
      await store.close();
    });
  }

  it('refuses what is no queue', async () => {
    const store = await others.TCPStore!();
    const waits = store.queuePop('jobs', { block: false, timeoutMs: 5 });
    expect((await failure(waits)).message).to.include('timeoutMs 5 with block: false, which does not wait');
    expect((await failure(store.queuePush('k'.repeat(8192), ''))).message).to.include('queuePush: the key');
    await store.close();
    const file = await FileStore!();
    const lacking = [
      () => file.queuePush('jobs', 'a'),
      () => file.queueLen('jobs'),
      () => file.queuePop('jobs'),
      () => file.queuePop('jobs', { block: false }),
    ];
    for (const call of lacking) {
      const { code, message } = await failure(call());
      expect(code).to.equal('INVALID_ARGUMENT');
      expect(message).to.include('a FileStore, or a part of one, cannot do this; use a TCPStore or a HashStore');
    }
    await file.close();
  });

  it('are shared with processes of Python', async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON does not name a Python that has torch');
      this.skip();
    }
    const store = await TCPStore.create({ port: 0, isServer: true, timeoutMs: 60_000 });
    const program = `
from torch.distributed import TCPStore
store = TCPStore('127.0.0.1', ${store.port})
store.queue_push('answers', store.queue_pop('questions').decode() + '!')
store.set('seen', ' '.join(sorted(store.list_keys())))
`;
    const ended = promisify(execFile)(python, ['-c', program]);
    await store.queuePush('questions', 'why');
    expect(text(await store.queuePop('answers'))).to.equal('why!');
    expect(text(await store.get('seen'))).to.equal('');
    await ended;
    await store.close();
  });
});

describe('listKeys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aiforge-keys-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  for (const [name, open] of Object.entries(storesIn(folder))) {
    it(`${name} has the keys that were set, and a part its own`, async () => {
      const store = await open();
      const part = new PrefixStore('part', store);
      await store.multiSet(['a', 'b/c'], ['', '']);
      await part.set('own', '');
      await store.add('count', 1);
      await store.deleteKey('a');
      expect((await store.listKeys()).toSorted()).to.deep.equal(['b/c', 'count', 'part/own']);
      expect(await part.listKeys()).to.deep.equal(['own']);
      await store.close();
    });
  }
});
