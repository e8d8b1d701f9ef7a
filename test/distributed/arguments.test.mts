import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { AiforgeError, cuda, distributed, nn, ones } from 'aiforge';
import {
  destroyProcessGroup,
  DistributedDataParallel,
  FileStore,
  GroupRanks,
  HashStore,
  initDeviceMesh,
  initProcessGroup,
  isInitialized,
  launch,
  ProcessGroup,
  Store,
  TCPStore,
} from 'aiforge/distributed';

async function refusal(call: () => unknown, code = 'INVALID_ARGUMENT'): Promise<AiforgeError> {
  try {
    await call();
  } catch (error) {
    expect(error).to.be.instanceOf(AiforgeError);
    expect((error as AiforgeError).code, (error as AiforgeError).message).to.equal(code);
    return error as AiforgeError;
  }
  return expect.fail('it should have been refused');
}

const said = async (call: () => unknown): Promise<string> => (await refusal(call)).message;

function revoked(target: object): never {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy as never;
}

describe('what process groups, stores and launches are given', function () {
  this.timeout(60_000);

  let folder: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aiforge-arguments-'));
    await initProcessGroup({ store: new HashStore(), rank: 0, worldSize: 1 });
  });
  afterEach(async () => {
    await destroyProcessGroup();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is refused where it is a proxy that cannot be read', async () => {
    const isClass = (value: unknown): boolean => String(value).startsWith('class');
    const functions = Object.entries(distributed).filter(([, value]) => typeof value === 'function' && !isClass(value));
    expect(functions.length).to.be.greaterThan(40);
    for (const target of [{}, [], () => undefined]) {
      const proxy = revoked(target);
      for (const [name, call] of functions) {
        // Their first argument is a value of any kind, which comes second to the rank that is missing.
        const says = /^(broadcast|gather|send)(Object|Bytes)$/.test(name) ? /must be given/ : /a proxy/;
        expect(await said(() => (call as (value: never) => unknown)(proxy)), name).to.match(says);
      }
      for (const [name, make] of Object.entries({ HashStore, GroupRanks })) {
        expect(await said(() => new make(proxy)), name).to.include('a proxy that cannot be read');
      }
      expect(await said(() => ProcessGroup.create(proxy, { rank: 0, worldSize: 1 }))).to.include(
        'store must be a store',
      );
    }
  });

  it('is what a class is made from by a function that the error names', async () => {
    const make = (type: unknown) => () => new (type as new () => unknown)();
    expect(await said(make(ProcessGroup))).to.include('await ProcessGroup.create(store, options)');
    expect(await said(make(TCPStore))).to.include('write await TCPStore.create(');
    expect(await said(make(FileStore))).to.include('write await FileStore.create(');
    expect(await said(make(Store))).to.include('write await TCPStore.create(');
    expect(await said(make(GroupRanks))).to.include('group must be given');
  });

  it('is nothing where nothing is taken', async () => {
    const group = distributed.defaultProcessGroup();
    for (const leave of [destroyProcessGroup, isInitialized] as ((group: ProcessGroup) => unknown)[]) {
      expect(await said(() => leave(group))).to.include('takes no arguments');
    }
    expect(await said(() => (group.destroy as (now: boolean) => unknown).call(group, true))).to.include('no arguments');
    expect(isInitialized()).to.equal(true);
  });

  it('is a time of ms, also of less than one, that is named where it is none', async () => {
    const place = { rank: 0, worldSize: 1 };
    for (const timeoutMs of [Infinity, 1e300, NaN, 0]) {
      for (const call of [
        () => new HashStore({ timeoutMs }),
        () => FileStore.create(join(folder, 'keys'), { timeoutMs }),
        () => TCPStore.create({ port: 0, isServer: true, timeoutMs }),
        () => ProcessGroup.create(new HashStore(), { ...place, timeoutMs }),
        () => distributed.allReduce(ones([1]), { timeoutMs }),
        () => distributed.newGroup([0], { timeoutMs }),
        () => new HashStore().wait([], { timeoutMs }),
      ]) {
        expect(await said(call)).to.match(/timeoutMs must be a number above 0, at most 1e12, in ms.*got/);
      }
    }
    const group = await ProcessGroup.create(new HashStore({ timeoutMs: 900.5 }), { ...place, timeoutMs: 900.5 });
    await group.destroy();
  });

  it('is a path of a regular file, or of one to be made', async () => {
    const open = (path: string) => () => FileStore.create(path, { timeoutMs: 500 });
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(await said(open(folder))).to.include(`'${folder}' is a folder`);
    expect(await said(open(''))).to.include("'' names no file");
    expect(await said(open(fifo))).to.include('is no regular file');
    expect(await said(open('/dev/null'))).to.include("'/dev/null' is no regular file");
    expect(await said(open(join(folder, 'a'.repeat(300))))).to.include('is too long');
    expect(await said(open(join(folder, 'a\0b')))).to.include('NUL');
    expect(existsSync(join(folder, 'a'))).to.equal(false);
  });

  it('is a mesh of GPUs only where there is one', async function () {
    if (cuda.isAvailable()) {
      console.log('      skipped: there is a GPU here');
      return this.skip();
    }
    const { message } = await refusal(() => initDeviceMesh('cuda', [1]), 'DEVICE_UNAVAILABLE');
    expect(message).to.match(/CUDA|GPU/);
  });

  it('is a function for noSync, run and runAsync', async () => {
    const ddp = await DistributedDataParallel.create(new nn.Linear(2, 2));
    for (const name of ['noSync', 'run', 'runAsync'] as const) {
      for (const body of [null, 1, 'x', undefined] as never[]) {
        const promise = (): unknown => ddp[name](body);
        expect(await said(promise)).to.match(new RegExp(`^DistributedDataParallel\\.${name}: body must be`));
      }
    }
    // It rejects, as what waits does.
    await ddp.runAsync(1 as never).catch((error: unknown) => expect(error).to.be.instanceOf(AiforgeError));
  });

  it("has hints for the names of PyTorch's DistributedDataParallel", async () => {
    const wrap = (options: object) => () => DistributedDataParallel.create(new nn.Linear(2, 2), options);
    expect(await said(wrap({ process_group: null }))).to.include("Did you mean 'group'?");
    expect(await said(wrap({ processGroup: null }))).to.include("Did you mean 'group'?");
    expect(await said(wrap({ output_device: 0 }))).to.include('move them by to(device)');
    expect(await said(wrap({ dim: 0 }))).to.include('each rank has a batch of its own');
    for (const cap of [Infinity, 1e300]) {
      expect(await said(wrap({ bucketCapMb: cap }))).to.include('bucketCapMb must be a number of MiB');
      expect(await said(wrap({ bucketCapMbList: [cap] }))).to.include('each item a number of MiB');
    }
  });

  it('is told in whole sentences, with the cause, where it cannot be sent', async () => {
    const send = (value: unknown) => () => distributed.broadcastObject(value, 0);
    const own = new Error('gx');
    const { message, cause } = await refusal(send({ get x() { throw own; } })); // prettier-ignore
    expect(message).to.include("cannot be sent: reading it threw 'gx'. Plain data,");
    expect(cause).to.equal(own);
    const nested = (levels: number, around: (value: unknown) => unknown): unknown => {
      let value: unknown = null;
      for (let i = 0; i < levels; ++i) value = around(value);
      return value;
    };
    const tooDeep = 'cannot be sent: it is nested too deeply. Plain data,';
    expect(await said(send(nested(1e5, (value) => [value])))).to.include(tooDeep);
    // Can be written, but not be read.
    expect(await said(send(nested(3000, (o) => ({ o }))))).to.include(tooDeep);
    expect(await said(send([1, nested(1600, (value) => new Map([[{ value }, 1]]))]))).to.include(tooDeep);
    // As deep as is safe, of values that are there more than once and so are looked at once.
    interface Level { o: Level | null } // prettier-ignore
    const sent = nested(999, (o) => ({ o, again: o, more: 'x' })) as Level | null;
    let levels = 0;
    for (let level = await distributed.broadcastObject(sent, 0); level !== null; level = level.o) ++levels;
    expect(levels).to.equal(999);
    expect(await said(send(ones([1])))).to.include('cannot be sent: it is a Tensor. Plain data,');
    expect(await said(send({ a: ones([1]) }))).to.include('cannot be sent: a Tensor is in it. Plain data,');
    expect(await said(send(() => 1))).to.include('could not be cloned. Plain data,');
    expect(await said(send(revoked({})))).to.include('cannot be sent: it is a proxy. Plain data,');
    expect((await refusal(send(() => 1))).cause).to.be.instanceOf(Error);
  });

  it('is named where nothing can be launched with it', async () => {
    const script = join(folder, 'script.mjs');
    writeFileSync(script, 'process.exit(7)');
    const start = (options: object) => () => launch({ nproc: 1, target: script, ...options });
    for (const [options, says] of [
      [{ args: ['a\0b'] }, /^args has a NUL in/],
      [{ nodeArgs: ['a\0b'] }, /^nodeArgs has a NUL in/],
      [{ logDir: '' }, /^logDir is '', which says nothing/],
      [{ masterAddr: '' }, /^masterAddr is ''/],
      [{ cwd: join(folder, 'none') }, /^cwd is '.*none', which is no folder/],
      [{ env: { A: 1 } }, /^env has 1 as A; a variable's value is a string/],
      [{ env: { A: 'a\0b' } }, /^env has a NUL in/],
      [{ rdzvConf: { joinTimeout: 1 } }, /^rdzvConf is of the backend 'c10d'.*give rdzvEndpoint/],
      [{ localAddr: 'a' }, /^localAddr is of the backend 'c10d'/],
      [{ worldSize: 2 }, /has no option 'worldSize': give nproc/],
      [{ devices: 2 }, /has no option 'devices': .* is nproc/],
    ] as const) {
      expect(await said(start(options))).to.match(says);
    }
    for (const logDir of [script, join(script, 'logs')]) {
      const { message } = await refusal(start({ logDir }), 'LAUNCH_FAILED');
      expect(message).to.match(/^logDir is '.*', where there is a file and no folder/);
    }
    const { status } = await start({ env: { ...process.env, UNSET: undefined } })();
    expect(status).to.equal(7);
  });
});
