import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { AiforgeError } from 'aiforge';
import { FileStore, HashStore, PrefixStore, ProcessGroup, TCPStore } from 'aiforge/distributed';

import { failure, storesIn, text } from './stores.mjs';

describe('what a TCPStore refuses', () => {
  const limit = 8 * 1024 * 1024;

  it('refuses what its server does not take before it sends anything', async () => {
    const store = await TCPStore.create({ port: 0, isServer: true, timeoutMs: 5_000 });
    const large = new Uint8Array(limit + 1);
    const longest = 'k'.repeat(8191);
    const part = new PrefixStore('é', store);
    const many = new Array<string>(131_073).fill('key');
    const refused: [Promise<unknown>, string][] = [
      [store.set('key', large), `set: value has ${limit + 1} bytes; a TCPStore takes at most ${limit} (8 MiB)`],
      [store.append('key', large), 'append: value has'],
      [store.compareSet('key', large, ''), 'compareSet: expected has'],
      [store.compareSet('key', '', large), 'compareSet: desired has'],
      [store.multiSet(['a', 'b'], ['', large]), 'multiSet: value 1 has'],
      [store.set(`${longest}k`, ''), "set: the key 'kkkkkkkkkkkkkkkkkkkk…' has 8192 bytes"],
      [store.get('ü'.repeat(4096)), 'has 8192 bytes; a TCPStore takes at most 8191'],
      [store.add(`${longest}k`, 1), 'add: the key'],
      [store.check(['a', `${longest}k`]), 'check: the key'],
      [store.wait([`${longest}k`]), 'wait: the key'],
      [store.deleteKey(`${longest}k`), 'deleteKey: the key'],
      [part.set('k'.repeat(8189), ''), 'has 8192 bytes with its prefix; a TCPStore takes at most 8191'],
      [store.check(many), 'check: got 131073 keys; a TCPStore takes at most 131072 in one call'],
      [store.wait(many), 'wait: got 131073 keys'],
    ];
    for (const [call, message] of refused) {
      const error = await failure(call);
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.message).to.include(message);
    }
    expect(await store.check(['key', 'a'])).to.equal(false);
    await store.set(longest, large.subarray(1));
    expect(await store.get(longest)).to.have.lengthOf(limit);
    await part.set('k'.repeat(8188), 'longest');
    expect(text(await part.get('k'.repeat(8188)))).to.equal('longest');
    expect(await store.check(many.slice(1))).to.equal(false);
  });

  it('says in every call after its connection was closed that it was, and of nothing that it is stored', async () => {
    const server = await TCPStore.create({ port: 0, isServer: true, timeoutMs: 5_000 });
    const client = await TCPStore.create({ port: server.port, timeoutMs: 5_000 });
    const part = new PrefixStore('part', client);
    await server.close();
    const closed =
      /failed: the connection to the store was closed \(.+\)\. The process that serves the store has ended/;
    expect((await failure(client.check(['key']))).message).to.match(closed);
    const calls = [
      () => client.set('key', 'value'),
      () => client.get('key'),
      () => client.add('key', 1),
      () => client.wait(['key']),
      () => client.multiGet(['key']),
      () => part.set('key', 'value'),
      () => part.append('key', 'value'),
    ];
    for (const call of calls) {
      const { code, message } = await failure(call());
      expect(code).to.equal('DISTRIBUTED_FAILED');
      expect(message).to.match(closed).and.not.to.include('Another rank');
    }
    await client.close();
  });

  it('refuses numbers that c10d cannot keep, and hosts that are none', async () => {
    const refused: [object, string][] = [
      [{ worldSize: 2 ** 31 }, 'worldSize must be a whole number in 1 … 2^31-1, or null, got 2147483648'],
      [{ port: 2 ** 32 }, 'port must be a whole number in 0 … 65535, got 4294967296'],
      [{ port: -1 }, 'port must be'],
      [{ host: '' }, "host must be a host's name or address, got ''"],
      [{ host: 'a b' }, 'host must be'],
      [{ timeoutMs: Infinity }, 'timeoutMs must be a number above 0, at most 1e12, in ms, got Infinity'],
      [{ timeoutMs: 0 }, 'timeoutMs must be'],
    ];
    for (const [options, message] of refused) {
      const error = await failure(TCPStore.create({ port: 0, isServer: true, ...options }));
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.message).to.include(message);
    }
    for (const place of [
      { rank: 2 ** 31, worldSize: 1 },
      { rank: 0, worldSize: 2 ** 32 },
    ]) {
      const error = await failure(ProcessGroup.create(new HashStore(), place));
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.message).to.match(/(rank|worldSize) must be a whole number in [01] … 2\^31-1/);
    }
  });
});

describe('what every store refuses', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aiforge-store-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  for (const [name, open] of Object.entries(storesIn(folder))) {
    it(`${name} adds to whole numbers alone, and goes on`, async () => {
      const store = await open();
      for (const value of ['name', '1.5', '12abc', ' 3', '', '0x10', '99999999999999999999']) {
        await store.set('counter', value);
        const { code, message } = await failure(store.add('counter', 1));
        expect(code).to.equal('INVALID_ARGUMENT');
        expect(message).to.include(`add: the value of the key 'counter' is no whole number: it is '${value}'`);
        expect(text(await store.get('counter'))).to.equal(value);
      }
      await store.set('counter', '-40');
      expect(await store.add('counter', 82)).to.equal(42);
      // What was a number when it was added to before.
      await store.compareSet('counter', '42', 'no number');
      expect((await failure(store.add('counter', 1))).message).to.include("it is 'no number'");
      await store.set('counter', Uint8Array.of(0, 255));
      expect((await failure(store.add('counter', 1))).message).to.include('it is 2 bytes');
      await store.deleteKey('counter');
      expect(await store.add('counter', 1)).to.equal(1);
    });

    it(`${name} refuses sums that no number holds, and keeps the value`, async () => {
      const store = await open();
      const most = Number.MAX_SAFE_INTEGER;
      const cases: [string, number][] = [
        ['9223372036854775806', 5],
        ['-9223372036854775806', -5],
        [`${most}`, 1],
        [`-${most}`, -1],
        ['9007199254740993', 0],
      ];
      for (const [value, amount] of cases) {
        await store.set('sum', value);
        const { code, message } = await failure(store.add('sum', amount));
        expect(code).to.equal('INVALID_ARGUMENT');
        expect(message).to.include(`the sum of the key 'sum' and ${amount} is beyond 2^53-1`);
        expect(text(await store.get('sum'))).to.equal(value);
      }
      await store.set('sum', `${most - 1}`);
      expect(await store.add('sum', 1)).to.equal(most);
    });

    it(`${name} names the keys that are not there as they were given`, async () => {
      const store = await open();
      await store.set('here', '');
      const missing = async (promise: Promise<unknown>): Promise<string> => {
        const { code, message } = await failure(promise);
        expect(code).to.equal('DISTRIBUTED_FAILED');
        return message;
      };
      expect(await missing(store.get('gone'))).to.include("store.get failed: the key 'gone' was not set within 400 ms");
      expect(await missing(store.wait(['here', 'a', 'b'], { timeoutMs: 30 }))).to.include(
        "store.wait failed: the keys 'a', 'b' were not set within 30 ms",
      );
      expect(await missing(store.wait(['a'], { timeoutMs: 1000 }))).to.include(
        "the key 'a' was not set within 1000 ms",
      );
      expect(await missing(store.multiGet(['here', 'c']))).to.include("store.multiGet failed: the key 'c' was not set");
      const many = Array.from({ length: 10 }, (_, i) => `${i}`);
      expect(await missing(store.wait(many, { timeoutMs: 1 }))).to.include("'6', '7' and 2 more were not set");
    });

    it(`${name} refuses keys and values that it would change`, async () => {
      const store = await open();
      const gone = Uint8Array.of(1, 2, 3);
      structuredClone(gone, { transfer: [gone.buffer] });
      const refused: [Promise<unknown>, RegExp][] = [
        [store.set('\ud800', 'value'), /set: key must be a string without lone surrogates, got '\\u[dD]800'/],
        [store.get('a\udc00'), /get: key must be/],
        [store.check(['\ud801']), /check: keys must be/],
        [store.set('key', 'a\ud800'), /set: value must be/],
        [store.multiSet(['key'], ['\ud800']), /multiSet: values must be/],
        [store.set('key', gone), /set: value: the ArrayBuffer is detached/],
        [store.append('key', gone), /append: value: the ArrayBuffer is detached/],
        [store.compareSet('key', gone, 'a'), /compareSet: expected: the ArrayBuffer is detached/],
        [store.compareSet('key', '', gone), /compareSet: desired: the ArrayBuffer is detached/],
        [store.multiSet(['key'], [gone]), /multiSet: value 0: the ArrayBuffer is detached/],
        [store.numKeys.call(store, ...(['a', 'b'] as unknown as [])), /numKeys: takes no arguments, got 'a', 'b'/],
        [store.close.call(store, ...([1] as unknown as [])), /close: takes no arguments, got 1/],
      ];
      for (const [call, message] of refused) {
        const error = await failure(call);
        expect(error.code).to.equal('INVALID_ARGUMENT');
        expect(error.message).to.match(message);
      }
      expect(await store.check(['key'])).to.equal(false);
      expect(() => new PrefixStore('\ud800', store)).to.throw(AiforgeError, 'prefix must be a string without lone');
      await store.set('😀', '😀');
      expect(text(await store.get('😀'))).to.equal('😀');
    });
  }

  it('in a file refuses one that no store wrote, and numbers that c10d cannot keep', async () => {
    const path = join(folder, 'other');
    for (const bytes of ['x', 'garbage garbage garbage', randomBytes(5_000), '\u0001\0\0\0/']) {
      writeFileSync(path, bytes);
      const error = await failure(FileStore.create(path, { worldSize: 1, timeoutMs: 800 }));
      expect(error.code).to.equal('FILE_INVALID');
      expect(error.message).to.include(`'${path}' is no store's file`).and.to.include('remove it, or name another');
      expect(readFileSync(path).equals(Buffer.from(bytes))).to.equal(true);
    }
    const places: [string, string, string][] = [
      [folder, 'INVALID_ARGUMENT', `'${folder}' is a folder`],
      ['/dev/null', 'INVALID_ARGUMENT', "'/dev/null' is no regular file"],
      ['', 'INVALID_ARGUMENT', "the path '' names no file"],
      [join(folder, 'a\0b'), 'INVALID_ARGUMENT', 'has a NUL, which no path has'],
      [join(folder, 'n'.repeat(300)), 'INVALID_ARGUMENT', 'is too long for a name of a file'],
    ];
    for (const [place, code, message] of places) {
      const error = await failure(FileStore.create(place));
      expect(error.code).to.equal(code);
      expect(error.message).to.include(message);
    }
    expect((await failure(FileStore.create(join(folder, 'w'), { worldSize: 2 ** 32 }))).message).to.include(
      'worldSize must be a whole number in 1 … 2^31-1, got 4294967296',
    );
  });
});
