import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { AiforgeError } from 'aiforge';
import { FileStore, HashStore, PrefixStore, TCPStore } from 'aiforge/distributed';
import { nativeDistributed } from '#lib/distributed/native.js';

import { freePort } from './ranks.mjs';
import { failure, storesIn, text } from './stores.mjs';

describe('TCPStore', () => {
  it('keeps bytes, text and counters for everyone who connects', async () => {
    const server = await TCPStore.create({ port: 0, isServer: true });
    const client = await TCPStore.create({ port: server.port });
    await server.set('bytes', Uint8Array.of(0, 255, 7));
    await client.set('text', 'grüße');
    expect([...(await client.get('bytes'))]).to.deep.equal([0, 255, 7]);
    expect(text(await server.get('text'))).to.equal('grüße');
    expect(await server.add('count', 2)).to.equal(2);
    expect(await client.add('count', 40)).to.equal(42);
    expect(await client.check(['bytes', 'text'])).to.equal(true);
    expect(await client.check(['bytes', 'nothing'])).to.equal(false);
    expect(await client.deleteKey('bytes')).to.equal(true);
    expect(await server.deleteKey('bytes')).to.equal(false);
    expect(await server.check(['bytes'])).to.equal(false);
  });

  it('waits for a key that the same object sets later', async () => {
    const store = await TCPStore.create({ port: 0, isServer: true, timeoutMs: 20_000 });
    const value = store.get('late');
    const both = store.wait(['late', 'later']);
    await store.set('later', 'b');
    await store.set('late', 'a');
    expect(text(await value)).to.equal('a');
    await both;
  });

  it('does not take a key for set that others ask for meanwhile', async () => {
    const store = await TCPStore.create({ port: 0, isServer: true, timeoutMs: 20_000 });
    const other = await TCPStore.create({ port: store.port, timeoutMs: 20_000 });
    const values = [store.get('late')];
    const both = store.multiGet(['early', 'late']);
    let isSet = false;
    const wasSet = store.wait(['late']).then(() => isSet);
    await store.set('early', 'a');
    // c10d's server wakes those that wait for a key when another looks for it by compareSet.
    for (let time = 0; time < 20; ++time) {
      if (time === 10) values.push(other.get('late'));
      expect(text(await other.compareSet('late', 'x', 'y'))).to.equal('x');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    isSet = true;
    await other.set('late', 'b');
    expect((await Promise.all(values)).map(text)).to.deep.equal(['b', 'b']);
    expect((await both).map(text)).to.deep.equal(['a', 'b']);
    expect(await wasSet).to.equal(true);
  });

  it('gives an empty value back', async () => {
    const store = await TCPStore.create({ port: 0, isServer: true });
    await store.set('empty', new Uint8Array(0));
    expect(await store.get('empty')).to.have.lengthOf(0);
  });

  it('says what to do about a port in use', async () => {
    const other = createServer().listen(0, '0.0.0.0');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const error = await failure(TCPStore.create({ port, isServer: true, timeoutMs: 2_000 }));
    other.close();
    expect(error.code).to.equal('DISTRIBUTED_FAILED');
    expect(error.message).to.include(String(port)).and.to.include('choose another MASTER_PORT');
  });

  it('gives up on a server that is not there, on missing ranks and on missing keys', async () => {
    const nobody = await failure(TCPStore.create({ port: await freePort(), timeoutMs: 300 }));
    expect(nobody.code).to.equal('DISTRIBUTED_FAILED');
    expect(nobody.message).to.match(/timed out[^]*every rank was started/i);

    const alone = await failure(TCPStore.create({ port: 0, isServer: true, worldSize: 2, timeoutMs: 300 }));
    expect(alone.message).to.match(/1\/2 clients joined[^]*every rank was started/);

    const store = await TCPStore.create({ port: 0, isServer: true, timeoutMs: 300 });
    expect((await failure(store.get('missing'))).message)
      .to.include('store.get failed')
      .and.to.match(/timeout/i);
  });

  it('refuses values of another kind', async () => {
    const store = await TCPStore.create({ port: 0, isServer: true });
    expect((await failure(TCPStore.create({ port: 70_000 }))).code).to.equal('INVALID_ARGUMENT');
    expect((await failure(store.set('key', 3 as never))).message).to.include('Uint8Array');
    expect((await failure(store.wait([1] as never))).message).to.include('keys must be an array, each item a string');
    for (const impostor of [{}, null, 7, 'store', store]) {
      expect(() => nativeDistributed.storePort(impostor as never)).to.throw(AiforgeError, 'expected a Store');
      expect(() => nativeDistributed.noteJoin(impostor as never)).to.throw(AiforgeError, 'expected a Reducer');
    }
    const native = await nativeDistributed.openTcpStore('127.0.0.1', 0, null, true, 1_000);
    expect(() => nativeDistributed.barrier(native as never, 0, null, null)).to.throw(
      AiforgeError,
      'expected a ProcessGroup',
    );
  });
});

describe('every store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aiforge-store-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const stores = storesIn(folder);

  for (const [name, open] of Object.entries(stores)) {
    it(`${name} keeps, counts, appends, compares and waits`, async () => {
      const store = await open();
      await store.set('key', 'value');
      await store.set('empty', '');
      expect(text(await store.get('key'))).to.equal('value');
      expect(await store.get('empty')).to.have.lengthOf(0);
      expect(await store.add('count', 3)).to.equal(3);
      expect(await store.add('count', -1)).to.equal(2);
      expect(text(await store.compareSet('key', 'other', 'new'))).to.equal('value');
      expect(text(await store.compareSet('key', 'value', 'new'))).to.equal('new');
      expect(text(await store.get('key'))).to.equal('new');
      expect(text(await store.compareSet('fresh', '', 'first'))).to.equal('first');
      await store.append('log', 'a');
      await store.append('log', 'b');
      expect(text(await store.get('log'))).to.equal('ab');
      expect(await store.check(['key', 'fresh'])).to.equal(true);
      expect(await store.check(['key', 'nothing'])).to.equal(false);
      expect(await store.deleteKey('key')).to.equal(true);
      expect(await store.check(['key'])).to.equal(false);
      expect(await store.numKeys()).to.be.at.least(3);
      const late = store.get('late');
      const both = store.multiGet(['late', 'later']);
      await store.multiSet(['late', 'later'], ['a', Uint8Array.of(98)]);
      expect(text(await late)).to.equal('a');
      expect((await both).map(text)).to.deep.equal(['a', 'b']);
      expect((await failure(store.get('never'))).code).to.equal('DISTRIBUTED_FAILED');
      expect((await failure(store.multiSet(['a'], []))).message).to.include('1 keys and 0 values');
      await store.close();
      expect((await failure(store.get('late'))).message).to.include('This store was closed');
    });
  }

  it('with a prefix has the keys that begin with it', async () => {
    const store = new HashStore();
    await new PrefixStore('job', new PrefixStore('0', store)).set('state', 'ready');
    expect(text(await store.get('0/job/state'))).to.equal('ready');
    expect(() => new PrefixStore('job', {} as never)).to.throw(AiforgeError, 'a store, such as a TCPStore');
  });

  it('in a file is deleted by the last of its processes', async () => {
    const path = join(folder, 'two');
    const stores = await Promise.all([1, 2].map(() => FileStore.create(path, { worldSize: 2 })));
    await stores[0]!.set('key', 'value');
    expect(text(await stores[1]!.get('key'))).to.equal('value');
    for (const store of stores) await store.close();
    expect(existsSync(path)).to.equal(false);
  });

  it('in a file says where none can be made', async () => {
    const error = await failure(FileStore.create(join(folder, 'no', 'such', 'file')));
    expect(error.code).to.equal('FILE_NOT_FOUND');
    expect(error.message).to.include(join(folder, 'no', 'such'));
  });
});

describe('a TCPStore whose host has no address', () => {
  it('says so within its timeout', async () => {
    const error = await failure(TCPStore.create({ host: 'no-such-host.invalid', timeoutMs: 900 }));
    expect(error.code).to.equal('DISTRIBUTED_FAILED');
    expect(error.message).to.match(/no address was found for the host 'no-such-host.invalid' within 900 ms/);
  });
});
