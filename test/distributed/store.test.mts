import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { expect } from 'chai';

import { AiforgeError } from 'aiforge';
import { TCPStore } from 'aiforge/distributed';
import { nativeDistributed } from '#lib/distributed/native.js';

import { freePort } from './ranks.mjs';

async function failure(promise: Promise<unknown>): Promise<AiforgeError> {
  const error: unknown = await promise.then(
    () => expect.fail('it should have been rejected'),
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(AiforgeError);
  return error as AiforgeError;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

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
    expect((await failure(store.wait(['missing'], { timeoutMs: 10 }))).message).to.include('store.wait failed');
  });

  it('refuses values of another kind', async () => {
    const store = await TCPStore.create({ port: 0, isServer: true });
    expect((await failure(TCPStore.create({ port: 70_000 }))).code).to.equal('INVALID_ARGUMENT');
    expect((await failure(store.set('key', 3 as never))).message).to.include('Uint8Array');
    expect((await failure(store.wait([1] as never))).message).to.include('keys must be an array, each item a string');
    for (const impostor of [{}, null, 7, 'store', store]) {
      expect(() => nativeDistributed.storePort(impostor as never)).to.throw(AiforgeError, 'expected a Store');
      expect(() => nativeDistributed.beforeForward(impostor as never, true)).to.throw(
        AiforgeError,
        'expected a Reducer',
      );
    }
    const native = await nativeDistributed.openTcpStore('127.0.0.1', 0, null, true, 1_000);
    expect(() => nativeDistributed.barrier(native as never, 0, null, null)).to.throw(
      AiforgeError,
      'expected a ProcessGroup',
    );
  });
});
